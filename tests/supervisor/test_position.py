"""The highest position that keeps every bound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from supervisor.learn import Learner
from supervisor.line import Curve, deal, parts
from supervisor.position import Outlook, highest
from tests.supervisor.test_merit import table


def linear(fits, length_w):
    """The same answer, the slow way."""
    return max((w for w in range(length_w + 1) if fits(w)), default=0)


def test_examples():
    assert highest(lambda w: w <= 70, 100) == 70
    assert highest(lambda w: True, 100) == 100
    assert highest(lambda w: False, 100) == 0
    assert highest(lambda w: w <= 0, 100, 100) == 0
    assert highest(lambda w: True, 0) == 0
    assert highest(lambda w: w <= 70, 100, 5_000) == 70


@given(st.integers(0, 3000), st.integers(-2, 3100), st.integers(0, 4000))
def test_where_it_starts_to_look_does_not_matter(length_w, edge_w, near_w):
    def fits(position_w):
        assert 0 <= position_w <= length_w
        return position_w <= edge_w

    assert highest(fits, length_w, near_w) == linear(lambda w: w <= edge_w, length_w)


def test_it_never_looks_below_nothing():
    asked = []
    assert highest(lambda w: asked.append(w) or w <= 1, 100_000, 3) == 1
    assert min(asked) >= 0


@given(st.integers(1, 10_000_000_000), st.floats(0, 1), st.floats(0, 1))
def test_a_whole_site_takes_few_questions(length_w, edge, near):
    asked = []

    def fits(position_w):
        asked.append(position_w)
        return position_w <= edge * length_w

    assert highest(fits, length_w, int(near * length_w)) == int(edge * length_w)
    assert len(asked) <= 45


def test_near_where_it_was_it_takes_very_few():
    asked = []

    def fits(position_w):
        asked.append(position_w)
        return position_w <= 60_000_500

    assert highest(fits, 100_000_000, 60_000_000) == 60_000_500
    assert len(asked) <= 20


def test_an_outlook_adds_up_models_and_what_is_not_known_of_them():
    line = deal(table([(100, 100)], [(300, 250)]), np.array([0, 1]), 1)
    split = parts(line, np.array([0, 1]), 2)
    learner = Learner()
    learner.fit(2, 0.0, 1.0)
    now = [Curve(part, np.array([1.0, 0.5])) for part in split]
    outlook = Outlook(now, [Curve(part, np.ones(2)) for part in split], learner)
    assert outlook.expected(400).tolist() == [100, 150]
    assert outlook.now_w(400) == learner.worst_w(np.array([100.0, 150.0])) > 250
    assert outlook.full_w(400) == learner.worst_w(np.array([100.0, 300.0])) > 400
    assert outlook.full_w(399) == learner.worst_w(np.array([100.0, 0.0]))
