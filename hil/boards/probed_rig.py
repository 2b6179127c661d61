"""A rig whose parts are reached through a probe: two MicroPython processes, wired to each other.

    rig's firmware -- copper -- probe's program -- pty -- probe link -- chips, plant

What a desk with two ESP32-S3 does, here; beside the probe hang the thermometers it cannot be.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from hil.boards import files
from hil.boards.copper import Copper
from hil.boards.probe_link import PARTS, ProbeLink
from hil.boards.serial_board import BoardError, SerialBoard
from hil.boards.terminal_rig import TerminalRig
from hil.link import shared_loop
from hil.machines import S21_PRO
from hil.plant import Plant
from hil.rig import SOFTWARE, VirtualRig
from hil.wiring import Wiring

BOOT_S = 10.0
# the unix port's Ctrl-C comes from the terminal, so that is what has to be told
_RAW = "import termios\n\ntermios.setraw(0)\n"


class _WiredRig(VirtualRig):
    """The firmware, with copper where its parts would be."""

    def __init__(self, flash: Path, config: Mapping[str, object], copper: Copper) -> None:
        super().__init__(flash, config)
        self.wiring = copper.rig  # type: ignore[assignment]
        copper.rig.on_reset = lambda: self._restart(SOFTWARE)


class ProbedRig:
    """rig: the firmware; probe: its hands' program; wiring: the chips and the plant behind."""

    def __init__(self, folder: Path, config: Mapping[str, object]) -> None:
        loop = shared_loop()
        self.plant = Plant(S21_PRO)
        self.wiring = Wiring(self.plant, str(config["rig"]), loop.time, loop.call_at)
        played = [(part.bus, part.address) for part in PARTS]
        self.copper = Copper(loop.time, played, self.wiring.i2c)
        self.rig = _WiredRig(folder / "rig", config, self.copper)
        named = {**config, "rig": "probe"}
        self.probe = TerminalRig(folder / "probe", named, self.copper.probe)
        self.link: ProbeLink | None = None

    def __enter__(self) -> Self:
        self.probe.start()
        with SerialBoard(self.probe.port) as board:
            board.put(files.of_probe(_RAW + files.PROBE_MAIN))
            board.restart()
            if "waiting for a bench" not in board.console(BOOT_S, until="waiting for a bench"):
                raise BoardError(f"{board.port}: the probe does not start")
        self.link = ProbeLink(self.probe.port, self.wiring, shared_loop())
        self.rig.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rig.close()
        if self.link:
            self.link.close()
        self.probe.close()
