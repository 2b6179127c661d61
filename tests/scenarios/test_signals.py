"""Every control room's whole story on one live site, each with its real peer.

All of them are on the site together and allow everything; the one whose turn it is says
less, so that its word holds: signal, hold, ramp, cancel, loss, recovery.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from hil.peers import rooms, rooms_files, rooms_openadr, rooms_scada, rooms_utility
from hil.peers.rooms import LONG_S, Room
from tests.scenarios.listening import DEFAULT, Site

pytestmark = [pytest.mark.soak, pytest.mark.real_time, pytest.mark.timeout(400)]

HIGH, LOW, MIDDLE = 0.8, 0.4, 0.6
DOWN_S, UP_S = 5.0, 90.0  # up is as long as rigs wake and are learned; what it took is printed
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
    "csip": Row(rooms_utility.Csip, LOST, 8.0, SILENT, for_s=8.0),
    "iec104": Row(rooms_scada.Iec104, f"{LOST}\nhold_s = 3", 5.0, SILENT, cancelled=0.0),
    "dnp3": Row(rooms_scada.Dnp3, f"{LOST}\nhold_s = 3", 5.0, SILENT, cancelled=0.0),
    "sunspec": Row(rooms_scada.Sunspec, f"{OWN}\nheartbeat_s = 10", 10.0, SILENT, cancelled=1.0),
    "modbus": Row(rooms_scada.Plain, "", 5.0, SILENT, for_s=5.0),
    "mqtt": Row(rooms.Mqtt, f"{OWN}\nsilence_s = 4", 6.0, OVER, for_s=6.0),
    "mqtt target": Row(rooms.Target, "", 4.0, SILENT, cancelled=0.0),
    "http": Row(rooms.Http, OWN, 6.0, OVER, for_s=6.0),
    "csv": Row(rooms_files.Csv, OWN, 10.0, OVER, for_s=10.0),
    "calendar": Row(rooms_files.Calendar, OWN, 10.0, OVER, for_s=10.0),
    "price": Row(
        rooms.Price, "silence_s = 4", 4.0, SILENT, 0.0, lost=0.0, high=1.0, low=0.0, middle=1.0
    ),
    "operator": Row(rooms.Person, "", 10.0, "", cancelled=1.0, lost=1.0, for_s=10.0),
}
NEEDS = {
    "csip": "py20305",
    "iec104": "c104",
    "dnp3": "opendnp3",
    "openadr2": "openleadr",
    "openadr3": "openadr3",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for package in [*NEEDS.values(), "sunspec2"]:
        pytest.importorskip(package)
    table = {name: (row.room, row.more) for name, row in ROWS.items()}
    with Site(tmp_path_factory.mktemp("site"), table) as live:
        assert live.asleep, "boot is failsafe: nobody has said anything"
        live.everything()
        yield live


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
    site.holds(lambda: site.kept(name, row.low), 2, "what was said, held")
    site.say(name, row.high)
    took.up = site.reached(name, row.high, UP_S)
    site.ask(max(row.cancelled, row.high))  # what is cancelled may give way to more
    site.cancel(name)
    site.ask(row.cancelled)
    took.cancelled = site.reached(name, row.cancelled, UP_S)
    took.lost = lose(site, name, row)
    site.come(name)
    site.holds(lambda: site.kept(name, row.lost), 2, "there again is no new word")
    site.say(name, row.middle)
    took.back = site.reached(name, row.middle, UP_S)
    if row.room is rooms.Target:
        site.go(name)
    elif row.room is rooms.Person:
        site.ask(1.0)
        site.cancel(name)
    site.everything()
    site.check(began_s)
    on_record(site, name, known)
    print(f"{name}: " + ", ".join(f"{what} {value:.1f} s" for what, value in vars(took).items()))
    assert took.down < DOWN_S + site.starved_s(began_s)


def lose(site: Site, name: str, row: Row) -> float:
    """The room says something and is gone; its policy holds, then what follows.  Seconds."""
    site.say(name, row.middle)
    site.reached(name, row.middle, UP_S)
    said_s = time.monotonic()
    if row.for_s < LONG_S:
        site.say(name, row.middle, row.for_s)
        by_s = time.time() + row.for_s + 2
        site.until(lambda: site.ends_by(name, by_s), 5, f"{name}: a word that ends soon")
    site.go(name)
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
