"""Overlapping words of one source, composed: by example, then against asking every moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.loss import FOREVER
from supervisor.plan import LAST, ROWS_MAX, PlanError, Word, compose, holding_w, kind_of


def word(from_s, until_s, w, priority=LAST, **more):
    return Word("w", ((float(from_s), w),), float(until_s), priority, **more)


def test_one_after_the_other():
    assert compose([word(0, 10, 5), word(10, 20, 7)], 99) == (((0, 5), (10, 7)), 20)


def test_a_gap_between_two_says_what_holds_between():
    assert compose([word(0, 10, 5), word(15, 20, 7)], 99) == (((0, 5), (10, 99), (15, 7)), 20)


def test_the_more_urgent_holds_higher_or_lower():
    calm = word(0, 100, 5, priority=3)
    assert compose([calm, word(20, 30, 9, priority=0)], 0)[0] == ((0, 5), (20, 9), (30, 5))
    assert compose([calm, word(20, 30, 2, priority=7)], 0)[0] == ((0, 5),)


def test_between_equals_the_lower():
    assert compose([word(0, 100, 5), word(20, 30, 9), word(40, 50, 2)], 0)[0] == (
        (0, 5),
        (40, 2),
        (50, 5),
    )


def test_an_emergency_holds_beside_all_others():
    calm = word(0, 100, 5, priority=0)
    assert compose([calm, word(20, 30, 0, kind="emergency")], 0)[0] == ((0, 5), (20, 0), (30, 5))
    assert compose([calm, word(20, 30, 9, kind="emergency")], 0)[0] == ((0, 5),), "never raises"


def test_rows_inside_a_word():
    ramp = Word("r", ((0.0, 9), (10.0, 6), (20.0, 3)), 30.0)
    assert compose([ramp], 0) == (((0, 9), (10, 6), (20, 3)), 30)


def test_nobody_and_for_ever():
    assert compose([], 5) == ((), FOREVER)
    assert compose([word(3, FOREVER, 5)], 0) == (((3, 5),), FOREVER)


def test_the_kind_of_several_words():
    limit, level = word(0, 10, 5), word(0, 10, 5, kind="level")
    alarm = word(20, 30, 0, kind="emergency")
    assert kind_of([], 0) == kind_of([limit, level], 0) == "limit"
    assert kind_of([level, alarm], 5) == "level" and kind_of([level, alarm], 25) == "emergency"


def test_too_many():
    with pytest.raises(PlanError, match=r"20001 changes ahead; the most is 10000"):
        compose([word(n, n + 1, n) for n in range(2 * ROWS_MAX)], 0)


def test_thousands_that_all_overlap():
    said = [word(n, 10_000 + n, 4_000 - n, priority=n % 5) for n in range(4_000)]
    rows, end_s = compose(said, 0)
    assert end_s == 13_999 and rows[0] == (0, 4_000) and rows[-1][1] == 1


whole = st.integers(0, 40)
words = st.builds(
    lambda at, rows, length, priority, kind: Word(
        "x",
        tuple((float(at + step), w) for step, w in sorted(rows.items())),
        float(at + length),
        priority,
        kind,
    ),
    whole,
    st.dictionaries(st.integers(0, 10), st.integers(0, 9), min_size=1, max_size=3),
    st.integers(0, 20) | st.just(FOREVER),
    st.integers(0, 3),
    st.sampled_from(["limit", "emergency"]),
)


@given(st.lists(words, max_size=6), st.integers(0, 9))
def test_the_schedule_says_at_every_moment_what_asking_all_would(said, between_w):
    rows, end_s = compose(said, between_w)
    assert list(rows) == sorted(rows)
    for at_s in range(80):
        if rows and rows[0][0] <= at_s < end_s:
            planned_w = next(w for from_s, w in reversed(rows) if from_s <= at_s)
            asked_w = holding_w(said, at_s)
            assert planned_w == (between_w if asked_w is None else asked_w)
        else:
            assert holding_w(said, at_s) is None
