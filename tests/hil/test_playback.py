"""A signal on a simulated clock: the real decisions, the fleet model, and how well they follow."""

import numpy as np
import pytest

from hil import playback as playbacks
from hil.playback import Playback, play
from supervisor.sources.signal_csv import Series

RIGS = 200


def series(shares, row_s, surplus=False, first_s=0.0):
    """Shares of about the capacity of the site, a row each."""
    watts = tuple(int(share * Playback(RIGS).able_w) for share in shares)
    times_s = tuple(first_s + row_s * number for number in range(len(shares)))
    return Series(times_s, watts, row_s, surplus=surplus)


@pytest.fixture(scope="module")
def hour():
    """An hour with rises, falls, a call-off, and nothing at all."""
    shares = (0.5, 0.7, 0.65, 0.9, 0.3, 0.0, 0.05, 1.2, 1.0, 0.6, 0.62, 0.4)
    return play(series(shares, 300.0), RIGS, 1.0)


def test_an_hour_is_followed(hour):
    assert hour["simulated_s"] == 3600 and hour["errors"] == 0
    assert hour["tracking_error_pct"] < 1.0
    assert hour["overshoot_w_max"] == 0 and hour["overshoot_s"] == 0


def test_falls_are_followed_within_seconds(hour):
    assert hour["falls"] == 5
    assert hour["signal_to_95pct_s_p95"] <= 3.0


def test_figures_are_of_the_right_size(hour):
    mean_w = np.mean([0.5, 0.7, 0.65, 0.9, 0.3, 0.01, 0.05, 1, 1, 0.6, 0.62, 0.4])
    assert hour["energy_mwh"] == pytest.approx(mean_w * Playback(RIGS).able_w / 1e6, rel=0.05)
    assert 15 < hour["energy_mwh"] * 1e6 / hour["hashrate_ths_mean"] < 30, "J/TH"
    assert (hour["rigs"], hour["firmware_rigs"], hour["messages_lost"]) == (RIGS, 0, 0)


def test_the_same_seed_plays_the_same(hour):
    short = series((0.5, 0.9, 0.2), 60.0)
    one, other = (play(short, RIGS, 1.0) for _ in range(2))
    del one["wall_s"], other["wall_s"]
    assert one == other
    assert play(short, RIGS, 1.0, seed=2)["hashrate_ths_mean"] != one["hashrate_ths_mean"]


@pytest.mark.parametrize("step_s", [0.5, 5.0])
def test_other_steps_follow_too(step_s):
    result = play(series((0.5, 0.7, 0.4), 300.0), RIGS, step_s)
    assert result["simulated_s"] == 900 and result["overshoot_s"] == 0
    assert result["tracking_error_pct"] < 1.5


def test_a_regions_surplus_is_scaled_to_the_site():
    tiny = Series((0.0, 300.0), (5, 10), 300.0, surplus=True)
    result = play(tiny, RIGS, 1.0)
    assert result["energy_mwh"] == pytest.approx(Playback(RIGS).able_w / 1e6 * 0.125, rel=0.05)


def test_a_series_may_begin_anywhere():
    near, far = (play(series((0.5, 0.7), 60.0, first_s=at), RIGS, 1.0) for at in (0.0, 1.8e9))
    assert near["energy_mwh"] == far["energy_mwh"] and far["simulated_s"] == 120


def test_what_is_unexpected_is_counted_said_and_gone_on_from(monkeypatch, capsys):
    real = Playback.step

    def step(self, now_s, step_s, limit_w, ahead):
        if now_s == 7.0:
            raise ZeroDivisionError("of the test")
        real(self, now_s, step_s, limit_w, ahead)

    monkeypatch.setattr(Playback, "step", step)
    result = play(series((0.5,), 30.0), RIGS, 1.0)
    assert result["errors"] == 1
    told = capsys.readouterr()
    assert "at 7 s" in told.err and "of the test" in told.err and told.out == ""


def test_a_site_that_does_not_obey_is_seen_by_the_judge(monkeypatch):
    """The judge is not the supervisor: without anybody hearing a position it must notice."""
    monkeypatch.setattr(playbacks.Bridge, "_broadcast", lambda self, admit_w, everybody=False: None)
    result = play(series((0.8,), 300.0), RIGS, 1.0)
    assert result["tracking_error_pct"] > 50
