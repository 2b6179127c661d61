"""The bench with a real board on it: Bench's own verbs, on the real clock and a real broker.

    with BoardBench("/dev/ttyUSB0", "192.168.1.5", 1883, wifi) as bench:
        bench.run_until(lambda: bench.site.heard(bench.board_rig.name).joined, 60, "joined")

What a board alone cannot give (watts of its plant, faults, the controller's power) raises
Unavailable, which says what would: a probe, a plug.
"""

import json
import queue
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from hil import broker, peer
from hil.bench import KEY, SITE, Bench
from hil.boards import Unavailable, files, mains
from hil.boards.probe_link import ProbeLink
from hil.boards.serial_board import SerialBoard
from hil.clock import VirtualClock
from hil.faults import Faults
from hil.link import shared_loop
from hil.machines import S21_PRO
from hil.plant import Plant
from hil.rig import settings
from hil.wiring import Wiring

NAME = "board"
LOOK_US = 20_000


class RealBroker:
    """Any MQTT broker, with what hil/peer.py asks of one."""

    def __init__(self, host: str, port: int) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self._heard: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._ears: list[tuple[str, broker.Hear]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(f"surplus/{SITE}/#")
        self._client.on_message = lambda client, data, message: self._heard.put(
            (message.topic, bytes(message.payload))
        )
        self._client.connect(host, port)
        self._client.loop_start()

    def subscribe(self, pattern: str, hear: broker.Hear) -> None:
        self._ears.append((pattern, hear))

    def publish(self, topic: str, payload: bytes, retain: bool = False, by: str = "") -> None:
        self._client.publish(topic, payload, retain=retain)

    def look(self) -> None:
        """Pass on what has come in, in the caller's thread."""
        while not self._heard.empty():
            topic, payload = self._heard.get()
            for pattern, hear in self._ears:
                if broker.matches(pattern, topic):
                    hear(topic, payload)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class BoardRig:
    """The rig a real board is: seen by what it says, and by its probe when there is one."""

    def __init__(self, board: SerialBoard, plug: mains.Mains | None, wiring: Wiring | None) -> None:
        self.name, self.board = NAME, board
        self._plug, self._wiring = plug, wiring
        self._console = ""

    def start(self) -> None:
        """Its power back, after kill()."""
        if self._plug is None:
            _missing("the plug needs --plug")
        self._plug.switch(True)

    def restart(self) -> None:
        """Its program from the beginning, by a reset."""
        self.board.restart()

    def kill(self) -> None:
        if self._plug is None:
            _missing("pulling the plug needs --plug")
        self._plug.switch(False)

    def look(self) -> None:
        self._console += self.board.console(0)

    def log_text(self) -> str:
        """What it printed on its console."""
        return self._console

    @property
    def wiring(self) -> Wiring:
        return self._wiring or _missing("its parts' truth needs a probe: --probe PORT")

    @property
    def plant(self) -> Plant:
        return self.wiring.plant

    @property
    def faults(self) -> Faults:
        return self.wiring.faults

    @property
    def power_w(self) -> float:
        return self.plant.wall_w

    @property
    def board_w(self) -> float:
        return sum(self.plant.board_w)

    @property
    def hash_ghs(self) -> float:
        return self.plant.hash_ghs

    @property
    def transactions(self) -> NoReturn:
        _missing("real wires are not captured: --board virtual")

    @transactions.setter
    def transactions(self, value: object) -> None:
        _missing("real wires are not captured: --board virtual")

    def noise(self, uart: int, data: bytes) -> None:
        """Bytes out of nowhere on a UART's receive line; by the probe."""
        self.wiring.push(uart, data)


class BoardBench(Bench):
    """changed: what the board's settings.json shall have beside the bench's own (Wi-Fi)."""

    def __init__(
        self,
        port: str,
        broker_host: str,
        broker_port: int,
        changed: Mapping[str, object],
        *,
        plug: mains.Mains | None = None,
        probe: str = "",
    ) -> None:
        self._temporary = None
        self.seed, self.chance = 0, random.Random(0)
        self.clock, self.trace = VirtualClock(speed=1.0), []
        self._real = RealBroker(broker_host, broker_port)
        self._real.subscribe("#", self._overhear)
        self.site = peer.Site(self.clock, self._real, SITE, KEY)  # type: ignore[arg-type]
        self.rigs = {}
        self._probe = played_by(probe) if probe else None
        wiring = self._probe.hands.wiring if self._probe else None
        config = settings(SITE, NAME, broker_host, broker_port, KEY) | dict(changed)
        self.board_rig = BoardRig(_ready(port, config), plug, wiring)
        self.board_rig.restart()
        self.every(LOOK_US / 1e6, self._look)

    def rig(self, name: str, **made: Any) -> BoardRig:  # type: ignore[override]
        """The one on the desk, whatever it is called in a test; it cannot be made otherwise."""
        if made:
            _missing(f"a board cannot be made with {', '.join(made)}: --board virtual")
        return self.board_rig

    def close(self) -> None:
        self.board_rig.board.close()
        self._real.close()
        if self._probe:
            self._probe.close()

    def _look(self) -> None:
        self._real.look()
        self.board_rig.look()


def played_by(port: str) -> ProbeLink:
    """A rig's chips and plant, on the wires of the probe at this port."""
    loop = shared_loop()
    return ProbeLink(port, Wiring(Plant(S21_PRO), NAME, loop.time, loop.call_at), loop)


def _ready(port: str, config: Mapping[str, object]) -> SerialBoard:
    """The board with our files and these settings on it."""
    board = SerialBoard(port)
    try:
        board.quiet()
        board.put({**files.of_rig(), files.SETTINGS: json.dumps(config).encode()})
    except BaseException:
        board.close()
        raise
    return board


def changes(path: Path | None) -> dict[str, object]:
    """The settings in this file.  Raises files.FilesError."""
    return {} if path is None else dict(json.loads(files.settings_of(path)))


def _missing(what: str) -> NoReturn:
    raise Unavailable(what)
