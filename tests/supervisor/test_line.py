"""The line of watts: whose they are, and how much is drawn with the position here."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ladder import Step, admitted_w, parse
from supervisor.line import Curve, banded, deal, empty, extend, parts
from supervisor.merit import steps_of
from tests.supervisor.small import fleet_of
from tests.supervisor.test_merit import rigs, table

TWO = table([(100, 100), (200, 150)], [(100, 200), (200, 220)])
EVERYBODY = np.array([0, 1])


def whole(line):
    """The line as (rig, level, start, end), in order."""
    return list(
        zip(line.rig.tolist(), line.level.tolist(), line.start_w.tolist(), line.end_w.tolist())
    )


def test_an_empty_line_is_nobodys():
    line = empty(7)
    assert (line.epoch, line.length_w, line.ladder(0), line.ladders()) == (7, 0, (), {})
    assert parts(line, np.zeros(0, dtype=np.int64), 0) == []


def test_steps_lie_end_to_end_in_merit_order():
    line = deal(TWO, EVERYBODY, 3)
    assert line.epoch == 3
    assert whole(line) == [(1, 1, 0, 100), (0, 1, 100, 200), (0, 2, 200, 300), (1, 2, 300, 400)]
    assert line.wakes.tolist() == [True, True, False, False]
    assert line.ladder(0) == (Step(1, 100, 200), Step(2, 200, 300))
    assert line.ladders() == {0: line.ladder(0), 1: line.ladder(1)}


def test_only_those_named_are_on_the_line():
    line = deal(TWO, np.array([1]), 1)
    assert set(line.rig.tolist()) == {1}
    assert line.length_w == 200 and line.ladder(0) == ()


def test_newcomers_go_to_the_end():
    line = deal(TWO, np.array([0]), 4)
    longer = extend(line, TWO, np.array([1]))
    assert longer.epoch == 4
    assert whole(longer) == [*whole(line), (1, 1, 200, 300), (1, 2, 300, 400)]
    assert longer.ladder(0) == line.ladder(0)


def test_parts_hold_every_step_once():
    line = deal(TWO, EVERYBODY, 1)
    one, other = parts(line, np.array([1, 0]), 2)
    assert one.rig.tolist() == [1, 1] and other.rig.tolist() == [0, 0]
    assert one.end_w.tolist() == [100, 400]


def test_a_curve_climbs_within_a_step_but_not_within_a_waking():
    (part,) = parts(deal(TWO, np.array([0]), 1), np.zeros(2, dtype=np.int64), 1)
    curve = Curve(part, np.ones(2))
    drawn = [curve.at(w) for w in (0, 99, 100, 101, 150, 199, 200, 10_000)]
    assert drawn == [0, 0, 100, 101, 150, 199, 200, 200]


def test_a_curve_counts_a_rig_by_its_weight_and_up_to_its_cap():
    (part,) = parts(deal(TWO, EVERYBODY, 1), np.zeros(2, dtype=np.int64), 1)
    assert Curve(part, np.array([0.5, 1.0])).at(400) == 300
    assert Curve(part, np.ones(2), np.array([1, 2])).at(400) == 300
    assert Curve(part, np.ones(2), np.array([0, 2])).at(150) == 100
    assert Curve(part, np.zeros(2)).at(400) == 0


def test_nothing_is_drawn_between_the_steps_of_a_part():
    line = deal(TWO, EVERYBODY, 1)
    one, _ = parts(line, np.array([1, 0]), 2)
    assert [Curve(one, np.ones(2)).at(w) for w in (100, 250, 300, 350)] == [100, 100, 100, 150]


def band_of(watts_each=100, rigs=6, centre_w=650, band_w=250):
    """Rigs alike: all wake first, then all climb; the band puts climbs around the centre."""
    steps = steps_of(table(*[[(watts_each, 100), (2 * watts_each, 150)]] * rigs))
    return steps, banded(steps, centre_w, band_w)


def test_a_band_brings_climbs_of_those_awake_to_the_centre():
    wakes_first, around = band_of(centre_w=350)
    assert wakes_first.from_level.tolist() == [0] * 6 + [1] * 6
    assert around.from_level.tolist() == [0] * 3 + [1] * 2 + [0] * 3 + [1] * 4
    assert around.rig.tolist() == [0, 1, 2, 0, 1, 3, 4, 5, 2, 3, 4, 5]


def test_a_band_puts_the_last_climbs_below_the_centre_nearest_to_it():
    steps = steps_of(table([(100, 1000), (200, 1900)], [(100, 500), (200, 900)]))
    assert list(zip(steps.rig.tolist(), steps.from_level.tolist())) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    around = banded(steps, 300, 100)
    assert list(zip(around.rig.tolist(), around.from_level.tolist())) == [
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
    ]
    assert banded(steps, 300, 99).rig.tolist() == steps.rig.tolist()


LONG = table([(100, 1000), (200, 1900), (300, 2700), (400, 3400)], [(100, 300), (150, 400)])


def order_of(steps):
    return list(zip(steps.rig.tolist(), steps.from_level.tolist()))


def test_of_several_climbs_below_the_last_ones_move_and_keep_their_order():
    steps = steps_of(LONG)
    assert order_of(steps) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]
    assert order_of(banded(steps, 500, 299)) == [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1)]
    assert order_of(banded(steps, 500, 300)) == [(0, 0), (1, 0), (0, 1), (0, 2), (0, 3), (1, 1)]


def test_of_several_climbs_above_the_first_ones_move_as_far_as_the_band_goes():
    steps = steps_of(table([(100, 1000), (150, 1100), (200, 1150)], [(100, 900)]))
    assert order_of(steps) == [(0, 0), (1, 0), (0, 1), (0, 2)]
    assert order_of(banded(steps, 100, 49)) == [(0, 0), (1, 0), (0, 1), (0, 2)]
    assert order_of(banded(steps, 100, 50)) == [(0, 0), (0, 1), (1, 0), (0, 2)]
    assert order_of(banded(steps, 100, 100)) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_a_deal_without_a_band_is_plain():
    tiny = table([(100, 1000), (101, 1001)], [(100, 900)])
    assert whole(deal(tiny, EVERYBODY, 1, centre_w=100))[1][:2] == (1, 1)
    assert whole(deal(TWO, EVERYBODY, 1, centre_w=200)) == whole(deal(TWO, EVERYBODY, 1))
    dealt = deal(TWO, EVERYBODY, 1, centre_w=100, band_w=1000)
    assert whole(dealt)[:2] == [(1, 1, 0, 100), (1, 2, 100, 200)]


@given(rigs)
def test_steps_are_disjoint_and_without_gaps(tables):
    line = deal(table(*tables), np.arange(len(tables)), 1)
    assert (line.start_w[1:] == line.end_w[:-1]).all()
    assert not len(line.rig) or line.start_w[0] == 0
    for steps in line.ladders().values():
        assert parse([list(step) for step in steps]) == steps


@given(rigs, rigs)
def test_joining_changes_nobody_elses_ladder(tables, more):
    points = table(*tables, *more)
    first, then = np.arange(len(tables)), np.arange(len(tables), len(tables) + len(more))
    line = deal(points, first, 1)
    longer = extend(line, points, then)
    before = line.ladders()
    assert {rig: steps for rig, steps in longer.ladders().items() if rig in before} == before
    assert (longer.start_w[1:] == longer.end_w[:-1]).all()
    alone = deal(points, then, 1).ladders()
    for rig, steps in alone.items():
        moved = tuple(
            Step(s.level, s.start_w + line.length_w, s.end_w + line.length_w) for s in steps
        )
        assert longer.ladder(rig) == moved


@given(rigs, st.integers(0, 400), st.integers(0, 300))
def test_a_band_keeps_who_is_below_the_centre_and_everybodys_own_order(tables, centre_w, band_w):
    steps = steps_of(table(*tables))
    around = banded(steps, centre_w, band_w)
    below = int((np.cumsum(steps.width_w) <= centre_w).sum())
    key = ("rig", "from_level", "level", "width_w", "gain")
    plain, new = (
        [tuple(row) for row in zip(*(getattr(s, k).tolist() for k in key))] for s in (steps, around)
    )
    assert sorted(plain[:below]) == sorted(new[:below])
    assert sorted(plain) == sorted(new)
    for rig in range(len(tables)):
        assert [r for r in plain if r[0] == rig] == [r for r in new if r[0] == rig]


@st.composite
def crowds(draw):
    """Rigs with tables, groups, weights and caps, and a position."""
    tables = draw(rigs)
    column = lambda values: np.array([draw(values) for _ in tables])  # noqa: E731
    return (
        tables,
        column(st.integers(0, 2)),
        column(st.sampled_from((0.0, 0.25, 1.0))),
        column(st.integers(0, 4)),
        draw(st.integers(0, 900)),
    )


@given(crowds(), st.booleans())
@settings(max_examples=200)
def test_curves_sum_to_what_the_rigs_themselves_admit(crowd, with_band):
    tables, group, weight, cap, position_w = crowd
    everybody = np.arange(len(tables))
    line = deal(table(*tables), everybody, 1, centre_w=100, band_w=150 if with_band else 0)
    split = parts(line, group, 3)
    drawn_w = sum(Curve(part, weight).at(position_w) for part in split)
    ladders = [line.ladder(rig) for rig in everybody]
    direct_w = sum(w * admitted_w(steps, position_w) for w, steps in zip(weight, ladders))
    assert abs(drawn_w - direct_w) < 1e-6
    by_rig = line.admitted_by_rig(position_w, len(tables) + 1).tolist()
    assert by_rig == [*(admitted_w(steps, position_w) for steps in ladders), 0.0]
    capped_w = sum(Curve(part, weight, cap).at(position_w) for part in split)
    within = [tuple(s for s in steps if s.level <= top) for steps, top in zip(ladders, cap)]
    direct_w = sum(w * admitted_w(steps, position_w) for w, steps in zip(weight, within))
    assert abs(capped_w - direct_w) < 1e-6


@given(crowds())
def test_the_whole_line_draws_what_the_position_says(crowd):
    """With everybody there, the position is the watts, but for a waking it lies within."""
    tables, _, _, _, position_w = crowd
    line = deal(table(*tables), np.arange(len(tables)), 1)
    everybody = np.zeros(len(tables), dtype=np.int64)
    (part,) = parts(line, everybody, 1)
    drawn_w = Curve(part, np.ones(len(tables))).at(position_w)
    inside = (line.start_w < position_w) & (position_w < line.end_w) & line.wakes
    missing_w = int((position_w - line.start_w)[inside].sum())
    assert drawn_w == min(position_w, line.length_w) - missing_w


def test_ladders_of_some_are_those_of_all():
    fleet = fleet_of(6, others=3)
    line = deal(fleet.points, np.arange(9), 1)
    everybody = line.ladders()
    assert line.ladders([7, 2]) == {2: everybody[2], 7: everybody[7]}
    assert line.ladders([]) == {}
