"""The hull of each rig's points, and all steps of all rigs in merit order."""

from itertools import pairwise, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from supervisor.merit import Order, Points, steps_of

FLOOR_W = 20


def table(*rigs):
    """Points of rigs given as [(watts above the floor, GH/s), ...]; shorter ones repeat their last.

    A rig's column 0 is asleep at FLOOR_W.
    """
    longest = max(len(points) for points in rigs)
    full = [[(0, 0), *points, *[points[-1]] * (longest - len(points))] for points in rigs]
    numbers = np.array(full, dtype=np.int64)
    return Points(numbers[:, :, 0] + FLOOR_W, numbers[:, :, 1])


def edges(points, rig=0):
    """(from level, level, watts) of one rig's steps, in merit order."""
    steps = steps_of(points)
    rows = zip(steps.rig, steps.from_level, steps.level, steps.width_w)
    return [tuple(map(int, row[1:])) for row in rows if row[0] == rig]


def test_points_on_the_hull_are_all_steps():
    assert edges(table([(100, 100), (200, 180), (300, 240)])) == [
        (0, 1, 100),
        (1, 2, 100),
        (2, 3, 100),
    ]


def test_a_point_below_the_hull_is_passed_over():
    assert edges(table([(100, 100), (200, 110), (300, 240)])) == [(0, 1, 100), (1, 3, 200)]


def test_a_rig_that_is_best_at_its_top_has_one_step():
    assert edges(table([(100, 10), (200, 40), (300, 90)])) == [(0, 3, 300)]


def test_of_points_on_one_straight_line_only_the_ends_are_corners():
    assert edges(table([(100, 100), (200, 200), (300, 300), (400, 350)])) == [
        (0, 3, 300),
        (3, 4, 100),
    ]


def test_columns_beyond_the_last_level_are_no_levels():
    points = table([(100, 100), (200, 150)], [(50, 100), (90, 120), (120, 130), (150, 135)])
    assert edges(points) == [(0, 1, 100), (1, 2, 100)]
    assert len(edges(points, rig=1)) == 4


def test_watts_that_add_no_hash_rate_are_never_taken():
    assert edges(table([(100, 100), (200, 100), (300, 90)])) == [(0, 1, 100)]
    assert edges(table([(100, 0), (200, 0)])) == []


def test_nobody_is_no_steps():
    none = np.zeros((0, 4), dtype=np.int64)
    assert len(steps_of(Points(none, none)).rig) == 0


def test_gain_is_hash_rate_per_watt_and_the_best_comes_first():
    steps = steps_of(table([(100, 100), (200, 150)], [(100, 200), (200, 220)]))
    assert steps.rig.tolist() == [1, 0, 0, 1]
    assert steps.gain.tolist() == [2.0, 1.0, 0.5, 0.2]


def test_equal_gains_wake_everybody_before_anybody_climbs():
    rig = [(100, 100), (200, 200 - 1)]
    steps = steps_of(table(rig, rig, rig))
    assert steps.from_level.tolist() == [0, 0, 0, 1, 1, 1]
    tied = steps_of(table([(100, 100)], [(50, 100), (150, 200)]))
    assert tied.from_level.tolist() == [0, 0, 1]
    assert tied.gain.tolist() == [2.0, 1.0, 1.0]


def test_policy_moves_a_rig_back_but_never_its_own_steps_about():
    points = table([(100, 100), (200, 150)], [(100, 90), (200, 130)])
    assert steps_of(points).rig.tolist() == [0, 1, 0, 1]
    alike = np.zeros(2, dtype=np.int64)
    handicapped = steps_of(points, Order(alike, alike, np.array([0.1, 1.0])))
    assert handicapped.rig.tolist() == [1, 1, 0, 0]
    assert handicapped.from_level.tolist() == [0, 1, 0, 1]


rigs = st.lists(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=4).map(
        lambda rises: list(
            zip(
                np.cumsum([w for w, _ in rises]).tolist(), np.cumsum([g for _, g in rises]).tolist()
            )
        )
    ),
    min_size=1,
    max_size=4,
)


@given(rigs)
def test_steps_fall_in_gain_and_follow_each_other_within_a_rig(tables):
    points = table(*tables)
    steps = steps_of(points)
    assert (np.diff(steps.gain) <= 0).all() and (steps.gain > 0).all()
    for rig in range(len(tables)):
        mine = edges(points, rig)
        assert all(before[1] == after[0] for before, after in pairwise(mine))
        assert not mine or mine[0][0] == 0
        for from_level, level, width_w in mine:
            assert width_w == points.watts[rig, level] - points.watts[rig, from_level] > 0


@given(rigs)
def test_no_point_lies_above_the_hull(tables):
    points = table(*tables)
    for rig, own in enumerate(tables):
        corners = [(0, 0)] + [
            (int(points.watts[rig, level]) - FLOOR_W, int(points.ghs[rig, level]))
            for _, level, _ in edges(points, rig)
        ]
        hull_w, hull_ghs = zip(*corners)
        for watts, ghs in own:
            assert ghs <= np.interp(watts, hull_w, hull_ghs) + 1e-9


@given(rigs, st.floats(0, 1))
def test_taking_steps_in_order_is_the_optimum_but_for_the_step_that_does_not_fit(tables, share):
    points = table(*tables)
    steps = steps_of(points)
    rise_w = points.watts - FLOOR_W
    budget_w = int(share * rise_w[:, -1].sum())
    ends_w = np.cumsum(steps.width_w)
    whole = ends_w <= budget_w
    ours = float((steps.gain * steps.width_w)[whole].sum())
    left_w = budget_w - (int(ends_w[whole][-1]) if whole.any() else 0)
    bound = ours + (float(steps.gain[~whole][0]) * left_w if not whole.all() else 0.0)
    best = max(
        sum(int(points.ghs[rig, level]) for rig, level in enumerate(levels))
        for levels in product(*(range(rise_w.shape[1]) for _ in tables))
        if sum(int(rise_w[rig, level]) for rig, level in enumerate(levels)) <= budget_w
    )
    assert ours - 1e-6 <= best <= bound + 1e-6
