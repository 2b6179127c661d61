"""The demo's signals: a shaped winter, and what is cut from a recorded one."""

import pytest

from hil.surplus import ROW_S, STEP_S, Tape, liveliest_s, tape, winter
from supervisor.sources.signal_csv import Series

CAPACITY_W = 1_000_000


def test_a_shaped_winter_stays_within_the_capacity_and_moves():
    shaped = winter(CAPACITY_W, 600.0)
    assert len(shaped.w) == 600 / STEP_S + 1 and shaped.end_s >= 600.0
    assert min(shaped.w) > 0 and max(shaped.w) <= CAPACITY_W
    moves = [abs(b - a) for a, b in zip(shaped.w, shaped.w[1:])]
    assert max(moves) > 0.3 * CAPACITY_W, "a call-off"
    assert sum(move > 0 for move in moves) > 0.9 * len(moves)
    assert shaped == winter(CAPACITY_W, 600.0) != winter(CAPACITY_W, 600.0, seed=2)


def test_the_call_off_is_where_it_says():
    shaped = winter(CAPACITY_W, 300.0)
    assert [shaped.at(t) for t in (200.0, 214.9)] == [CAPACITY_W // 20] * 2
    assert shaped.at(195.0) > CAPACITY_W // 20 < shaped.at(215.0)


def test_a_short_one_has_rows_too():
    assert len(winter(CAPACITY_W, 0.0).w) == 2


def test_a_tape_plays_from_its_moment_at_its_speed():
    series = Series((0.0, 10.0, 20.0), (1, 2, 3), 10.0)
    played = Tape(series, 10.0, 2.0)
    assert [played.at(t) for t in (0.0, 4.9, 5.0, 9.9, 10.0, 99.0)] == [2, 2, 3, 3, 0, 0]


def test_what_is_short_enough_is_played_as_it_is():
    series = Series((100.0, 130.0), (1, 2), 30.0)
    assert tape(series, CAPACITY_W, 60.0) == Tape(series, 100.0, 1.0)


def test_what_is_quick_enough_is_played_as_it_is():
    series = Series(tuple(float(t) for t in range(0, 600, 6)), (1, 2) * 50, 6.0)
    assert tape(series, CAPACITY_W, 60.0).speed == 1.0


def test_a_recorded_day_is_played_fast_and_scaled_to_the_site():
    w = tuple(abs(n - 144) for n in range(288))
    day = Series(tuple(300.0 * n for n in range(288)), w, 300.0, surplus=True)
    played = tape(day, CAPACITY_W, 60.0)
    assert played.speed == 300.0 / ROW_S
    assert max(played.series.w) == CAPACITY_W
    assert played.from_s + 60.0 * played.speed <= played.series.end_s


def test_the_liveliest_stretch_has_the_most_change_and_always_some_surplus():
    calm, wild, dry = [500] * 10, [100, 900] * 5, [0, 5000] * 5
    rows = [*calm, *dry, *calm, *wild, *calm]
    series = Series(tuple(float(n) for n in range(50)), tuple(rows), 1.0)
    assert 28.0 <= liveliest_s(series, 10.0) <= 32.0
    dry_only = Series(tuple(float(n) for n in range(20)), (*dry, *[0] * 10), 1.0)
    assert liveliest_s(dry_only, 5.0) <= 8.0, "where there is no such stretch, the most change"


@pytest.mark.parametrize("length_s", [1.0, 7.0, 19.0, 20.0])
def test_the_stretch_lies_inside_the_series(length_s):
    series = Series(tuple(float(n) for n in range(20)), tuple(range(20)), 1.0)
    assert 0.0 <= liveliest_s(series, length_s) <= series.end_s - length_s
