"""Feeders and containers: no position admits more below a node than it carries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.line import banded, deal, extend
from supervisor.merit import steps_of
from supervisor.tree import NOWHERE, Branches, branches, grown
from tests.supervisor.test_merit import rigs, table

SITE = grown(
    {"east": 1000, "east/c1": 400, "west": 500},
    ["east/c1/r1", "east/c1/r2", "east/c2", "west/c9"],
)


def row(path):
    return SITE.paths.index(path)


def test_every_prefix_of_a_place_is_a_node_below_the_one_before():
    assert SITE.paths == (
        "east",
        "east/c1",
        "east/c1/r1",
        "east/c1/r2",
        "east/c2",
        "west",
        "west/c9",
    )
    assert SITE.parent.tolist() == [NOWHERE, 0, 1, 1, 0, NOWHERE, 5]
    assert SITE.limit_w[row("east/c1")] == 400 and np.isinf(SITE.limit_w[row("east/c2")])
    assert SITE.node("west/c9") == 6 and SITE.node("nowhere") == NOWHERE


def test_ancestors_by_depth_the_deepest_first():
    deepest, middle, top = (level.tolist() for level in SITE.above())
    assert deepest == [-1, -1, 2, 3, -1, -1, -1]
    assert middle == [-1, 1, 1, 1, 4, -1, 6]
    assert top == [0, 0, 0, 0, 0, 5, 5]


def test_sums_count_everything_below():
    node = np.array([row("east/c1/r1"), row("east/c1/r2"), row("east"), NOWHERE, row("west/c9")])
    sums = SITE.sums(node, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert sums.tolist() == [7.0, 3.0, 1.0, 2.0, 0.0, 16.0, 16.0]


def test_a_tree_of_nothing_carries_everything():
    nothing = grown({})
    assert nothing.paths == () and nothing.above() == []
    free = branches(nothing, np.array([NOWHERE]), np.array([20]), np.ones(1))
    assert free.keeps(np.array([0, 0]), np.array([100, 100])).all() and free.carries(np.ones(1))


def test_room_is_what_floors_leave():
    node = np.array([row("east/c1/r1"), row("west"), row("west")])
    on = branches(SITE, node, np.array([20, 300, 300]), np.ones(3))
    assert on.room_w[row("east")] == 980 and on.room_w[row("east/c1")] == 380
    assert on.room_w[row("west")] == 0, "never below nothing"


def fed(room_w, node, weight=None):
    weight = np.ones(len(node)) if weight is None else np.array(weight)
    return Branches(SITE, np.array(node), weight, np.array(room_w, dtype=float))


ALL = [np.inf] * 7


def test_what_does_not_fit_takes_all_later_steps_of_its_node_along():
    room_w = list(ALL)
    room_w[row("east/c1")] = 250
    on = fed(room_w, [row("east/c1/r1"), row("east/c1/r2"), row("east/c2")])
    kept = on.keeps(np.array([0, 1, 0, 2, 1]), np.array([100, 150, 100, 100, 10]))
    assert kept.tolist() == [True, True, False, True, False]


def test_what_a_child_leaves_out_does_not_fill_its_parent():
    room_w = list(ALL)
    room_w[row("east")], room_w[row("east/c1")] = 300, 100
    on = fed(room_w, [row("east/c1/r1"), row("east/c2")])
    kept = on.keeps(np.array([0, 0, 1, 1]), np.array([100, 500, 200, 1]))
    assert kept.tolist() == [True, False, True, False]


def test_steps_weigh_what_their_rig_really_draws():
    room_w = list(ALL)
    room_w[row("west")] = 221
    kept = fed(room_w, [row("west/c9")] * 2, [1.1, 1.1]).keeps(
        np.array([0, 1, 1]), np.array([100, 100, 2])
    )
    assert kept.tolist() == [True, True, False]


def test_what_was_given_is_no_longer_there():
    room_w = list(ALL)
    room_w[row("east/c1")] = 250
    left = fed(room_w, [row("east/c1/r1"), row("east/c2")]).less(np.array([100.0, 500.0]))
    assert left.room_w[row("east/c1")] == 150
    assert left.carries(np.array([150.0, 9e9])) and not left.carries(np.array([151.0, 0.0]))


# ---- on the line


def below(path):
    return [n for n, p in enumerate(SITE.paths) if p == path or p.startswith(path + "/")]


limits = st.lists(st.integers(0, 300), min_size=7, max_size=7)


@given(rigs, limits, st.data())
@settings(max_examples=150, deadline=None)
def test_no_position_admits_more_below_a_node_than_it_carries(tables, room_w, data):
    """With or without a band, newcomers, and rigs that draw other than they list."""
    points, count = table(*tables), len(tables)
    node = data.draw(st.lists(st.integers(NOWHERE, 6), min_size=count, max_size=count))
    weight = data.draw(st.lists(st.sampled_from((0.8, 1.0, 1.25)), min_size=count, max_size=count))
    on, first = fed(room_w, node, weight), data.draw(st.integers(1, count))
    centre_w, band_w = data.draw(st.integers(0, 400)), data.draw(st.integers(0, 200))
    line = deal(points, np.arange(first), 1, branches=on, centre_w=centre_w, band_w=band_w)
    line = extend(line, points, np.arange(first, count), on)
    for position_w in {0, line.length_w, *line.end_w.tolist(), *(line.end_w - 1).tolist()}:
        admitted_w = line.admitted_by_rig(position_w, count)
        assert admitted_w.sum() <= max(0, position_w)
        for number, path in enumerate(SITE.paths):
            under = [rig for rig in range(count) if node[rig] in below(path)]
            assert (admitted_w * on.weight)[under].sum() <= room_w[number] + 1e-6
    for rig in range(count):
        steps = [s.level for s in line.ladder(rig)]
        assert steps == sorted(steps)
        whole = steps_of(points)
        assert steps == whole.level[whole.rig == rig].tolist()[: len(steps)], "a step is missing"


@given(rigs, limits, st.integers(0, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_close_to_the_exact_optimum_under_the_same_limits(tables, room_w, budget_w, data):
    """But for one step at the budget and one at every node that is full."""
    pytest.importorskip("highspy")
    from tests.supervisor.exact import best

    points, count = table(*tables), len(tables)
    node = data.draw(st.lists(st.integers(NOWHERE, 6), min_size=count, max_size=count))
    on = fed(room_w, node)
    line = deal(points, np.arange(count), 1, branches=on)
    taken = line.end_w <= budget_w
    levels = np.zeros(count, dtype=np.int64)
    np.maximum.at(levels, line.rig[taken], line.level[taken])
    gained = points.ghs[np.arange(count), levels].sum()
    exact = best(
        points.watts[:, 1:] - points.watts[:, :1],
        points.ghs[:, 1:],
        budget_w,
        [[rig for rig in range(count) if node[rig] in below(path)] for path in SITE.paths],
        room_w,
    )
    steps = steps_of(points)
    largest = (steps.gain * steps.width_w).max(initial=0.0)
    assert gained <= exact + 1e-6
    assert gained >= exact - largest * (1 + len(SITE.paths)) - 1e-6


def test_a_band_stays_within_the_priority_it_is_in():
    """Two rigs of priority 1, two of 2: the centre is in the second, the first is left alone."""
    points = table(*[[(100, 100), (200, 150)]] * 4)
    plain = steps_of(points)
    order = np.lexsort((plain.rig >= 2,))
    steps = type(plain)(
        *(c[order] for c in (plain.rig, plain.from_level, plain.level, plain.width_w, plain.gain))
    )
    after = banded(steps, 650, 800, np.array([1, 1, 2, 2]))
    assert after.rig.tolist()[:4] == steps.rig.tolist()[:4]
    free = banded(steps, 650, 800)
    assert free.rig.tolist()[:4] != steps.rig.tolist()[:4]
