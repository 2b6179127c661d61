"""Rigs held back by people: obeyed by real firmware decisions, counted safely, ended by time."""

import asyncio

import msgspec
import numpy as np
import pytest
from test_people import Seen

from supervisor.people import People
from supervisor.view import HoldOrder
from tests.scenarios.world import UNIX_S


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    made.world.ask(12_000)
    made.tick(20)
    yield made
    made.world.site.ledger.close()


def order(*rigs, **more):
    return HoldOrder(rigs=list(rigs), by="ann", **({"for_s": 600.0} | more))


def level(seen, rig):
    return seen.world.rigs[rig].dispatch.admitted.level


def cap(seen, rig):
    return int(seen.world.site.fleet.cap_level[seen.world.site.fleet.row_of[rig]])


def test_a_rig_sleeps_and_is_let_go(seen):
    assert level(seen, "r0") == 3
    assert seen.people.holding.hold(order("r0", level=0, why="a smell")).rigs == {"r0": "held"}
    seen.tick(2)
    assert level(seen, "r0") == 0 and level(seen, "r1") == 3
    view = seen.rig("r0")
    assert (view.held, view.admitted_w) == ("level 0 at most, by ann (a smell)", 10)
    assert "held: level 0 at most, by ann (a smell)" in seen.people.why("r0").lines
    assert seen.people.holding.release(["r0", "r1", "x"], "bob").rigs == {
        "r0": "released", "r1": "is not held", "x": "no rig is called so",
    }  # fmt: skip
    seen.tick(11)
    assert level(seen, "r0") == 0  # one lease, in which it counts again
    seen.tick(5)
    assert level(seen, "r0") == 3 and seen.rig("r0").held == ""


@pytest.mark.parametrize(
    "wish, expected",
    [({"level": 2}, 2), ({"watts": 2_500}, 2), ({"watts": 999}, 0), ({"level": 99}, 3),
     ({"watts": 3_000}, 3)],
)  # fmt: skip
def test_a_rig_runs_no_higher(seen, wish, expected):
    seen.people.holding.hold(order("r0", **wish))
    seen.tick(3)
    assert level(seen, "r0") == expected


def test_a_hold_ends_by_itself(seen):
    seen.people.holding.hold(order("r0", level=1, for_s=5.0))
    seen.tick(4)
    assert level(seen, "r0") == 1 and len(seen.people.holding.views()) == 1
    seen.tick(20)
    assert level(seen, "r0") == 3 and seen.people.holding.views() == []


def test_it_counts_in_full_until_the_rig_has_echoed_it(seen):
    seen.people.holding.hold(order("r0", level=0))
    seen.world.tick(lost=frozenset({"r0"}))
    seen.world.tick(lost=frozenset({"r0"}))
    assert level(seen, "r0") == 3 and cap(seen, "r0") == 3
    seen.tick(5)  # it is sent again
    assert level(seen, "r0") == 0 and cap(seen, "r0") == 0
    seen.people.holding.release(["r0"], "ann")
    assert cap(seen, "r0") == 3  # before it can hear of it


def test_what_is_given_up_goes_to_others_and_never_above_the_budget(seen):
    seen.world.ask(6_000)
    seen.tick(20)
    seen.people.holding.hold(order("r0", "r1", level=0))
    seen.tick(20)  # world.check looks after every message
    drawn = {rig: level(seen, rig) for rig in seen.world.rigs}
    assert drawn["r0"] == drawn["r1"] == 0 and seen.world.admitted_w > 5_000
    seen.people.holding.release(["r0", "r1"], "ann")
    seen.tick(20)
    assert seen.world.admitted_w > 5_000


def test_maintenance_leaves_the_dispatch_and_comes_back(seen):
    seen.people.holding.hold(order("r0", maintenance=True, for_s=60.0))
    seen.tick(3)
    site, row = seen.world.site, seen.world.site.fleet.row_of["r0"]
    assert level(seen, "r0") == 0 and site.fleet.out_until_s[row] > seen.world.now_s
    assert seen.rig("r0").held == "maintenance, by ann"
    seen.world.reboot("r0")  # as maintenance goes
    seen.tick(20)
    assert level(seen, "r0") == 0
    seen.tick(80)
    assert level(seen, "r0") == 3 and seen.rig("r0").held == ""


def test_it_outlives_a_supervisor(seen):
    seen.people.holding.hold(order("r0", level=1, for_s=60.0))
    seen.people.holding.hold(order("r1", level=1))
    seen.tick(3)
    seen.people.holding.release(["r1"], "ann")
    seen.tick(1)
    seen.world.kill()
    seen.people = People(seen.world.site)
    assert [(v.rig, v.level, v.by) for v in seen.people.holding.views()] == [("r0", 1, "ann")]
    seen.tick(20)
    assert level(seen, "r0") == 1 and level(seen, "r1") == 3
    seen.tick(60)
    assert level(seen, "r0") == 3


def test_a_rig_that_reboots_is_still_held(seen):
    seen.people.holding.hold(order("r0", level=1))
    seen.tick(3)
    seen.world.reboot("r0")
    seen.tick(20)
    assert level(seen, "r0") == 1


def test_a_held_rig_is_no_alarm_for_holding_itself_back(seen):
    seen.people.holding.hold(order("r0", level=1, for_s=3000.0))
    seen.tick(5)
    row = seen.world.site.fleet.row_of["r0"]
    assert cap(seen, "r0") == 1
    assert np.isnan(seen.people.alarms.state.watches["rig-capped"].since_s[row])


def test_who_held_it_then_is_told(seen, monkeypatch):
    site = seen.world.site
    site.ledger._clock = lambda: UNIX_S + seen.world.now_s
    seen.people.holding.hold(order("r0", level=0, why="a smell"))
    seen.tick(70)
    lines = asyncio.run(seen.people.past.why("r0", UNIX_S + seen.world.now_s)).lines
    assert "held: level 0 at most, by ann (a smell)" in lines


# ---- previews


def test_what_a_hold_would_do(seen):
    found = seen.people.preview_hold(order("r0", "r1", "nobody", level=0))
    assert (found.sleep, found.lower) == (2, 0)
    assert found.now_w - found.then_w == sum(seen.rig(r).admitted_w - 10 for r in ("r0", "r1"))
    found = seen.people.preview_hold(order("r0", level=1))
    assert (found.sleep, found.lower) == (0, 1)
    seen.tick(2)
    assert level(seen, "r0") == 3


@pytest.mark.parametrize("then_w", [0, 3_000, 6_000, 9_000, 12_000])
def test_a_limit_does_what_its_preview_said(seen, then_w, monkeypatch):
    seen.world.ask(8_000)
    seen.tick(30)
    before = {rig: level(seen, rig) for rig in seen.world.rigs}
    decided = seen.world.site.decision
    found = seen.people.preview_signal(then_w)
    assert seen.world.site.decision is decided and decided.admit_w == (
        seen.world.site.dispatcher.admit_w
    )
    assert found.envelope_w == min(then_w, 8_000) and found.holds == (then_w < 8_000)
    monkeypatch.setattr("time.time", lambda: UNIX_S + seen.world.now_s)
    from supervisor.view import SignalOrder

    seen.people.order_signal(SignalOrder(mw=then_w / 1e6, for_s=600))
    seen.tick(3)
    after = {rig: level(seen, rig) for rig in seen.world.rigs}
    slept = sum(1 for rig in before if before[rig] and not after[rig])
    assert abs(found.sleep - slept) <= 1
    assert seen.world.site.decision.expected_w == pytest.approx(found.then_w, abs=150)


def test_a_preview_says_so_on_the_wire():
    from supervisor.view import PreviewView

    told = PreviewView(
        envelope_w=1, holds=True, now_w=1, then_w=1, sleep=1, wake=1, lower=1, raise_=7, up_s=0.0
    )
    assert msgspec.json.decode(msgspec.json.encode(told))["raise"] == 7


def test_why_tells_the_level_that_people_let_it_have(seen):
    seen.people.holding.hold(order("r0", level=1))
    seen.tick(3)
    lines = seen.people.why("r0").lines
    assert "admitted: level 1" in lines and lines.index("admitted: level 1") == 5
    assert lines[3].startswith("ladder: level") and lines[4].startswith("held: level 1 at most")
