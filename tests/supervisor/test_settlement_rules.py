"""Baselines and rules, on vectors worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settlement import rules
from supervisor.settlement.baselines import (
    BaselineError,
    incremental_mwh,
    pre_event_w,
    ten_in_ten_w,
)
from supervisor.settlement.series import Series, by_second, mwh

MW = 1e6
T = 1_700_000_000


def series(metered, asked=None, limit=None) -> Series:
    metered = np.array(metered, dtype=float)
    asked = metered if asked is None else np.array(asked, dtype=float)
    return Series(T, asked, asked if limit is None else np.array(limit, dtype=float), metered)


def stretch(*parts: tuple[int, float]) -> np.ndarray:
    """(seconds, MW) parts, one after the other."""
    return np.concatenate([np.full(seconds, mw * MW) for seconds, mw in parts])


def test_a_value_stands_until_the_next_and_not_for_ever():
    found = by_second([(T + 0.5, 10), (T + 2.2, None), (T + 3.9, 30)], T, T + 12, hold_s=3)
    assert found[:3].tolist() == [10, 10, 10] and found[3:7].tolist() == [30, 30, 30, 30]
    assert np.isnan(found[8:]).all()
    assert np.isnan(by_second([(T + 5, 7.0)], T, T + 4, 3)).all(), "nothing is known before it"


def test_energy():
    assert mwh(stretch((3600, 2.0))) == pytest.approx(2.0)
    assert mwh(np.array([np.nan, 3.6e9])) == 1.0


# ---- baselines


def test_before_the_event_15_minutes_count():
    drawn = series(stretch((300, 50), (900, 40), (600, 5)))
    assert pre_event_w(drawn, T + 1200) == 40 * MW
    assert pre_event_w(drawn, T + 1200, window_s=1200) == pytest.approx(42.5 * MW)
    with pytest.raises(BaselineError, match="900 s before"):
        pre_event_w(series([np.nan] * 1000), T + 950)


@pytest.mark.parametrize(
    "today, factor",
    [((11, 11), 1.1), ((30, 30), 1.2), ((1, 1), 0.8), ((10, 10), 1.0), ((np.nan, np.nan), 1.0)],
)
def test_ten_in_ten_fits_the_day_by_a_fifth_at_most(today, factor):
    days = [[10.0, 10.0, 20.0, 30.0]] * 9 + [[10.0, 10.0, 30.0, 30.0]]
    found = ten_in_ten_w(days, slice(0, 2), [*today, 99, 99])
    assert found == pytest.approx([10 * factor, 10 * factor, 21 * factor, 30 * factor])


def test_ten_in_ten_takes_the_newest_ten_and_needs_them():
    days = [[1000.0]] * 5 + [[10.0]] * 10
    assert ten_in_ten_w(days, slice(0, 1), [10.0]) == [10.0]
    with pytest.raises(BaselineError, match="9 like days"):
        ten_in_ten_w([[1.0]] * 9, slice(0, 1), [1.0])


def test_incremental_energy_counts_what_is_above_only():
    assert incremental_mwh([10, 3, 7], [4, 5, 7]) == 6
    with pytest.raises(BaselineError, match="2 periods metered, 1 agreed"):
        incremental_mwh([1, 2], [1])


# ---- rules


def outcomes(found):
    return {one.rule: (one.measured, one.outcome) for one in found}


def test_tracking_by_windows_of_five_minutes():
    asked = stretch((600, 100))
    good = rules.tracking(series(asked - 2 * MW, asked), 100e6)
    assert {one.outcome for one in good} == {rules.KEPT}
    half = asked - np.concatenate([np.zeros(300), np.full(300, 4 * MW)])
    found = outcomes(rules.tracking(series(half, asked), 100e6))
    assert found["tracking"] == (50, rules.BROKEN)
    assert found["tracking error, mean"] == (2, rules.KEPT)
    assert found["tracking error, worst"] == (4, rules.BROKEN)


def test_the_band_of_a_small_site_is_not_3_mw():
    asked = stretch((300, 1.0))
    assert rules.tracking(series(asked * 0.9, asked), 1e6)[0].outcome == rules.BROKEN
    assert rules.tracking(series(asked * 0.98, asked), 1e6)[0].outcome == rules.KEPT


def test_what_is_not_on_record_is_not_passed():
    assert rules.tracking(series([np.nan] * 600, [1.0] * 600), 1e6)[0].outcome == rules.UNKNOWN
    assert rules.overshoot(series([np.nan] * 9, [1.0] * 9), 1e6).outcome == rules.UNKNOWN


def test_a_fall_is_found_with_its_end():
    limit = stretch((600, 100), (300, 40), (300, 100))
    (fall,) = rules.falls(series(limit, limit))
    assert (fall.at_s, fall.until_s) == (T + 600, T + 900)
    assert (fall.from_w, fall.to_w) == (100 * MW, 40 * MW)


def test_steps_within_a_minute_are_one_instruction():
    limit = stretch((100, 100), (10, 80), (10, 60), (200, 40))
    (fall,) = rules.falls(series(limit, limit))
    assert (fall.at_s, fall.until_s, fall.to_w) == (T + 100, T + 320, 40 * MW)


def test_a_limit_far_above_what_can_be_drawn_instructs_nothing():
    asked = stretch((200, 100))
    limit = stretch((100, 900), (100, 500))
    assert rules.falls(series(asked, asked, limit)) == []


@pytest.mark.parametrize(
    "during, took, held",
    [
        (stretch((4, 100), (296, 40)), (4, rules.KEPT), (100, rules.KEPT)),
        (stretch((4, 100), (100, 40), (196, 50)), (4, rules.KEPT), (83.333, rules.BROKEN)),
        (stretch((4, 100), (296, 5)), (4, rules.KEPT), (158.333, rules.BROKEN)),
        (stretch((300, 44)), (None, rules.BROKEN), None),
        (np.full(300, np.nan), (None, rules.UNKNOWN), None),
    ],
)
def test_a_fall_is_delivered_in_time_and_held(during, took, held):
    limit = stretch((900, 100), (300, 40))
    drawn = series(np.concatenate([stretch((900, 100)), during]), limit)
    found = outcomes(rules.delivery(drawn, rules.falls(drawn)[0]))
    assert found["95 % of a fall"] == took
    assert found.get("held until recalled") == held


def test_who_drew_less_already_had_nothing_to_deliver():
    limit = stretch((900, 100), (300, 40))
    drawn = series(stretch((1200, 30)), limit)
    assert rules.delivery(drawn, rules.falls(drawn)[0]) == []


def test_above_what_was_asked_outside_five_seconds_after_a_fall():
    asked = stretch((100, 100), (100, 40))
    drawn = np.concatenate([stretch((100, 100), (5, 100), (3, 60)), stretch((92, 40))])
    assert rules.overshoot(series(drawn, asked), 100e6).measured == 3
    assert rules.overshoot(series(asked + 0.5 * MW, asked), 100e6).outcome == rules.KEPT


@given(st.lists(st.floats(0, 1e9) | st.just(float("nan")), min_size=1, max_size=400))
def test_whatever_was_metered_there_is_a_verdict(metered):
    asked = np.resize([5e8, 5e8, 1e8], len(metered)).astype(float)
    found = series(metered, asked)
    verdicts = [*rules.tracking(found, 1e9), rules.overshoot(found, 1e9)]
    for fall in rules.falls(found):
        verdicts += rules.delivery(found, fall)
    assert {one.outcome for one in verdicts} <= {rules.KEPT, rules.BROKEN, rules.UNKNOWN}
