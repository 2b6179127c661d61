"""Starts, turns and failed wakes, as the columns tell them afterwards."""

import numpy as np
import pytest

from supervisor.fleet import ASLEEP, FAULT, RUNNING
from supervisor.policy import DAY_S
from supervisor.wear import FADE_S, GRACE_S, Wear
from tests.supervisor.small import PLAIN, fleet_of

LATE_S = PLAIN.wake_s + GRACE_S + 1


def woken(*rows):
    """A fleet of three in which these have been admitted at 10 s."""
    fleet = fleet_of(3)
    wear, rows = Wear(fleet), np.array(rows)
    wear.elapse(10.0)
    fleet.admitted_s[rows] = 10.0
    wear.woke(rows, 10.0)
    return fleet, wear


def test_a_start_is_counted_and_fades_within_days():
    fleet, wear = woken(1)
    assert fleet.starts.tolist() == [0, 1, 0] and fleet.changed_s[1] == 10.0
    wear.elapse(10.0 + DAY_S)
    assert fleet.starts[1] == pytest.approx(np.exp(-1))


def test_shares_follow_who_runs():
    fleet, wear = woken(1)
    wear.elapse(10.0 + DAY_S)
    assert fleet.on_share[1] == pytest.approx(1 - 0.5 * np.exp(-1))
    assert fleet.on_share[0] == pytest.approx(0.5 * np.exp(-1))


@pytest.mark.parametrize(
    "state, heard_s, failed",
    [(RUNNING, 20.0, 0), (ASLEEP, 20.0, 1), (FAULT, 20.0, 1), (ASLEEP, 5.0, 0)],
)
def test_a_wake_is_judged_when_its_time_is_over(state, heard_s, failed):
    """By what the rig itself has said since; a rig not heard is not blamed."""
    fleet, wear = woken(0)
    fleet.state[0], fleet.heard_s[0] = state, heard_s
    if state != FAULT:
        wear.elapse(10.0 + LATE_S - 2)
        assert fleet.tried[0] == 0
    wear.elapse(10.0 + LATE_S)
    assert (fleet.tried[0], fleet.failed[0]) == (1, failed)
    wear.elapse(20.0 + LATE_S)
    assert fleet.tried[0] == pytest.approx(1, abs=1e-3), "once"


def test_a_rig_that_left_the_count_while_it_woke_has_failed_at_once():
    fleet, wear = woken(0, 1)
    fleet.uncount(np.array([0]))
    wear.elapse(12.0)
    assert fleet.tried.tolist() == [1, 0, 0] and fleet.failed.tolist() == [1, 0, 0]


def test_one_sent_back_to_sleep_was_not_tried():
    fleet, wear = woken(0)
    fleet.admitted_s[0] = np.inf
    wear.slept(np.array([0]), 13.0)
    wear.elapse(10.0 + LATE_S)
    assert fleet.tried[0] == 0 and fleet.changed_s[0] == 13.0


def test_what_failed_is_forgiven_with_time():
    fleet, wear = woken(0)
    fleet.uncount(np.array([0]))
    wear.elapse(12.0)
    wear.elapse(12.0 + 3 * FADE_S)
    assert fleet.failed[0] == fleet.tried[0] == pytest.approx(np.exp(-3))


def test_a_clock_that_stands_or_runs_back_changes_nothing():
    fleet, wear = woken(0)
    wear.elapse(10.5)
    wear.elapse(3.0)
    assert fleet.starts[0] == 1


def test_the_policy_is_told_how_long_ago():
    fleet, wear = woken(2)
    told = wear.wish(70.0)
    assert told.awake.tolist() == [False, False, True]
    assert told.changed_s[2] == 60.0 and told.changed_s[0] > 1e15
    assert told.priority is fleet.priority
