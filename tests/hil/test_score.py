"""The judge: hand-made traces whose error is known."""

import pytest

from hil.score import BEYOND, Score

FLOOR_W, CAPACITY_W = 0.0, 1_000_000.0
SLACK_W = BEYOND * CAPACITY_W


def scored(samples, window_s=10.0, asked_w=None, step_s=1.0, up_w_per_s=1e9):
    """A report of (limit, metered) samples."""
    score = Score(window_s, asked_w)
    for number, (limit_w, metered_w) in enumerate(samples):
        score.sample(
            number * step_s, step_s, limit_w, FLOOR_W, CAPACITY_W, up_w_per_s, metered_w, 5000.0
        )
    return score.report()


def test_nothing_was_played():
    assert Score(10.0).report() == {}


def test_a_perfect_site():
    report = scored([(500_000, 500_000)] * 3600)
    assert report["energy_mwh"] == 0.5
    assert report["hashrate_ths_mean"] == 5.0
    assert report["tracking_error_pct"] == report["tracking_error_pct_max"] == 0.0
    assert report["overshoot_w_max"] == report["overshoot_s"] == 0
    assert report["falls"] == report["signal_to_95pct_s_p95"] == 0


def test_error_is_the_mean_over_windows_of_the_difference_of_means():
    """Within a window errors cancel; between windows they do not."""
    wobble = [(500_000, 500_000 + w) for w in (-4_000, 4_000)] * 5
    assert scored(wobble)["tracking_error_pct"] == 0.0
    low_then_right = [(500_000, 490_000)] * 10 + [(500_000, 500_000)] * 10
    report = scored(low_then_right)
    assert report["tracking_error_pct"] == 0.5 and report["tracking_error_pct_max"] == 1.0
    assert scored(low_then_right, window_s=20.0)["tracking_error_pct"] == 0.5


def test_above_and_below_weigh_the_same_and_do_not_cancel_across_windows():
    report = scored([(500_000, 490_000)] * 10 + [(500_000, 504_000)] * 10)
    assert report["tracking_error_pct"] == pytest.approx(0.7)


def test_a_part_of_a_window_at_the_end_is_left_out_but_not_alone():
    assert scored([(500_000, 500_000)] * 10 + [(500_000, 0)] * 9)["tracking_error_pct"] == 0.0
    assert scored([(500_000, 480_000)] * 4)["tracking_error_pct"] == 2.0


def test_asked_is_within_floor_and_capacity_and_rises_at_the_ramp():
    assert scored([(9e9, CAPACITY_W)] * 20)["tracking_error_pct"] == 0.0
    rising = [(500_000, w) for w in range(0, 500_001, 50_000)] + [(500_000, 500_000)] * 9
    assert scored(rising, asked_w=-50_000, up_w_per_s=50_000)["tracking_error_pct"] > 0
    assert scored(rising[1:], asked_w=0.0, up_w_per_s=50_000)["tracking_error_pct"] == 0.0


def test_overshoot_is_counted_beyond_the_meters_accuracy():
    above = [(500_000, 500_000 + SLACK_W)] * 10
    assert scored(above)["overshoot_s"] == 0
    above[4] = (500_000, 500_000 + SLACK_W + 700)
    above[7] = (500_000, 500_000 + SLACK_W + 300)
    report = scored(above)
    assert (report["overshoot_s"], report["overshoot_w_max"]) == (2.0, 700)


def test_above_while_it_rises_is_overshoot_too():
    steps = [(100_000, 100_000)] * 5 + [(900_000, 900_000)] * 5
    assert scored(steps, asked_w=100_000, up_w_per_s=10_000)["overshoot_s"] == 5


def test_the_five_seconds_after_a_fall_are_exempt_and_not_one_more():
    """A site that does not obey at all: the fall is in sample 10."""
    deaf = [(500_000, 500_000)] * 10 + [(200_000, 500_000)] * 12
    report = scored(deaf)
    assert report["overshoot_s"] == 12 - 5
    assert report["overshoot_w_max"] == 300_000 - SLACK_W


def test_every_fall_has_its_own_five_seconds():
    falls = [(500_000 - 50_000 * (n // 4), 550_000 - 50_000 * (n // 4)) for n in range(20)]
    falls[:4] = [(500_000, 500_000)] * 4
    assert scored(falls)["overshoot_s"] == 0


def test_a_rise_gives_no_exemption():
    samples = [(500_000, 500_000)] * 5 + [(600_000, 700_000)] * 3
    assert scored(samples)["overshoot_s"] == 3


@pytest.mark.parametrize("late", [0, 1, 3])
def test_a_fall_is_timed_to_the_sample_that_shows_95_percent(late):
    trace = [(800_000, 800_000)] * 5 + [(200_000, 800_000)] * late + [(200_000, 225_000)] * 10
    report = scored(trace)
    assert report["falls"] == 1
    assert report["signal_to_95pct_s_p95"] == late + 1.0


def test_nearly_there_is_not_there():
    """95 % of 600 kW, and the meter's accuracy, is 35 kW above the goal."""
    almost = [(800_000, 800_000)] * 5 + [(200_000, 235_100)] * 3 + [(200_000, 234_900)] * 3
    assert scored(almost)["signal_to_95pct_s_p95"] == 4.0


def test_small_falls_are_not_timed():
    assert scored([(500_000, 500_000)] * 5 + [(481_000, 481_000)] * 5)["falls"] == 0
    assert scored([(500_000, 500_000)] * 5 + [(479_000, 479_000)] * 5)["falls"] == 1


def test_a_limit_raised_again_ends_the_wait():
    trace = [(800_000, 800_000)] * 5 + [(200_000, 700_000)] * 2 + [(800_000, 700_000)] * 5
    assert scored(trace)["signal_to_95pct_s_p95"] == 3.0


def test_p95_of_many_falls():
    trace = []
    for late in [1] * 19 + [9]:
        trace += [(800_000, 800_000)] * 12 + [(200_000, 800_000)] * (late - 1)
        trace += [(200_000, 200_000)] * 12
    report = scored(trace)
    assert report["falls"] == 20
    assert 1.0 <= report["signal_to_95pct_s_p95"] <= 9.0
    assert report["signal_to_95pct_s_p95"] < 2.0, "one of twenty is beyond"


def test_long_steps_count_for_their_length():
    samples = [(500_000, 500_000)] * 6 + [(500_000, 600_000)]
    report = scored(samples, window_s=300.0, step_s=60.0)
    assert report["overshoot_s"] == 60.0
    assert report["energy_mwh"] == pytest.approx((6 * 0.5 + 0.6) / 60)
