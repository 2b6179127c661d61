"""Rig messages into columns; what is none changes nothing."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import messages
from supervisor.fleet import FAULT, JOINING, RUNNING, Fleet
from supervisor.hearing import Hearing
from tests.supervisor import small
from tests.supervisor.small import event, hello, state

NONCE, NEXT = "0123456789abcdef", "fedcba9876543210"


class Heard:
    """A hearing with a clock of its own, and what events it passed on."""

    def __init__(self):
        self.fleet, self.events = Fleet(), []
        self.hearing = Hearing(self.fleet, lambda *told: self.events.append(told))

    def __call__(self, kind, payload, rig="r0", now_s=1.0):
        return self.hearing.hear(rig, kind, payload, now_s)


@pytest.fixture
def heard():
    return Heard()


def joined(heard):
    """r0, known and counted and running."""
    heard("hello", hello())
    heard.fleet.count(np.array([0]), 1.0)
    heard("state", state("running", level=2, power_w=2000, epoch=1, id=7))
    heard.hearing.joining.clear()
    heard.fleet.admitted_s[0] = 0.5
    return heard


def snapshot(heard):
    """All that can be changed by a message, but for the count of refusals."""
    columns = {k: v for k, v in vars(heard.fleet).items() if k != "row_of"}
    kept = (columns, dict(heard.fleet.row_of), heard.hearing.joining, heard.hearing.owed)
    return repr(copy.deepcopy((*kept, heard.events)))


def test_a_hello_makes_a_rig_known_and_a_state_lets_it_ask(heard):
    assert heard("hello", hello()) == ""
    assert heard.fleet.names == ["r0"] and heard.fleet.nonces == [NONCE]
    assert heard.fleet.wake_s[0] == 4.0 and heard.fleet.points.watts[0, 3] == 2520
    assert heard.hearing.joining == set(), "an old hello may be all that is left of a rig"
    assert heard("state", state("joining")) == ""
    assert heard.hearing.joining == {0}
    assert not heard.fleet.counted[0]


def test_state_fills_the_columns(heard):
    joined(heard)
    assert heard("state", state("running", level=3, power_w=2500, why="hot"), now_s=9.0) == ""
    fleet = heard.fleet
    assert (fleet.state[0], fleet.level[0], fleet.power_w[0]) == (RUNNING, 3, 2500)
    assert fleet.heard_s[0] == 9.0 and fleet.whys == ["hot"]
    assert heard.hearing.joining == set()


def test_an_echo_and_a_cap_are_taken(heard):
    joined(heard)
    assert (heard.fleet.echoed[0], heard.fleet.epoch[0]) == (7, 1)
    before = heard.fleet.version
    heard("state", state("running", id=8, epoch=2))
    assert (heard.fleet.echoed[0], heard.fleet.epoch[0]) == (8, 2)
    assert heard.fleet.version == before
    heard("state", state("running", cap_level=1))
    assert heard.fleet.cap_level[0] == 1 and heard.fleet.version > before


def test_a_fault_uncounts_at_once(heard):
    joined(heard)
    heard("state", state("fault", cap_level=0))
    assert heard.fleet.state[0] == FAULT
    assert not heard.fleet.counted[0] and np.isinf(heard.fleet.admitted_s[0])
    assert heard.hearing.joining == set()


def test_a_rig_that_falls_into_fault_no_longer_waits_for_a_ladder(heard):
    heard("hello", hello())
    heard("state", state("joining"))
    heard("state", state("fault", cap_level=0))
    assert heard.hearing.joining == set()


def test_a_rig_that_obeys_somebody_else_is_taken_in(heard):
    """It holds a ladder nobody here knows of: after a lost ledger."""
    heard("hello", hello())
    heard("state", state("joining"), now_s=2.0)
    assert heard.hearing.foreign_s == -np.inf
    heard("state", state("running", level=2, epoch=9), now_s=3.0)
    assert heard.hearing.joining == {0} and heard.hearing.foreign_s == 3.0


def test_a_fresh_nonce_is_a_rig_that_sleeps_but_still_counts(heard):
    """It restarted: nobody else was given its watts, so it stays in the account."""
    joined(heard)
    heard("event", event(4))
    heard("hello", hello(NEXT))
    assert heard.fleet.nonces == [NEXT]
    assert heard.fleet.counted[0] and np.isinf(heard.fleet.admitted_s[0])
    heard("event", event(1, "boot", "again"))
    assert [number for _, number, _, _ in heard.events] == [4, 1], "its numbers start again"


def test_the_same_hello_again_changes_nothing(heard):
    joined(heard)
    heard("state", state("running", cap_level=1))
    before = snapshot(heard)
    assert heard("hello", hello()) == ""
    assert snapshot(heard) == before


def test_a_kept_rig_whose_nonce_is_heard_for_the_first_time_goes_on_running(heard):
    """After a restart of the supervisor: the ledger knows the rig, the broker its hello."""
    heard.fleet.put("r0", small.PLAIN)
    heard.fleet.admitted_s[0] = 0.5
    heard("hello", hello())
    assert heard.fleet.admitted_s[0] == 0.5


def test_events_are_told_once_and_owed_an_echo(heard):
    heard("hello", hello())
    for number in (1, 2, 2, 1, 3):
        assert heard("event", event(number)) == ""
    assert heard.events == [("r0", n, "fan", "fan 2 stands still") for n in (1, 2, 3)]
    assert heard.hearing.owed == {0} and heard.fleet.event_kept[0] == 3
    heard.hearing.owed.clear()
    heard("event", event(2))
    assert heard.hearing.owed == {0}, "it says so again because it was not echoed"


def test_links_go_down_and_up(heard):
    joined(heard)
    assert heard("link", b"down", now_s=5.0) == ""
    heard("link", b"down", now_s=8.0)
    assert heard.fleet.down_s[0] == 5.0
    heard("link", b"up")
    assert np.isinf(heard.fleet.down_s[0])
    heard("link", b"down", now_s=9.0)
    heard("state", state("running"), now_s=10.0)
    assert np.isinf(heard.fleet.down_s[0]), "whoever speaks is there"
    assert heard("link", b"up", rig="stranger") == "" and len(heard.fleet) == 1


def broken(payload, **changes):
    """A good message with members changed, or taken away where None."""
    values = json.loads(payload) | changes
    return json.dumps({k: v for k, v in values.items() if v is not None}).encode()


BAD = [
    ("hello", b"", "hello"),
    ("hello", b"[]", "object"),
    ("hello", b"\xff\xfe{", "hello"),
    ("hello", broken(hello(NEXT), nonce="short"), "nonce"),
    ("hello", broken(hello(NEXT), nonce=None), "nonce"),
    ("hello", broken(hello(NEXT), v=2), "version 2"),
    ("hello", broken(hello(NEXT), points=[]), "points"),
    ("hello", broken(hello(NEXT), points=[[1020]]), "points[0]"),
    ("hello", broken(hello(NEXT), points=[[1020, 5], [1020, 9]]), "points[1]"),
    ("hello", broken(hello(NEXT), points=[[1020, 5], [1500, 4]]), "points[1]"),
    ("hello", broken(hello(NEXT), points=[[20, 5]]), "points[0]"),
    ("hello", broken(hello(NEXT), points=[[1020, 5.5]]), "points[0]"),
    ("hello", broken(hello(NEXT), points=[[True, 5]]), "points[0]"),
    ("hello", broken(hello(NEXT), points=[[100_001, 5]]), "points[0]"),
    ("hello", broken(hello(NEXT), points=[[100, 1 << 32]]), "points[0]"),
    ("hello", broken(hello(NEXT), up_w_per_s=0), "up_w_per_s"),
    ("state", b"{}", "missing"),
    ("state", broken(state(), state="happy"), "happy"),
    ("state", broken(state(), power_w=100_001), "power_w"),
    ("state", broken(state(), level=-1), "level"),
    ("state", broken(state(), level="3"), "level"),
    ("state", broken(state(), level=1.5), "level"),
    ("state", broken(state(), v=9), "version 9"),
    ("event", broken(event(9), event=0), "event"),
    ("event", broken(event(9), text="x" * 201), "text"),
    ("link", b"sideways", "up or down"),
    ("link", b"", "up or down"),
]


@pytest.mark.parametrize(("kind", "payload", "word"), BAD)
def test_a_bad_message_is_refused_with_a_reason_and_changes_nothing(heard, kind, payload, word):
    joined(heard)
    before = snapshot(heard)
    because = heard(kind, payload, now_s=50.0)
    assert because.startswith(f"r0/{kind}: ") and word in because
    assert snapshot(heard) == before
    assert sum(heard.hearing.refused.values()) == 1


def test_before_its_hello_a_rig_is_not_heard(heard):
    for kind, payload in (("state", state()), ("event", event())):
        assert "no hello of this rig yet" in heard(kind, payload)
    assert len(heard.fleet) == 0


def test_a_flood_of_made_up_names_ends(heard, monkeypatch):
    monkeypatch.setattr("supervisor.hearing.RIGS_MAX", 2)
    said = [heard("hello", hello(), rig=f"r{n}") for n in range(3)]
    assert said[:2] == ["", ""] and "more than 2 rigs" in said[2]
    assert heard("hello", hello(NEXT), rig="r0") == "", "those known may still renew"
    assert len(heard.fleet) == 2


def test_reasons_are_not_kept_without_end(heard):
    heard("hello", hello())
    for number in range(1500):
        heard("state", broken(state(), state=f"s{number}"))
    assert len(heard.hearing.refused) <= 1001


@pytest.mark.parametrize("kind", ["hello", "state", "event"])
def test_every_number_has_the_range_of_its_table(heard, kind):
    good = json.loads({"hello": hello(), "state": state(), "event": event()}[kind])
    joined(heard)
    numbers = {n: f for n, f in messages.TABLES[kind].items() if f.kind == messages.INT}
    for name, field in numbers.items():
        if name != "v":
            for value in (field.low - 1, field.low, field.high, field.high + 1):
                told = heard(kind, json.dumps(good | {name: value}).encode())
                assert (told == "") == (field.low <= value <= field.high), (name, value, told)


@given(st.sampled_from(("hello", "state", "event", "link")), st.binary(max_size=60))
def test_any_bytes_are_refused(kind, payload):
    heard = joined(Heard())
    before = snapshot(heard)
    if payload not in (b"up", b"down"):
        assert heard(kind, payload)
        assert snapshot(heard) == before


def test_columns_never_hold_a_state_that_is_none(heard):
    heard("hello", hello())
    for number, word in enumerate(messages.STATES):
        heard("state", state(word))
        assert heard.fleet.state[0] == number
    assert JOINING == 0
