"""Several meters: stale, frozen, turned round, wrong by a factor; each found, none invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.balance import (
    CONFIRM,
    FLIPPED,
    FROZEN,
    OFF,
    OK,
    SCALED,
    STALE,
    Balance,
    Expected,
    expected,
    judge,
    reported_w,
)
from supervisor.inbox import Reading
from supervisor.tree import grown

CAPACITY_W = 10_000
REPORTED = {"east": 3_000.0, "west": 2_000.0, "site": 5_000.0}
TRUE = {"east": 3_100, "west": 2_050, "auxiliary": 500, "site": 5_650}


def readings(at_s, **changes):
    return {n: Reading(n, w, at_s) for n, w in (TRUE | changes).items() if w is not None}


def watch(beats=CONFIRM, balance=None, start_s=0.0, reported=REPORTED, **changes):
    """So many beats with the same fault; the balance after them."""
    balance = balance or Balance(5.0, CAPACITY_W)
    for beat in range(beats):
        at_s = start_s + beat
        # a real meter's last digits move
        seen = readings(at_s, **changes)
        seen = {n: Reading(n, r.w + beat % 2, at_s) for n, r in seen.items()}
        balance.look(seen, reported, 480.0, at_s)
    balance.seen = seen
    return balance


def faults(balance):
    return {name: verdict.fault for name, verdict in balance.verdicts.items()}


def test_good_meters_are_left_in_peace():
    assert set(faults(watch(20)).values()) == {OK}
    assert watch().site_w(readings(2.0)) == Reading("site", 5_650, 2.0)


@pytest.mark.parametrize(
    "w, fault, factor",
    [
        (-5_650, FLIPPED, -1.0),
        (565, SCALED, 0.1),
        (56_500, SCALED, 10.0),
        (5_650_000, SCALED, 1000.0),
        (1_883, SCALED, 1 / 3),
        (2_825, SCALED, 0.5),
        (8_000, OFF, 1.416),
        (0, OFF, 0.0),
    ],
)
def test_what_is_wrong_with_the_sites_meter(w, fault, factor):
    verdict = watch(site=w).verdicts["site"]
    assert verdict.fault == fault
    if fault in (FLIPPED, SCALED):
        assert verdict.factor == pytest.approx(factor)
    assert str(w + 0) in str(verdict) or str(w + 1) in str(verdict)


def test_a_few_percent_show_where_feeders_are_metered_and_only_there():
    assert faults(watch(site=6_100))["site"] == OFF
    alone = watch(site=6_100, east=None, west=None)
    assert faults(alone)["site"] == OK, "rigs are not that exact"


def test_a_feeders_meter_is_held_against_its_own_rigs():
    found = faults(watch(west=-2_050))
    assert found["west"] == FLIPPED and found["east"] == OK
    assert found["site"] == OK, "it is not blamed for another's fault"


def test_it_must_show_several_times_and_is_over_at_once():
    assert faults(watch(CONFIRM - 1, site=-5_650))["site"] == OK
    balance = watch(CONFIRM, site=-5_650)
    assert faults(balance)["site"] == FLIPPED
    assert faults(watch(1, balance, 10.0))["site"] == OK


def test_a_reading_looked_at_twice_counts_once():
    balance = Balance(5.0, CAPACITY_W)
    for _ in range(10):
        balance.look(readings(1.0, site=-5_650), REPORTED, 480.0, 1.5)
    assert faults(balance)["site"] == OK


def test_an_old_reading_is_stale():
    balance = watch()
    balance.look(readings(0.0) | {"site": Reading("site", 5_650, 7.0)}, REPORTED, 480.0, 7.0)
    assert faults(balance) == dict.fromkeys(("east", "west", "auxiliary"), STALE) | {"site": OK}


def test_one_that_stands_still_while_rigs_move_is_frozen():
    balance = Balance(5.0, CAPACITY_W)
    for beat in range(40):
        rise_w = 20.0 * beat
        reported = {name: w + rise_w / (1 if name == "site" else 2) for name, w in REPORTED.items()}
        seen = readings(beat, east=int(3_100 + rise_w / 2), west=2_050, site=int(5_650 + rise_w))
        balance.look(seen, reported, 480.0, float(beat))
        if beat == 10:
            assert faults(balance)["west"] == OK
    assert faults(balance)["west"] == FROZEN and faults(balance)["east"] == OK


def test_one_that_stands_still_with_everything_is_not():
    balance = Balance(5.0, CAPACITY_W)
    for beat in range(60):
        balance.look(readings(float(beat)), REPORTED, 480.0, float(beat))
    assert set(faults(balance).values()) == {OK}


def test_without_a_good_site_meter_the_others_are_added_up_or_nothing():
    balance = watch(site=-5_650)
    assert balance.site_w(balance.seen).w in (5_650, 5_653)
    assert watch(site=-5_650, auxiliary=None).site_w(readings(2.0, auxiliary=None)) is None
    both = watch(site=-5_650, west=-2_050)
    assert both.site_w(both.seen) is None
    assert Balance(5.0, CAPACITY_W).site_w({}) is None


def test_a_site_at_rest_tells_nothing_apart():
    assert judge(-150, Expected(100.0, 0.35), 200.0) == (OK, 1.0)
    assert judge(30, Expected(0.0, 0.35), 200.0) == (OK, 1.0)


def test_feeders_that_do_not_add_up_are_no_measure_of_the_site():
    seen = readings(0.0, east=31_000)
    assert expected(seen, REPORTED, 480.0)["site"] == Expected(5_500.0, 0.35)


@given(
    st.integers(-(10**7), 10**7),
    st.floats(0, 1e7),
    st.sampled_from((0.05, 0.35)),
    st.floats(1, 1e5),
)
def test_any_number_is_judged(w, should_w, near, least_w):
    fault, _ = judge(w, Expected(should_w, near), least_w)
    assert fault in (OK, FLIPPED, SCALED, OFF)
    if abs(w - should_w) <= near * should_w:
        assert fault == OK


def test_what_rigs_say_below_each_feeder_that_has_a_meter():
    tree = grown({"east": 1.0}, ["east/c1", "west/c1"])
    node = np.array([tree.node("east/c1"), tree.node("west/c1"), tree.node("east"), -1])
    told = reported_w(np.array([100, 20, 3, 4000]), node, tree, ["site", "east", "north"])
    assert told == {"site": 4123.0, "east": 103.0}
    assert reported_w(np.array([100]), node[:1], None, ["east"]) == {"site": 100.0}
