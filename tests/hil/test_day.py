"""A day in which everything goes wrong: followed, never above a lease, and back after each."""

import numpy as np
import pytest

from hil.day import Day
from hil.fleet import ASLEEP


@pytest.fixture(scope="module")
def hour():
    """An hour of 500 rigs, as much befalling them as on a whole day."""
    return Day(500, 1.0).play()


def test_everything_did_go_wrong(hour):
    assert hour["broker_restarts"] == hour["supervisors_killed"] == 1
    assert hour["meter_stale_s"] == 2 * 72 and hour["emergencies"] == 3


def test_it_was_followed(hour):
    assert hour["tracking_error_pct"] < 2.0, "twelve windows, and something happens in eight"
    assert hour["overshoot_s"] == 0 and hour["overshoot_w_max"] == 0
    assert hour["falls"] >= 3 and hour["signal_to_95pct_s_p95"] <= 5.0


def test_no_more_was_drawn_than_leases_allowed_and_they_ended_in_time(hour):
    assert hour["drawn_above_committed_s"] == 0
    assert hour["committed_above_limit_s_max"] <= 11.0


def test_a_rig_out_of_reach_runs_out_its_lease_and_joins_again():
    day = Day(60, 1.0)
    day.series = type(day.series)((0.0,), (int(day.site.able_w),), 3600.0)
    for second in range(40):
        day.step(float(second))
    rows, fleet = np.arange(60), day.site.fleet
    rows = rows[fleet.level > 0][:5]
    assert len(rows) == 5, "nobody runs"
    day.bridge.cut(rows, 40.0, np.full(5, 75.0))
    for second in range(40, 49):
        day.step(float(second))
    assert (fleet.level[rows] > 0).all(), "it has its lease"
    for second in range(49, 52):
        day.step(float(second))
    assert (fleet.state[rows] == ASLEEP).all()
    assert day.site.dispatcher.fleet.counted[rows].all(), "silent is not off"
    for second in range(52, 70):
        day.step(float(second))
    assert not day.site.dispatcher.fleet.counted[rows].any()
    for second in range(70, 110):
        day.step(float(second))
    assert (fleet.level[rows] > 0).all(), "they did not come back"


def test_a_judge_sees_what_is_drawn_above_the_lease(monkeypatch):
    """Rigs that nobody can stop are noticed."""
    day = Day(100, 1.0)
    for second in range(700):
        day.step(float(second))
    monkeypatch.setattr(type(day.bridge), "_hearing", lambda self, rows: rows[:0])
    monkeypatch.setattr(day.site.fleet, "drop", lambda rows: None)
    for second in range(700, 800):
        day.step(float(second))
    assert day.site.commitment.report()["drawn_above_committed_s"] > 0


@pytest.mark.soak
def test_a_whole_day_of_a_whole_site():
    told = Day(28_571, 24.0).play()
    print(told)
    assert told["tracking_error_pct"] <= 1.0
    assert told["overshoot_s"] == 0 and told["drawn_above_committed_s"] == 0
    assert told["signal_to_95pct_s_p95"] <= 5.0
    assert told["committed_above_limit_s_max"] <= 11.0
