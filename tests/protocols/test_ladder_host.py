"""Whatever ladders are dealt: together the rigs never take more than the position."""

from hypothesis import given
from hypothesis import strategies as st

from protocols import ladder

RIGS = 6
# (gap before it, watts, whose it is) of each step along the merit order
DEALT = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 5000), st.integers(0, RIGS - 1)), max_size=60
)


def deal(dealt: list[tuple[int, int, int]]) -> tuple[list[tuple[ladder.Step, ...]], int]:
    """Disjoint steps as one ladder per rig, and where the last one ends."""
    raw: list[list[list[int]]] = [[] for _ in range(RIGS)]
    end_w = 0
    for gap_w, width_w, rig in dealt:
        start_w, end_w = end_w + gap_w, end_w + gap_w + width_w
        if len(raw[rig]) < ladder.STEPS_MAX:
            raw[rig].append([len(raw[rig]) + 1, start_w, end_w])
    return [ladder.parse(one) for one in raw], end_w


@given(DEALT, st.integers(-10, 400_000))
def test_rigs_together_never_take_more_than_the_position(dealt, position_w):
    ladders, _ = deal(dealt)
    taken_w = [ladder.admitted_w(steps, position_w) for steps in ladders]
    assert min(taken_w) >= 0
    assert sum(taken_w) <= max(position_w, 0)


@given(DEALT)
def test_past_the_last_step_everybody_has_everything(dealt):
    ladders, end_w = deal(dealt)
    for steps in ladders:
        top = steps[-1].level if steps else 0
        assert ladder.admit(steps, end_w) == ladder.Admitted(top, top, 0)
        assert ladder.admitted_w(steps, end_w) == sum(s.end_w - s.start_w for s in steps)


@given(DEALT, st.integers(0, 400_000), st.integers(0, 10_000))
def test_a_higher_position_never_admits_less(dealt, position_w, more_w):
    for steps in deal(dealt)[0]:
        low = ladder.admit(steps, position_w)
        high = ladder.admit(steps, position_w + more_w)
        assert (low.level, low.part_pm) <= (high.level, high.part_pm)
        assert ladder.admitted_w(steps, position_w) <= ladder.admitted_w(steps, position_w + more_w)


@given(DEALT, st.integers(0, 400_000))
def test_the_level_and_the_watts_tell_the_same_story(dealt, position_w):
    for steps in deal(dealt)[0]:
        admitted = ladder.admit(steps, position_w)
        watts = 0.0
        for step in steps:
            if step.level <= admitted.level:
                watts += step.end_w - step.start_w
            elif step.level == admitted.next_level:
                watts += (step.end_w - step.start_w) * admitted.part_pm / 1000
        taken_w = ladder.admitted_w(steps, position_w)
        assert watts <= taken_w < watts + 5000 / 1000 + 1
        assert 0 <= admitted.part_pm < 1000
        assert admitted.level or not admitted.part_pm
