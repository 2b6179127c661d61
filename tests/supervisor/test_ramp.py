"""What is asked: down at once, up no faster than declared."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.ramp import UpRamp, physical_up_w_per_s

FLOOR_W, CAPACITY_W = 1_000.0, 10_000.0


def step(ramp, limit_w, elapsed_s=1.0, up_w_per_s=500.0):
    return ramp.step(limit_w, FLOOR_W, CAPACITY_W, up_w_per_s, elapsed_s)


def test_it_starts_from_all_asleep_and_rises_at_the_ramp():
    ramp = UpRamp()
    asked = [step(ramp, 2_200.0, elapsed_s) for elapsed_s in (0.0, 1.0, 1.0, 1.0)]
    assert asked == [1_000.0, 1_500.0, 2_000.0, 2_200.0]


def test_it_falls_at_once():
    ramp = UpRamp()
    ramp.asked_w = 9_000.0
    assert step(ramp, 3_000.0, elapsed_s=0.0) == 3_000.0


def test_it_stays_within_what_the_site_can():
    ramp = UpRamp()
    ramp.asked_w = 9_000.0
    assert step(ramp, 0.0) == FLOOR_W
    ramp.asked_w = 9_900.0
    assert step(ramp, 99_000.0) == CAPACITY_W
    ramp.asked_w = 10.0
    assert step(ramp, 99_000.0) == FLOOR_W + 500.0


def test_a_capacity_that_shrinks_takes_what_is_asked_with_it():
    ramp = UpRamp()
    ramp.asked_w = 9_000.0
    assert ramp.step(20_000.0, FLOOR_W, 4_000.0, 500.0, 1.0) == 4_000.0
    assert ramp.step(20_000.0, FLOOR_W, CAPACITY_W, 500.0, 1.0) == 4_500.0


def test_the_steepest_line_the_slowest_model_can_climb():
    assert physical_up_w_per_s(101_000.0, 1_000.0, 20.0) == 5_000.0
    assert physical_up_w_per_s(101_000.0, 1_000.0, 0.1) == 100_000.0
    assert physical_up_w_per_s(0.0, 0.0, 1.0) == 1.0, "a site of nobody still has a ramp above 0"


limits = st.floats(0, 20_000)


@given(st.lists(st.tuples(limits, st.floats(0, 60)), min_size=1), st.floats(0.1, 5_000))
def test_never_above_the_limit_and_never_steeper_than_the_ramp(steps, up_w_per_s):
    ramp, before_w = UpRamp(), FLOOR_W
    for limit_w, elapsed_s in steps:
        asked = ramp.step(limit_w, FLOOR_W, CAPACITY_W, up_w_per_s, elapsed_s)
        assert FLOOR_W <= asked <= max(FLOOR_W, min(limit_w, CAPACITY_W))
        assert asked <= before_w + up_w_per_s * elapsed_s + 1e-6
        before_w = asked
