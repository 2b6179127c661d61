"""Baselines and rules, on vectors worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settlement import days, rules
from supervisor.settlement.baselines import (
    BaselineError,
    above_reference_mwh,
    event_w,
    incremental_mwh,
    pre_event_w,
    ten_in_ten_w,
)
from supervisor.settlement.days import Day
from supervisor.settlement.series import Series, by_second, mwh
from supervisor.settlement.terms import Terms, TermsError, checked, reference_of

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


SUNDAY = 1_797_724_800  # 2026-12-20T00:00Z
HOUR, DAY = 3600, 86_400


def day(at_s, *hours_w, instructed=False, offset_h=0.0):
    """Its hours, the last one going on to midnight."""
    hours = (*hours_w, *[hours_w[-1]] * (24 - len(hours_w)))
    weekend = days.is_weekend(at_s, Terms(utc_offset_h=offset_h))
    return Day(at_s, weekend, tuple(float(w) for w in hours), instructed)


def test_weekends_by_the_clock_of_the_terms():
    week = [days.is_weekend(SUNDAY + n * DAY, Terms()) for n in range(8)]
    assert week == [True, False, False, False, False, False, True, True]
    monday_in_karachi = SUNDAY + 19 * HOUR
    terms = Terms(utc_offset_h=5)
    assert terms.day_s(monday_in_karachi) == monday_in_karachi
    assert not days.is_weekend(monday_in_karachi, terms) and terms.hour(monday_in_karachi) == 0


def test_ten_like_days_are_looked_for_as_far_as_they_are_needed():
    """Working days without an instruction and without a gap, 45 days back at most."""
    bad = {
        SUNDAY - 2 * DAY: day(SUNDAY - 2 * DAY, 5.0, instructed=True),
        SUNDAY - 3 * DAY: day(SUNDAY - 3 * DAY, 5.0, float("nan"), 5.0),
    }
    asked = []

    def read(at_s):
        asked.append(at_s)
        return bad.get(at_s) or day(at_s, 5.0)

    event_s = SUNDAY + DAY + 10 * HOUR
    found = days.gathered(read, event_s, event_s + HOUR, Terms(baseline="10-in-10"))
    like = [one.start_s for one in found if days.fits(one, weekend=False)]
    assert len([at_s for at_s in like if at_s < SUNDAY]) == 10
    assert [one.start_s for one in found] == sorted(one.start_s for one in found)
    assert min(asked) == SUNDAY - 17 * DAY, "the third of December"
    nobody = days.gathered(lambda at_s: None, event_s, event_s + HOUR, Terms())
    assert nobody == []


def test_ten_in_ten_of_an_event_hour_by_hour():
    """Ten days of 100, 40 from ten o'clock on; today's four hours before are a tenth higher."""
    before = [day(SUNDAY + DAY - n * DAY, *[100 * MW] * 10, 40 * MW) for n in range(1, 20)]
    today = day(SUNDAY + DAY, *[110 * MW] * 9, 300 * MW, 7 * MW, instructed=True)
    terms = Terms(baseline="10-in-10")
    at_s = SUNDAY + DAY + 9 * HOUR + 1800
    fall = rules.Fall(at_s, at_s + HOUR, 110 * MW, 7 * MW)
    found = event_w(series([0.0]), fall, [*before, today], terms)
    assert found[0] == pytest.approx(110 * MW) and found[1799] == pytest.approx(110 * MW)
    assert found[1800] == found[-1] == pytest.approx(44 * MW), "the next hour's own"
    with pytest.raises(BaselineError, match="9 like days"):
        event_w(series([0.0]), fall, [*before[:13], today], terms)


def test_an_early_event_has_no_morning_to_be_fitted_to():
    before = [day(SUNDAY + DAY - n * DAY, 100 * MW) for n in range(1, 20)]
    today = day(SUNDAY + DAY, 500 * MW, 7 * MW)
    fall = rules.Fall(SUNDAY + DAY + HOUR, SUNDAY + DAY + 2 * HOUR, 1.0, 0.0)
    found = event_w(series([0.0]), fall, [*before, today], Terms(baseline="10-in-10"))
    assert set(found) == {100 * MW}


def test_the_mean_of_a_days_hours_and_gaps():
    whole = np.repeat(np.arange(24.0), HOUR) * MW
    whole[HOUR : HOUR + 1801] = np.nan
    whole[2 * HOUR : 2 * HOUR + 1800] = np.nan
    made = days.day_of(Series(SUNDAY, whole, whole, whole), Terms())
    assert np.isnan(made.hours_w[1]) and not made.whole
    assert made.hours_w[2] == 2 * MW and made.hours_w[23] == 23 * MW and made.weekend
    assert not made.instructed
    limit = stretch((HOUR * 12, 100), (HOUR * 12, 40))
    assert days.day_of(Series(SUNDAY, limit, limit, limit), Terms()).instructed


def test_an_agreed_reference_by_the_hour():
    terms = Terms(baseline="reference", reference_w=tuple(n * MW for n in range(24)))
    at_s = T - T % DAY + 5 * HOUR
    drawn = Series(at_s, *[stretch((HOUR, 7), (HOUR, 5))] * 3)
    assert above_reference_mwh(drawn, terms) == pytest.approx(2.0), "5 MW in the sixth is below"
    fall = rules.Fall(at_s + 1800, at_s + 5400, 7 * MW, 5 * MW)
    found = event_w(drawn, fall, [], terms)
    assert set(found[:1800]) == {5 * MW} and set(found[1800:]) == {6 * MW}
    one = Terms(baseline="reference", reference_w=(6 * MW,))
    assert above_reference_mwh(drawn, one) == pytest.approx(1.0)
    shifted = Terms(baseline="reference", reference_w=terms.reference_w, utc_offset_h=1)
    assert set(event_w(drawn, fall, [], shifted)[:1800]) == {6 * MW}


def test_a_reference_from_a_file():
    rows = "hour,mw\n" + "".join(f"{n},{n / 2}\n" for n in range(24))
    assert reference_of(rows)[:3] == (0, 500_000, 1_000_000)
    for text, why in (
        ("hour,kw\n1,2\n", "hour,mw"),
        ("", "hour,mw"),
        ("hour,mw\n1,x\n", "no hour and megawatts"),
        ("hour,mw\n1,inf\n", "no hour and megawatts"),
        (rows + "23,1\n", "25 rows"),
        ("hour,mw\n0,1\n", "1 rows"),
    ):
        with pytest.raises(TermsError, match=why):
            reference_of(text)


@pytest.mark.parametrize(
    "terms, why",
    [
        ({"baseline": "guess"}, "there are pre-event, 10-in-10, reference"),
        ({"baseline": "reference"}, "0 powers"),
        ({"baseline": "reference", "reference_w": (1, 2)}, "2 powers"),
        ({"baseline": "reference", "reference_w": (-1,)}, "0 or more"),
        ({"rules": ("luck",)}, "there are tracking, overshoot, delivery"),
        ({"window_s": 0}, "window is 0"),
        ({"utc_offset_h": 15.0}, "UTC offset is 15"),
        ({"band_pct": float("nan")}, "band in per cent is nan"),
        ({"within_s": 10**6}, "time for 95 %"),
    ],
)
def test_terms_nobody_can_settle_by(terms, why):
    with pytest.raises(TermsError, match=why):
        checked(Terms(**terms))
    assert checked(Terms()) == Terms()


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


def test_another_band():
    asked = stretch((300, 100))
    drawn = series(asked * 0.95, asked)
    assert rules.tracking(drawn, 100e6)[0].outcome == rules.BROKEN
    wide = rules.tracking(drawn, 100e6, Terms(band_pct=5.0))
    assert {one.outcome for one in wide} == {rules.KEPT} and "within 5 % or 3 MW" in wide[0].wanted
    assert rules.tracking(drawn, 200e6, Terms(band_w=5_000_000))[0].outcome == rules.KEPT
    assert rules.tracking(drawn, 200e6, Terms(band_w=4_900_000))[0].outcome == rules.BROKEN


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


def test_another_time_for_95_per_cent():
    limit = stretch((900, 100), (300, 40))
    drawn = series(stretch((920, 100), (280, 40)), limit)
    fall = rules.falls(drawn)[0]
    assert outcomes(rules.delivery(drawn, fall, Terms(within_s=20)))["95 % of a fall"][1] == (
        rules.KEPT
    )
    late = rules.delivery(drawn, fall, Terms(within_s=19))[0]
    assert (late.measured, late.outcome, late.wanted) == (20, rules.BROKEN, "in 19 s")


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
