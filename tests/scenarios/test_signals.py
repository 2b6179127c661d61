"""Every control room's whole story on one live site, each with its real peer.

All of them are on the site together and allow everything; the one whose turn it is says
less, so that its word holds: signal, hold, ramp, cancel, loss, recovery.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from hil.demo import Demo
from hil.peers import rooms, rooms_files, rooms_openadr, rooms_scada
from hil.peers.rooms import LONG_S, Room
from supervisor.client import connected
from tests.scenarios.live import Live, ShortLease

pytestmark = [pytest.mark.soak, pytest.mark.real_time, pytest.mark.timeout(400)]

HIGH, LOW, MIDDLE, DEFAULT = 0.8, 0.4, 0.6, 0.2
DOWN_S, UP_S = 5.0, 40.0
LOST = "default_mw = {mw}\nsilence_s = 2\nstagger_s = 0\nfall_pct_per_s = 50"
FALL_S = 3.0  # from the limit to nothing by the gradient above, and a beat


class Row(NamedTuple):
    """One room's story.

    more: lines of its section.  for_s: how long the word says to hold before the room goes;
    held_s: how long it holds after that.  cancelled, lost: the share of what can be drawn that
    holds then; 1 is what all the others allow.  why: what the site says of the loss.
    """

    room: type[Room]
    more: str
    held_s: float
    why: str
    cancelled: float = DEFAULT
    lost: float = DEFAULT
    for_s: float = LONG_S
    high: float = HIGH
    low: float = LOW
    middle: float = MIDDLE


OWN = "default_mw = {mw}"
OVER = "its default, since its word is over"
SILENT = "its default, since it is silent for"
ROWS = {
    "openadr3": Row(
        rooms_openadr.Openadr3,
        f"poll_s = 1\n{LOST.replace('{mw}', '0')}",
        8.0,
        "event subscription",
        for_s=8.0,
    ),
    "openadr2": Row(rooms_openadr.Openadr2, LOST, 8.0, SILENT, for_s=8.0),
    "iec104": Row(rooms_scada.Iec104, f"{LOST}\nhold_s = 3", 5.0, SILENT, cancelled=0.0),
    "dnp3": Row(rooms_scada.Dnp3, f"{LOST}\nhold_s = 3", 5.0, SILENT, cancelled=0.0),
    "sunspec": Row(rooms_scada.Sunspec, f"{OWN}\nheartbeat_s = 4", 4.0, SILENT, cancelled=1.0),
    "modbus": Row(rooms_scada.Plain, "", 5.0, SILENT, for_s=5.0),
    "mqtt": Row(rooms.Mqtt, f"{OWN}\nsilence_s = 4", 6.0, OVER, for_s=6.0),
    "mqtt target": Row(rooms.Target, "", 4.0, SILENT, cancelled=0.0),
    "http": Row(rooms.Http, OWN, 6.0, OVER, for_s=6.0),
    "csv": Row(rooms_files.Csv, OWN, 6.0, OVER, for_s=6.0),
    "calendar": Row(rooms_files.Calendar, OWN, 6.0, OVER, for_s=6.0),
    "price": Row(
        rooms.Price, "silence_s = 4", 4.0, SILENT, 0.0, lost=0.0, high=1.0, low=0.0, middle=1.0
    ),
    "operator": Row(rooms.Person, "", 5.0, "", cancelled=1.0, lost=1.0, for_s=5.0),
}
NEEDS = {"iec104": "c104", "dnp3": "opendnp3", "openadr2": "openleadr", "openadr3": "openadr3"}


class Listening(ShortLease):
    """The demo, with every protocol in its settings."""

    rooms: dict[str, Room]

    def _write_settings(self, meter_port: int) -> None:
        super()._write_settings(meter_port)
        kept = self.settings_path.read_text().partition("[signal.mqtt]")[0]
        sections = "".join(room.section() for room in self.rooms.values())
        self.settings_path.write_text(kept + sections)


class Site(Live):
    """A live site that every room is at; share: of what the rigs can draw above their floor."""

    demo: Listening

    async def _make(self, folder: Path, rigs: int) -> Demo:
        self.muted = True  # its operator is one of the rooms
        demo = Listening(folder, rigs)
        mw = f"{self._watts(demo, DEFAULT) / 1e6:.6f}"
        demo.rooms = {
            name: row.room(demo, row.more.replace("{mw}", mw)) for name, row in ROWS.items()
        }
        plain = demo.rooms["modbus"]
        assert isinstance(plain, rooms_scada.Plain)
        plain.server = demo.rooms["sunspec"]
        return demo

    @staticmethod
    def _watts(demo: Demo, share: float) -> int:
        return int(demo.floor_w + share * (demo.capacity_w - demo.floor_w))

    def watts(self, share: float) -> int:
        return self._watts(self.demo, share)

    def say(self, name: str, share: float, for_s: float = LONG_S) -> None:
        """A room's word; what may be drawn counts from before it, and a fall a lease after."""
        self.ask(share)
        mw = self.watts(share) / 1e6 if share else 0.0
        self._do(self.demo.rooms[name].say(mw, for_s), 30)

    def come(self, name: str) -> None:
        self._do(self.demo.rooms[name].come(), 40)

    def holds_at(self, name: str, share: float) -> bool:
        """Whether the envelope is there, by this source; by anybody when it is all."""
        view = self.view()
        wanted_w = self.watts(share) if share else 0
        return bool(
            view
            and abs(view.envelope_w - wanted_w) < 0.01 * self.demo.capacity_w
            and (share == 1.0 or view.envelope_source == ROWS[name].room.name)
        )

    def reached(self, name: str, share: float, most_s: float) -> float:
        """Until the envelope and the rigs are there; the seconds."""
        return self.until(
            lambda: self.near and self.holds_at(name, share), most_s, f"{name} at {share:g}"
        )

    def ends_by(self, name: str, unix_s: float) -> bool:
        """Whether the site knows that what this room said is over by then."""
        with connected(self.demo.state_dir) as client:
            (said,) = [one for one in client.signals() if one.source == ROWS[name].room.name]
        ends_s = [at_s for at_s, _ in said.schedule]
        if said.until_s is not None:
            ends_s.append(said.until_s)
        if not ends_s and said.silent_from_s is not None:
            ends_s.append(said.silent_from_s)
        return any(time.time() < at_s < unix_s for at_s in ends_s)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for package in [*NEEDS.values(), "sunspec2"]:
        pytest.importorskip(package)
    made = Site(tmp_path_factory.mktemp("site"))
    for name, room in made.demo.rooms.items():
        if room.serves:
            made.come(name)
    with made as live:
        for name, room in live.demo.rooms.items():
            if not room.serves:
                live.come(name)
            live._do(room.met(), 60)
        openadr3 = live.demo.rooms["openadr3"]
        assert isinstance(openadr3, rooms_openadr.Openadr3)
        live._do(openadr3.subscribe(live.watts(DEFAULT) / 1e6), 30)
        assert live.asleep, "boot is failsafe: nobody has said anything"
        everything(live)
        yield live
        for room in live.demo.rooms.values():
            live._do(room.end(), 20)


def everything(site: Site) -> None:
    """Every room allows everything."""
    for name, row in ROWS.items():
        if row.room not in (rooms.Target, rooms.Person):
            site.say(name, 1.0)
    site.until(lambda: site.near, 60, "everything is allowed by everybody")


@dataclass
class Took:
    """Seconds."""

    down: float = 0.0
    up: float = 0.0
    cancelled: float = 0.0
    lost: float = 0.0
    back: float = 0.0


@pytest.mark.parametrize("name", ROWS)
def test_signal_ramp_hold_cancel_loss_and_recovery(site: Site, name: str) -> None:
    row, took = ROWS[name], Took()
    began_s, known = time.monotonic(), site.rows()[-1].id
    site.say(name, row.high)
    site.reached(name, row.high, UP_S)
    site.say(name, row.low)
    took.down = site.reached(name, row.low, 20)
    site.holds(lambda: site.near, 2, "what was said, held")
    site.say(name, row.high)
    took.up = site.reached(name, row.high, UP_S)
    site.ask(max(row.cancelled, row.high))  # what is cancelled may give way to more
    site._do(site.demo.rooms[name].cancel(), 30)
    site.ask(row.cancelled)
    took.cancelled = site.reached(name, row.cancelled, UP_S)
    took.lost = lose(site, name, row)
    site.come(name)
    site.holds(lambda: site.near, 2, "there again is no new word")
    site.say(name, row.middle)
    took.back = site.reached(name, row.middle, UP_S)
    if row.room is rooms.Target:
        site._do(site.demo.rooms[name].go())
    elif row.room is rooms.Person:
        site.ask(1.0)
        site._do(site.demo.rooms[name].cancel(), 30)
    everything(site)
    site.check(began_s)
    on_record(site, name, known)
    print(f"{name}: " + ", ".join(f"{what} {value:.1f} s" for what, value in vars(took).items()))
    assert took.down < DOWN_S


def lose(site: Site, name: str, row: Row) -> float:
    """The room says something and is gone; its policy holds, then what follows.  Seconds."""
    site.say(name, row.middle)
    site.reached(name, row.middle, UP_S)
    if row.for_s < LONG_S:
        site.say(name, row.middle, row.for_s)
        by_s = time.time() + row.for_s + 1
        site.until(lambda: site.ends_by(name, by_s), 5, f"{name}: a word that ends soon")
    said_s = time.monotonic()
    site._do(site.demo.rooms[name].go(), 30)
    gone_s = time.monotonic()
    left_s = said_s + row.held_s - gone_s - 2.0  # words end on whole seconds
    if left_s > 0:
        site.holds(lambda: site.holds_at(name, row.middle), left_s, "its policy")
    site.ask(max(row.lost, row.middle))
    site.until(lambda: site.holds_at(name, row.lost), row.held_s + FALL_S + 5, "what follows")
    site.ask(row.lost)
    view = site.view()
    assert view is not None and row.why in view.because, view
    site.reached(name, row.lost, UP_S)
    return time.monotonic() - gone_s


def on_record(site: Site, name: str, known: int) -> None:
    """Every word is a line with its reason, and what held is in the decisions."""
    row = ROWS[name]
    said = [line for line in site.rows("signal", known) if line.source == row.room.name]
    assert said and all(line.why for line in said)
    rows_w = {w for line in said for _, w in line.body["schedule"] or ()}
    for share in {row.high, row.low, row.middle}:
        wanted_w = site.watts(share) if share else 0
        close = [w for w in rows_w if abs(w - wanted_w) < 0.01 * site.demo.capacity_w]
        assert close or row.room is rooms.Price, (name, share, sorted(rows_w))
    decided = [line for line in site.rows("decision", known) if line.source == row.room.name]
    assert decided and all(line.why for line in decided)
