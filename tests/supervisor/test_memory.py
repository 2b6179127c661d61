"""What the next supervisor must know: packed, and found again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from supervisor import line as lines
from supervisor import memory
from supervisor.envelope import FOREVER, Entry
from supervisor.fleet import Facts, Fleet
from supervisor.ledger import Ledger, Row
from supervisor.loss import Loss
from tests.supervisor.small import fleet_of

WISH = Entry("operator", ((100.0, 5), (200.5, 0)), 900.0, 90.0, because="a test")
BEAT = Entry("mqtt", ((1.0, 7),), heard_s=1.0, loss=Loss(after_s=60.0), default_w=0, seq=9)


def dealt():
    """A fleet of two models and one of many levels, some of it on the line, some at its end."""
    fleet = fleet_of(3, others=2)
    many = tuple((100 * n, 10_000 - 10_000 // n) for n in range(2, 30))
    fleet.put("wide", Facts("wide", 30, many, 2.5, 99.5))
    line = lines.deal(fleet.points, np.array([0, 2, 3]), 5, centre_w=2000, band_w=1000)
    return fleet, lines.extend(line, fleet.points, np.array([4, 5]))


def test_what_was_packed_is_found():
    fleet, line = dealt()
    again, same = memory.unpack(5, memory.pack(fleet, line))
    assert same.epoch == 5 and same.length_w == line.length_w
    assert same.ladders() == line.ladders()
    assert (same.wakes == line.wakes).all() and (same.from_level == line.from_level).all()
    assert again.names == fleet.names and again.models == fleet.models
    for name in ("group", "floor_w", "top_level", "wake_s", "up_w_per_s"):
        assert (getattr(again, name) == getattr(fleet, name)).all(), name
    assert (again.points.watts == fleet.points.watts).all()
    assert (again.points.ghs == fleet.points.ghs).all()
    assert not any(again.nonces), "each must say its nonce to us"


def test_nobody_is_packed_too():
    again, line = memory.unpack(2, memory.pack(Fleet(), lines.empty(2)))
    assert len(again) == 0 and line.ladders() == {}


def entry_after(entry, tmp_path):
    """The entry once it has been through a ledger."""
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.write("signal", memory.entry_body(entry), entry.source, entry.because)
    ledger.commit()
    row = ledger.last("signal")
    ledger.close()
    return memory.entry_of(row)


def test_an_entry_comes_back_as_it_was(tmp_path):
    alarm = Entry("alarm", ((0.0, 0),), kind="emergency")
    ramped = Entry("ramped", ((0.0, 0),), kind="setpoint", up_w_per_s=2.5)
    for entry in (WISH, BEAT, Entry("empty", ()), alarm, ramped):
        assert entry_after(entry, tmp_path) == entry


def test_an_emergency_of_before_there_were_kinds_is_one():
    body = memory.entry_body(Entry("x", ((0.0, 0),)))
    del body["kind"], body["up_w_per_s"]
    old = memory.entry_of(Row(1, 0.0, "signal", "x", "why", body | {"emergency": True}))
    assert old.emergency and not memory.entry_of(Row(1, 0.0, "signal", "x", "why", body)).emergency


times = st.floats(0, 2e9)


@given(
    st.lists(st.tuples(times, st.integers(0, 10**10)), max_size=5).map(tuple),
    times | st.just(FOREVER),
    st.none() | st.integers(0, 10**10),
)
def test_any_entry_comes_back(schedule, until_s, default_w):
    entry = Entry("x", schedule, until_s, 5.0, Loss(after_s=until_s), default_w, 3, "why")
    assert memory.entry_of(Row(1, 0.0, "signal", "x", "why", memory.entry_body(entry))) == entry


def written(ledger, *entries):
    for entry in entries:
        ledger.write("signal", memory.entry_body(entry), entry.source, entry.because)
    ledger.commit()


def test_the_newest_word_of_every_source_stands(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    assert memory.standing_entries(ledger) == {}
    later = Entry("operator", ((300.0, 1),), because="later")
    written(ledger, WISH, BEAT, later)
    assert memory.standing_entries(ledger) == {"operator": later, "mqtt": BEAT}
    ledger.write("signal", {"schedule": None}, "operator", "withdrawn")
    assert memory.standing_entries(ledger) == {"mqtt": BEAT}
    written(ledger, WISH)
    assert memory.standing_entries(ledger) == {"operator": WISH, "mqtt": BEAT}


def test_a_chatty_source_does_not_push_out_a_quiet_one(tmp_path):
    """A wish for the whole day must be there after hours of one heartbeat every five seconds."""
    ledger = Ledger(tmp_path / "ledger.db")
    written(ledger, WISH, *[BEAT] * 2500)
    assert memory.standing_entries(ledger) == {"operator": WISH, "mqtt": BEAT}


def test_a_whole_site_is_taken_up_at_once():
    """28,571 rigs within the lease: what is kept is read once, not once a rig."""
    fleet = fleet_of(20_000, others=8_571)
    line = lines.deal(fleet.points, np.arange(28_571), 1)
    again, _ = memory.unpack(1, memory.pack(fleet, line))
    assert len(again) == 28_571 and again.names[-1] == fleet.names[-1]
