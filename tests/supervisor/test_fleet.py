"""The rigs' columns: who counts, who is surely off, what they can."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from protocols.ladder import STEPS_MAX
from supervisor.fleet import LEVELS, Facts, Fleet
from tests.supervisor.small import OTHER, PLAIN, fleet_of


def test_a_rig_is_put_once_and_renewed_in_its_row():
    fleet = Fleet()
    assert fleet.put("r0", PLAIN, "first") == 0
    assert fleet.put("r1", OTHER) == 1
    assert fleet.put("r0", OTHER, "second") == 0
    assert len(fleet) == 2 and fleet.nonces == ["second", ""]
    assert fleet.models == ["plain", "other"] and fleet.group.tolist() == [1, 1]
    assert fleet.top_level.tolist() == [2, 2]


def test_points_repeat_the_top_beyond_it():
    fleet = fleet_of(1)
    assert fleet.points.watts[0, :5].tolist() == [20, 1020, 2020, 2520, 2520]
    assert fleet.points.ghs[0, :5].tolist() == [0, 50_000, 90_000, 105_000, 105_000]
    assert fleet.points.watts.shape == (1, LEVELS + 1)


def test_a_rig_of_many_levels_makes_room_and_changes_nobody():
    fleet = fleet_of(1)
    many = tuple((100 * n, 10 * n) for n in range(1, STEPS_MAX + 1))
    fleet.put("wide", Facts("wide", 20, many, 1.0, 1.0))
    assert fleet.points.watts.shape == (2, STEPS_MAX + 1)
    assert fleet.points.watts[0, -1] == 2520 and fleet.points.watts[1, -1] == 3200
    fleet.put("r0", PLAIN)
    assert fleet.points.watts[0].tolist() == [20, 1020, 2020] + [2520] * (STEPS_MAX - 2)


def test_who_has_never_been_heard_is_silent_and_not_counted():
    fleet = fleet_of(1, counted=False)
    assert not fleet.counted[0]
    assert fleet.silent(0.0, 30.0).tolist() == [True]
    assert np.isinf(fleet.down_s[0]) and np.isinf(fleet.admitted_s[0])


def test_counting_is_noted_so_that_curves_are_made_anew():
    fleet = fleet_of(2, counted=False)
    before = fleet.version
    fleet.count(np.array([1]), 7.0)
    assert fleet.counted.tolist() == [False, True] and fleet.joined_s[1] == 7.0
    assert fleet.version > before
    fleet.admitted_s[1], before = 5.0, fleet.version
    fleet.uncount(np.array([1]))
    assert not fleet.counted.any() and np.isinf(fleet.admitted_s[1])
    assert fleet.version > before


def test_silent_is_not_off():
    fleet = fleet_of(2)
    fleet.heard_s[:] = 0.0
    assert fleet.silent(1000.0, 30.0).all()
    assert len(fleet.surely_off(1000.0, 12.0)) == 0


def test_cut_off_longer_than_any_lease_is_off():
    fleet = fleet_of(3)
    fleet.heard_s[:], fleet.down_s[:] = 90.0, [100.0, np.inf, 100.0]
    fleet.counted[2] = False
    assert fleet.surely_off(112.0, 12.0).tolist() == []
    assert fleet.surely_off(112.1, 12.0).tolist() == [0]
    fleet.heard_s[0] = 105.0  # something came after its connection broke
    assert fleet.surely_off(112.1, 12.0).tolist() == []


def test_what_the_site_can():
    fleet = fleet_of(2, others=1)
    assert fleet.able_w() == (60, 60 + 2 * 2500 + 2200)
    fleet.cap_level[0] = 1
    fleet.uncount(np.array([2]))
    assert fleet.able_w() == (60, 60 + 1000 + 2500)
    fleet.cap_level[1] = 30
    assert fleet.able_w() == (60, 60 + 1000 + 2500), "no rig holds more than its top"
    assert Fleet().able_w() == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20)), min_size=1, max_size=12))
def test_whatever_is_put_is_what_is_found(puts):
    fleet, last = Fleet(), {}
    for name, levels in puts:
        points = tuple((50 * n, 7 * n) for n in range(1, levels + 1))
        last[name] = Facts(f"model {levels}", 10, points, 1.0, 2.0)
        assert fleet.put(name, last[name]) == fleet.row_of[name]
    for name, facts in last.items():
        row, levels = fleet.row_of[name], len(facts.points)
        assert fleet.names[row] == name
        assert fleet.models[fleet.group[row]] == facts.model
        assert fleet.points.watts[row, 1 : levels + 1].tolist() == [w for w, _ in facts.points]
        assert (fleet.points.watts[row, levels:] == facts.points[-1][0]).all()
        assert fleet.cap_level[row] == fleet.top_level[row] == levels


def test_columns_keep_what_they_hold_while_the_fleet_grows():
    fleet = Fleet()
    for number in range(70):
        row = fleet.put(f"r{number}", PLAIN if number % 2 else OTHER, f"n{number}")
        assert np.isinf(fleet.down_s[row]) and fleet.heard_s[row] < -1e17
        fleet.power_w[row], fleet.counted[row] = number, True
    assert fleet.power_w.tolist() == [*range(70)] and fleet.counted.all()
    assert fleet.points.watts[:, 1].tolist() == [1120, 1020] * 35
    assert len(fleet.heard_s) == len(fleet.state) == 70
