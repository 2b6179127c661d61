"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import ladder
from protocols.ladder import Admitted, LadderError, Step

ASLEEP = Admitted(0, 0, 0)
# level 1 at 900..1000, level 2 at 2000..2400, level 5 at 2400..3400
RAW = [[1, 900, 1000], [2, 2000, 2400], [5, 2400, 3400]]
STEPS = ladder.parse(RAW)

# position -> what is admitted, and the watts of the merit order it takes
STORY = (
    (0, ASLEEP, 0),
    (900, ASLEEP, 0),
    (999, ASLEEP, 0),  # a rig cannot half wake
    (1000, Admitted(1, 1, 0), 100),
    (1999, Admitted(1, 1, 0), 100),
    (2000, Admitted(1, 1, 0), 100),
    (2001, Admitted(1, 2, 2), 101),
    (2100, Admitted(1, 2, 250), 200),
    (2399, Admitted(1, 2, 997), 499),
    (2400, Admitted(2, 2, 0), 500),
    (2401, Admitted(2, 5, 1), 501),
    (2900, Admitted(2, 5, 500), 1000),
    (3399, Admitted(2, 5, 999), 1499),
    (3400, Admitted(5, 5, 0), 1500),
    (10**12, Admitted(5, 5, 0), 1500),
)


def test_a_ladder_is_read():
    assert (Step(1, 900, 1000), Step(2, 2000, 2400), Step(5, 2400, 3400)) == STEPS
    assert ladder.parse([]) == ()
    assert len(ladder.parse([[n + 1, n, n + 1] for n in range(32)])) == 32
    assert ladder.parse([[1, 0, 10_000_000_000]])[0].end_w == 10_000_000_000


def test_the_story_of_a_rising_position():
    for position_w, admitted, watts in STORY:
        assert ladder.admit(STEPS, position_w) == admitted, position_w
        assert ladder.admitted_w(STEPS, position_w) == watts, position_w


def test_no_ladder_no_watt():
    assert ladder.admit((), 10**9) == ASLEEP == ladder.ASLEEP
    assert ladder.admitted_w((), 10**9) == 0
    assert ladder.admit(STEPS, -1) == ASLEEP and ladder.admitted_w(STEPS, -1) == 0


def test_sites_larger_than_a_small_integer():
    steps = ladder.parse([[1, 2_000_000_000, 2_000_001_000], [2, 2_000_001_000, 2_000_002_000]])
    assert ladder.admit(steps, 2_000_001_999) == Admitted(1, 2, 999)
    assert ladder.admitted_w(steps, 2_000_001_999) == 1999


def test_what_does_not_rise_is_refused():
    for raw, place in (
        ([[0, 0, 1]], 0),
        ([[-1, 0, 1]], 0),
        ([[1, -1, 1]], 0),
        ([[1, 5, 5]], 0),
        ([[1, 6, 5]], 0),
        ([[1, 0, 10_000_000_001]], 0),
        ([[1, 0, 10], [1, 10, 20]], 1),
        ([[2, 0, 10], [1, 10, 20]], 1),
        ([[1, 0, 10], [2, 9, 20]], 1),
        ([[1, 0, 10], [2, 10, 10]], 1),
        ([[1, 100, 200], [2, 0, 100]], 1),
    ):
        assert f"step {place}" in refusal(raw), raw


def test_what_is_no_ladder_is_refused():
    for raw in (
        None,
        {},
        "[]",
        5,
        [1],
        [[]],
        [[1, 2]],
        [[1, 2, 3, 4]],
        [["1", 2, 3]],
        [[1.0, 2, 3]],
        [[True, 2, 3]],
        [[1, None, 3]],
        [(1, 2, 3)],
        [[n + 1, n, n + 1] for n in range(33)],
    ):
        assert refusal(raw), raw


def refusal(raw):
    try:
        ladder.parse(raw)
    except LadderError as error:
        return str(error)
    return ""
