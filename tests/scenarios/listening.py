"""A live site with every protocol in its settings, and a control room at each of them.

All rooms are on the site together and the lowest word holds: while they all allow
everything, the one whose turn it is says less.
"""

import itertools
import time
from collections.abc import Mapping
from pathlib import Path

from hil.demo import Demo
from hil.peers import rooms_openadr, rooms_scada
from hil.peers.rooms import LONG_S, Person, Room, Target
from supervisor.client import connected
from tests.scenarios.live import Live, ShortLease

DEFAULT = 0.2  # the share of what can be drawn that a lost room leaves
Rooms = Mapping[str, tuple[type[Room], str]]  # by name: and the lines of its section


class Listening(ShortLease):
    """The demo, with a section for every room."""

    rooms: dict[str, Room]

    def _write_settings(self, meter_port: int) -> None:
        super()._write_settings(meter_port)
        kept = self.settings_path.read_text().partition("[signal.mqtt]")[0]
        sections = "".join(room.section() for room in self.rooms.values())
        self.settings_path.write_text(kept + sections)


class Site(Live):
    """share: of what the rigs can draw above their floor.  {mw} in a room's lines: DEFAULT."""

    demo: Listening

    def __init__(self, folder: Path, rooms: Rooms) -> None:
        self._rooms = rooms
        super().__init__(folder)

    async def _make(self, folder: Path, rigs: int) -> Demo:
        self.muted = True  # its operator is one of the rooms
        demo = Listening(folder, rigs)
        mw = f"{watts(demo, DEFAULT) / 1e6:.6f}"
        demo.rooms = {
            name: room(demo, more.replace("{mw}", mw)) for name, (room, more) in self._rooms.items()
        }
        plain = demo.rooms["modbus"]
        assert isinstance(plain, rooms_scada.Plain)
        plain.server = demo.rooms["sunspec"]
        return demo

    def __enter__(self) -> "Site":
        """Every room is there; nobody has said anything but OpenADR 3.1's subscription."""
        for name, room in self.demo.rooms.items():
            if room.serves:
                self.come(name)
        super().__enter__()
        for name, room in self.demo.rooms.items():
            if not room.serves:
                self.come(name)
            self._do(room.met(), 60)
        openadr3 = self.demo.rooms["openadr3"]
        assert isinstance(openadr3, rooms_openadr.Openadr3)
        self._do(openadr3.subscribe(self.watts(DEFAULT) / 1e6), 30)
        return self

    def __exit__(self, *_: object) -> None:
        for room in self.demo.rooms.values():
            self._do(room.end(), 20)
        super().__exit__()

    # ---- rooms, by their names in the table

    def watts(self, share: float) -> int:
        return watts(self.demo, share)

    def source(self, name: str) -> str:
        return self.demo.rooms[name].name

    def come(self, name: str) -> None:
        self._do(self.demo.rooms[name].come(), 40)

    def say(self, name: str, share: float, for_s: float = LONG_S) -> None:
        """A room's word; what may be drawn counts from before it, and a fall a lease after."""
        self.ask(share)
        mw = self.watts(share) / 1e6 if share else 0.0
        self._do(self.demo.rooms[name].say(mw, for_s), 30)

    def cancel(self, name: str) -> None:
        self._do(self.demo.rooms[name].cancel(), 30)

    def go(self, name: str) -> None:
        self._do(self.demo.rooms[name].go(), 30)

    def everything(self) -> None:
        """Every room allows everything; one that has another beside it is left out."""
        for name, room in self.demo.rooms.items():
            if not isinstance(room, Target | Person):
                self.say(name, 1.0)
        self.until(lambda: self.near, 60, "everything is allowed by everybody")

    # ---- what the site says of them

    def holds_at(self, name: str, share: float) -> bool:
        """Whether the envelope is there, and this source says so; anybody when it is all."""
        view, near_w = self.view(), 0.01 * self.demo.capacity_w
        wanted_w = self.watts(share) if share else 0
        if view is None or abs(view.envelope_w - wanted_w) >= near_w:
            return False
        own_w = [said.limit_w for said in view.signals if said.source == self.source(name)]
        return share == 1.0 or any(w is not None and abs(w - wanted_w) < near_w for w in own_w)

    def kept(self, name: str, share: float) -> bool:
        """Still this word, and nothing drawn above it."""
        return self.drawn_w - self.limit_w < self.slack_w and self.holds_at(name, share)

    def reached(self, name: str, share: float, most_s: float) -> float:
        """Until the envelope and the rigs are there; the seconds."""
        return self.until(
            lambda: self.near and self.holds_at(name, share), most_s, f"{name} at {share:g}"
        )

    def ends_by(self, name: str, unix_s: float) -> bool:
        """Whether the site knows that what this room said is over by then."""
        with connected(self.demo.state_dir) as client:
            (said,) = [one for one in client.signals() if one.source == self.source(name)]
        ends_s = [at_s for at_s, _ in said.schedule]
        if said.until_s is not None:
            ends_s.append(said.until_s)
        if not ends_s and said.silent_from_s is not None:
            ends_s.append(said.silent_from_s)
        return any(time.time() < at_s < unix_s for at_s in ends_s)

    # ---- what the machine did

    def starved_s(self, since_s: float) -> float:
        """How long at most the world itself had no time: it looks ten times a second."""
        looks_s = [sample.at_s for sample in self.samples if sample.at_s >= since_s]
        return max((b - a for a, b in itertools.pairwise(looks_s)), default=0.0)


def watts(demo: Demo, share: float) -> int:
    return int(demo.floor_w + share * (demo.capacity_w - demo.floor_w))
