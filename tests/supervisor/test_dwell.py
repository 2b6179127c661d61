"""Who has just been sent to sleep is not woken again at once."""

import numpy as np
import pytest

from supervisor.dwell import Dwell
from supervisor.line import deal
from tests.supervisor.test_merit import table

# wakes to 100, 200, 300; then frequency steps to 400, 500, 600
LINE = deal(table(*[[(100, 100), (200, 150)]] * 3), np.arange(3), 1)
ALL = np.ones(3, dtype=bool)
OFF_S = 15.0


def fallen(*moves, at_s=10.0):
    dwell, was_w = Dwell(OFF_S), 600
    for to_w in moves:
        dwell.moved(LINE, was_w, to_w, at_s)
        was_w, at_s = to_w, at_s + 1.0
    return dwell


def test_without_a_fall_there_is_no_ceiling():
    assert Dwell(OFF_S).ceiling_w(LINE, ALL, 0.0) == 600


def test_after_a_fall_the_next_wake_is_closed_for_a_while():
    dwell = fallen(150)
    assert dwell.ceiling_w(LINE, ALL, 10.0) == 199
    assert dwell.ceiling_w(LINE, ALL, 24.9) == 199
    assert dwell.ceiling_w(LINE, ALL, 25.0) == 600


@pytest.mark.parametrize("to_w, ceiling_w", [(350, 600), (300, 600), (299, 299), (200, 299)])
def test_only_a_fall_that_sends_somebody_to_sleep_counts(to_w, ceiling_w):
    assert fallen(to_w).ceiling_w(LINE, ALL, 11.0) == ceiling_w


def test_the_lowest_of_several_falls_holds_until_the_last_is_over():
    dwell = fallen(90, 600, 250)  # the third wakes and sleeps again, two seconds later
    assert dwell.ceiling_w(LINE, ALL, 26.0) == 99
    assert dwell.ceiling_w(LINE, ALL, 27.0) == 600


def test_an_old_fall_says_nothing_about_a_new_one():
    dwell = fallen(90)
    dwell.moved(LINE, 600, 250, 100.0)
    assert dwell.ceiling_w(LINE, ALL, 101.0) == 299


def test_a_rise_is_no_fall():
    dwell = Dwell(OFF_S)
    dwell.moved(LINE, 0, 600, 10.0)
    assert dwell.ceiling_w(LINE, ALL, 11.0) == 600


def test_holes_wake_nobody():
    dwell, counted = fallen(90), ALL.copy()
    counted[LINE.rig[0]] = False
    assert dwell.ceiling_w(LINE, counted, 11.0) == 199


def test_another_line_is_another_story():
    dwell = fallen(90)
    dwell.forget()
    assert dwell.ceiling_w(LINE, ALL, 11.0) == 600


def test_a_fall_through_frequency_steps_alone_closes_no_wake_above():
    """One wakes and climbs before the other wakes."""
    line = deal(table([(100, 300), (200, 500)], [(100, 100)]), np.arange(2), 1)
    assert line.wakes.tolist() == [True, False, True]
    dwell = Dwell(OFF_S)
    dwell.moved(line, 200, 150, 10.0)
    assert dwell.ceiling_w(line, np.ones(2, dtype=bool), 11.0) == 300
    dwell.moved(line, 300, 150, 12.0)
    assert dwell.ceiling_w(line, np.ones(2, dtype=bool), 13.0) == 299


def test_when_a_rest_is_over_a_new_fall_has_its_own():
    dwell = fallen(90)
    dwell.moved(LINE, 600, 250, 10.0 + OFF_S)
    assert dwell.ceiling_w(LINE, ALL, 30.0) == 299
