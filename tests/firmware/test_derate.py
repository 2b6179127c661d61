"""Derating, as stories; on both runtimes."""

from firmware.derate import DOWN, DOWN_MS, LOW, UP_MS, Derate


def played(*turns, top=8):
    """(action, level, for ms) turns, 100 ms a step; the cap after each turn."""
    derate, caps = Derate(top), []
    for action, level, period_ms in turns:
        for _ in range(period_ms // 100):
            derate.step(action, level, 100)
        caps.append(derate.cap)
    return caps


def test_all_is_well():
    assert played(("", 8, 60_000)) == [8]


def test_blind_is_the_lowest_level_at_once_and_back_slowly():
    assert played((LOW, 8, 100), ("", 1, UP_MS - 100), ("", 1, 100), ("", 1, UP_MS)) == [1, 1, 2, 3]
    assert played((LOW, 8, 100), ("", 1, 20 * UP_MS)) == [1, 8]


def test_hot_goes_down_a_level_at_a_time_from_the_one_held():
    assert played((DOWN, 5, 100), (DOWN, 5, DOWN_MS - 100), (DOWN, 4, 100)) == [4, 4, 3]
    assert played((DOWN, 8, 100), (DOWN, 7, 20 * DOWN_MS)) == [7, 1]


def test_hot_while_asleep_ends_at_the_lowest():
    assert played((DOWN, 0, 100)) == [1]
