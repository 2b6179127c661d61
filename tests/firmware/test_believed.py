"""Watts that can be believed, as stories; on both runtimes."""

from firmware.believed import PowerSense


def played(*turns):
    """(read_w, for ms) turns of 200 ms where 2000 W must flow; the sense, and what it said."""
    sense, said = PowerSense(), []
    for read_w, period_ms in turns:
        for _ in range(period_ms // 200):
            changed = sense.step(read_w, 2000, 200)
            if changed:
                said.append(changed)
    return sense, said


def test_what_is_near_is_believed():
    for read_w in (1000, 1700, 2000, 2300, 4000):
        sense, said = played((read_w, 60_000))
        assert not sense.doubted and said == [], read_w
        assert sense.watts(read_w, 0, 2000) == read_w


def test_what_cannot_be_is_doubted_after_five_seconds():
    for read_w in (0, 999, 4001):
        assert not played((read_w, 5_000))[0].doubted, read_w
        sense, said = played((read_w, 5_200))
        assert sense.doubted and sense.watts(read_w, 0, 2000) == 2000, read_w
        assert said == [f"the supply says {read_w} W where 2000 W must flow"]


def test_a_moment_is_nothing():
    assert played((0, 5_000), (2000, 200), (0, 5_000))[1] == []


def test_it_is_believed_again_as_slowly():
    assert played((0, 6_000), (2000, 5_000))[0].doubted
    sense, said = played((0, 6_000), (2000, 5_200))
    assert not sense.doubted and said[-1] == "over: the supply's watts can be believed"


def test_old_or_unknown_watts_are_the_tables():
    sense = PowerSense()
    assert sense.watts(None, 0, 25) == 25
    assert sense.watts(1900, 4_999, 2000) == 1900
    assert sense.watts(1900, 5_000, 2000) == 2000
