"""What is known of the minutes ahead: awake before a rise, down before a fall."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor import line as lines
from supervisor.dispatcher import Dispatcher, Means
from supervisor.envelope import Entry, settle
from supervisor.lookahead import fallen_w, horizon_s, lowest_w, profile, risen_w
from supervisor.loss import Loss
from tests.supervisor.small import PLAIN, fleet_of

NOW_S = 1_800_000_000.0


def ahead(*entries, horizon=60.0, default_w=0):
    def limit_w(words, at_s):
        return settle(words, 10_000, default_w, at_s).limit_w

    return profile(entries, limit_w, NOW_S, horizon)


def test_rows_of_all_schedules_settled_until_the_horizon():
    one = Entry("a", ((NOW_S - 10, 900), (NOW_S + 10, 500), (NOW_S + 70, 100)), heard_s=NOW_S)
    other = Entry("b", ((NOW_S, 700), (NOW_S + 20, 300), (NOW_S + 30, 2_000)), heard_s=NOW_S)
    assert ahead(one, other) == [(0.0, 700), (10.0, 500), (20.0, 300), (30.0, 500)]
    assert ahead(one, other, horizon=10.0) == [(0.0, 700), (10.0, 500)]


def test_the_end_of_a_word_is_known_too():
    word = Entry("a", ((NOW_S, 900),), until_s=NOW_S + 5, heard_s=NOW_S, default_w=200)
    assert ahead(word) == [(0.0, 900), (5.0, 200)]


def test_silence_is_not_foreseen():
    word = Entry(
        "a", ((NOW_S - 300, 900), (NOW_S + 5, 800)), heard_s=NOW_S - 239, loss=Loss(after_s=240.0)
    )
    assert ahead(word) == [(0.0, 900), (5.0, 800)]
    silent = Entry("a", ((NOW_S - 300, 900),), heard_s=NOW_S - 241, loss=Loss(after_s=240.0))
    assert ahead(silent, default_w=70)[0][1] in (70, 900)


ROWS = [(0.0, 900), (10.0, 500), (12.0, 2_000)]


def test_the_least_of_a_stretch():
    assert lowest_w(ROWS, 0.0, 9.9) == 900
    assert lowest_w(ROWS, 0.0, 10.0) == 500
    assert lowest_w(ROWS, 11.0, 11.5) == 500
    assert lowest_w(ROWS, 11.0, 50.0) == 500
    assert lowest_w(ROWS, 12.0, 50.0) == 2_000
    assert lowest_w([(3.0, 5)], 0.0, 1.0) == 5


def test_a_fall_is_begun_just_in_time():
    assert fallen_w(ROWS, None) == 900
    assert fallen_w([(in_s - 8.0, w) for in_s, w in ROWS], None) == 500
    assert fallen_w([(-8.1 + in_s, w) for in_s, w in ROWS], None) == 500
    assert fallen_w([(0.0, 500), (0.5, 2_000)], None) == 500, "a rise is not taken early"


def test_or_early_enough_for_a_declared_ramp():
    """50 W/s from 900 to 500 takes 8 s, and FALL_S before its time it is done."""
    at = [fallen_w([(0.0, 900), (in_s, 500)], 50.0) for in_s in (20.0, 10.0, 9.0, 6.0, 2.0, 1.0)]
    assert at == [900, 900, 850, 700, 500, 500]
    assert fallen_w([(0.0, 500)], 50.0) == 500, "what nobody announced is obeyed at once"


def test_how_far_is_looked():
    assert horizon_s(6_000, None) == 60.0
    assert horizon_s(6_000, 50.0) == 180.0
    assert horizon_s(6_000, 0.001) == 3600.0


def test_what_will_be_asked_when_those_woken_now_are_up():
    def risen(rows, asked_w, lead_s):
        return risen_w(rows, asked_w, 100.0, 1_500.0, 100.0, lead_s)

    flat = [(0.0, 900)]
    assert risen(flat, 200.0, 4.0) == 600.0 and risen(flat, 800.0, 4.0) == 900.0
    rise = [(0.0, 500), (3.0, 2_000)]
    assert risen(rise, 500.0, 2.0) == 500.0
    assert risen(rise, 500.0, 4.0) == 600.0, "a second of the ramp"
    assert risen(rise, 500.0, 40.0) == 1_500.0
    assert risen([(0.0, 900), (5.0, 300)], 900.0, 4.0) == 900.0, "a fall has its own time"
    assert risen(flat, 900.0, 0.0) == 900.0


RIGS, FLOOR_W = 40, 40 * 20


class Hall:
    """Rigs as they say they are; limit(at_s) is the truth, rows of it are known ahead."""

    def __init__(self, rows, **means):
        self.fleet, self.rows, self.now_s = fleet_of(RIGS), rows, 0.0
        self.site = Dispatcher(self.fleet, Means(up_w_per_s=1e6, **means))
        self.site.learner.worst_w = self.site.learner.likely_w
        self.site.take_line(lines.deal(self.fleet.points, np.arange(RIGS), 1), 0.0)
        self.drawn_w, self.awake_s = np.zeros(RIGS), np.full(RIGS, np.inf)

    def limit_w(self, at_s):
        return [w for from_s, w in self.rows if from_s <= at_s][-1]

    def second(self):
        """One beat, and what is drawn at its end."""
        known = [(0.0, self.limit_w(self.now_s))]
        known += [(s - self.now_s, w) for s, w in self.rows if self.now_s < s <= self.now_s + 60]
        made = self.site.tick(self.now_s, known[0][1], None, known)
        aim_w = self.site.admitted_by_rig()
        self.awake_s = np.where(aim_w > 0, np.minimum(self.awake_s, self.now_s + 4.0), np.inf)
        up_s = np.clip(self.now_s + 1.0 - self.awake_s, 0.0, 1.0)
        most_w = self.drawn_w + up_s * PLAIN.up_w_per_s
        self.drawn_w = np.clip(aim_w, np.where(aim_w > 0, self.drawn_w - 1400.0, 0.0), most_w)
        self.now_s += 1.0
        return made, float(self.drawn_w.sum()) + FLOOR_W


def test_rigs_are_awake_when_the_rise_comes_and_not_above_before():
    drawn = {}
    for known in (True, False):
        hall = Hall([(0.0, 30_000), (60.0, 60_000)] if known else [(0.0, 30_000)])
        for _ in range(60):
            assert hall.second()[1] <= 30_000
        hall.rows = [(0.0, 30_000), (60.0, 60_000)]
        drawn[known] = [hall.second()[1] for _ in range(6)]
        assert max(drawn[known]) <= 60_000
    assert drawn[True][1] > drawn[False][1] + 5_000


def test_a_known_fall_is_done_at_its_time():
    hall = Hall([(0.0, 60_000), (60.0, 25_000)])
    drawn = [hall.second()[1] for _ in range(61)]
    assert drawn[50] > 55_000, "not long before"
    assert drawn[59] <= 25_000, "at 60 s it is done"


def test_a_declared_ramp_down_is_kept_and_done_in_time():
    hall = Hall([(0.0, 60_000), (60.0, 20_000)], down_w_per_s=2_000.0)
    drawn = np.array([hall.second()[1] for _ in range(61)])
    assert drawn[36] > 55_000 and drawn[59] <= 20_000
    assert -np.diff(drawn[38:]).min() < 2_000 + 1_250, "but for a rig that sleeps"


rows = st.lists(st.tuples(st.integers(3, 20), st.integers(0, 110_000)), min_size=1, max_size=6)


@given(rows, st.sampled_from((None, 1_500.0)))
@settings(max_examples=40, deadline=None)
def test_never_late_for_a_fall_and_never_early_for_a_rise(steps, down_w_per_s):
    """At every second what is drawn is below what is allowed then and up to the next."""
    schedule, at_s = [(0.0, 40_000)], 20.0
    for seconds, w in steps:
        schedule.append((at_s, w))
        at_s += seconds
    hall = Hall(schedule, down_w_per_s=down_w_per_s)
    while hall.now_s < at_s + 10:
        _, drawn_w = hall.second()
        allowed_w = max(hall.limit_w(hall.now_s), FLOOR_W)
        assert drawn_w <= allowed_w + 1
