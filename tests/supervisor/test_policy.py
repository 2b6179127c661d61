"""Who runs first: priority, rest, turns, wakes that failed; and never a word about the sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.line import deal
from supervisor.merit import steps_of
from supervisor.policy import PRIORITY, PROTECTED, STAY, Policy, Wish, order
from tests.supervisor.test_merit import rigs, table

LONG_S = 1e9
PLAIN = Policy()


def wish(count, **columns):
    plain = {
        "priority": [PRIORITY] * count,
        "awake": [False] * count,
        "changed_s": [LONG_S] * count,
        "starts": [0.0] * count,
        "on_share": [0.5] * count,
        "tried": [0.0] * count,
        "failed": [0.0] * count,
    }
    return Wish(**{name: np.array(column) for name, column in (plain | columns).items()})


def first_to_run(count, policy=PLAIN, **columns):
    """Rigs all alike, in the order they would run."""
    points = table(*[[(100, 100)]] * count)
    return steps_of(points, order(policy, wish(count, **columns))).rig.tolist()


def test_with_nothing_to_tell_apart_all_are_even():
    made = order(Policy(), wish(3))
    assert made.late.tolist() == [0, 0, 0]
    assert made.handicap.tolist() == [1.0] * 3


def test_the_protected_run_first_then_by_priority_whatever_they_gain():
    points = table([(100, 100), (200, 150)], [(100, 300)], [(100, 10), (200, 12)])
    made = order(Policy(), wish(3, priority=[2, 3, PROTECTED]))
    steps = steps_of(points, made)
    assert list(zip(steps.rig.tolist(), steps.level.tolist())) == [
        (2, 1),
        (2, 2),
        (0, 1),
        (0, 2),
        (1, 1),
    ]


def test_who_has_just_woken_goes_on_and_who_has_just_slept_rests():
    policy = Policy(min_on_s=300, min_off_s=60)
    columns = {"awake": [True, True, False, False], "changed_s": [299.0, 300.0, 60.0, 59.0]}
    assert order(policy, wish(4, **columns)).late.tolist() == [-1, 0, 0, 1]
    assert first_to_run(4, policy, **columns) == [0, 1, 2, 3]


def test_who_has_used_up_its_starts_stays_what_it_is():
    policy = Policy(starts_per_day=3)
    columns = {"awake": [True, False, False], "starts": [3.0, 3.0, 2.9]}
    assert order(policy, wish(3, **columns)).late.tolist() == [-1, 1, 0]
    assert first_to_run(3, policy, **columns) == [0, 2, 1]


def test_a_rig_that_fails_to_wake_goes_behind_one_that_does_not_while_it_sleeps():
    columns = {"tried": [4.0, 4.0], "failed": [3.0, 0.0]}
    assert first_to_run(2, **columns) == [1, 0]
    made = order(Policy(), wish(2, **columns)).handicap
    assert made[0] / made[1] == pytest.approx(21 / 24, rel=0.01)
    awake = order(Policy(), wish(2, awake=[True, False], **columns)).handicap
    assert awake[0] == 1.0, "one that runs has woken"


def test_who_runs_stays_unless_another_gains_much_more():
    hour = {"awake": [False, True], "changed_s": [LONG_S, 3600.0]}
    assert first_to_run(2, **hour) == [1, 0]
    assert first_to_run(2, on_share=[0.0, 1.0], **hour) == [1, 0]
    points = table([(100, 104)], [(100, 100)], [(100, 106)])
    steps = steps_of(points, order(PLAIN, wish(3, awake=[False, True, False], changed_s=[9e3] * 3)))
    assert steps.rig.tolist() == [2, 1, 0]


def test_rigs_that_are_alike_take_turns_one_by_one():
    """At no one moment does everybody want to change places."""
    awake, swapped = np.arange(100) < 50, []
    on_share = np.where(awake, 0.9, 0.1)
    for hours in (5, 9, 12, 15):
        changed_s = np.full(100, hours * 3600.0)
        first = first_to_run(100, awake=awake, on_share=on_share, changed_s=changed_s)[:50]
        swapped.append(sum(not awake[rig] for rig in first))
    assert swapped[0] == 0 and 5 < swapped[1] < swapped[2] < swapped[3] < 50


def test_of_those_alike_who_has_run_least_wakes_first_and_sleeps_last():
    assert first_to_run(3, on_share=[0.7, 0.2, 0.4]) == [1, 2, 0]
    hour = {"awake": [True] * 3, "changed_s": [3600.0] * 3}
    assert first_to_run(3, on_share=[0.7, 0.2, 0.4], **hour) == [1, 2, 0]


def test_who_has_started_often_is_left_alone():
    columns = {"starts": [9.0, 1.0, 1.0, 1.0]}
    assert first_to_run(4, awake=[True] * 4, **columns)[0] == 0
    assert first_to_run(4, **columns)[-1] == 0


def test_what_moves_a_rig_forward_is_about_its_being_awake_and_nothing_else():
    """Its frequency steps are no better for it; and what moves it back takes them along."""
    points = table(*[[(100, 100), (200, 150)]] * 2)
    policy = Policy(min_on_s=300, min_off_s=300)
    columns = {"awake": [False, True], "changed_s": [LONG_S, 10.0]}
    steps = steps_of(points, order(policy, wish(2, **columns)))
    assert list(zip(steps.rig.tolist(), steps.level.tolist())) == [(1, 1), (0, 1), (0, 2), (1, 2)]
    columns = {"changed_s": [10.0, LONG_S]}
    steps = steps_of(points, order(policy, wish(2, **columns)))
    assert list(zip(steps.rig.tolist(), steps.level.tolist())) == [(1, 1), (1, 2), (0, 1), (0, 2)]


wishes = st.fixed_dictionaries(
    {
        "priority": st.integers(0, 9),
        "awake": st.booleans(),
        "changed_s": st.sampled_from((0.0, 20.0, LONG_S)),
        "starts": st.floats(0, 40),
        "on_share": st.floats(0, 1),
        "tried": st.floats(5, 9),
        "failed": st.floats(0, 5),
    }
)


@given(rigs, st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_wished_everybody_has_all_its_steps_once_and_in_order(tables, data):
    """And so the line is as long as ever, and no two rigs own the same watt."""
    points, count = table(*tables), len(tables)
    each = data.draw(st.lists(wishes, min_size=count, max_size=count))
    made = order(Policy(), wish(count, **{k: [w[k] for w in each] for k in each[0]}))
    line, plain = deal(points, np.arange(count), 1, made), deal(points, np.arange(count), 1)
    assert line.length_w == plain.length_w
    assert (line.start_w[1:] == line.end_w[:-1]).all()
    for rig in range(count):
        levels = [step.level for step in line.ladder(rig)]
        assert levels == [step.level for step in plain.ladder(rig)]
    priority = made.priority[line.rig]
    assert (np.diff(priority) >= 0).all()


@given(rigs, st.integers(0, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_each_priority_is_close_to_the_exact_optimum_of_what_the_former_left(
    tables, budget_w, data
):
    pytest.importorskip("highspy")
    from tests.supervisor.exact import best

    points, count = table(*tables), len(tables)
    priority = np.array(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    line = deal(points, np.arange(count), 1, order(Policy(), wish(count, priority=priority)))
    levels = np.zeros(count, dtype=np.int64)
    taken = line.end_w <= budget_w
    np.maximum.at(levels, line.rig[taken], line.level[taken])
    ghs = points.ghs[np.arange(count), levels]
    drawn_w = points.watts[np.arange(count), levels] - points.watts[:, 0]
    steps, left_w = steps_of(points), budget_w
    for each in sorted(set(priority.tolist())):
        mine = np.flatnonzero(priority == each)
        exact = best(points.watts[mine, 1:] - points.watts[mine, :1], points.ghs[mine, 1:], left_w)
        largest = (steps.gain * steps.width_w)[np.isin(steps.rig, mine)].max(initial=0.0)
        turned = STAY * exact  # by which policy may prefer the lesser
        assert exact + 1e-6 >= ghs[mine].sum() >= exact - largest - turned - 1e-6
        left_w -= int(drawn_w[mine].sum())
        if ghs[mine].sum() < points.ghs[mine, -1].sum():
            break  # the next may only have what does not fill a whole step
