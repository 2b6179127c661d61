"""What a rig with somebody else's firmware is told and counted with: by story and property."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.stock import Miner, Rules

LEVELS_W = (30, 2400, 3400)
RULES = Rules()


class Desk:
    """A miner whose orders are noted; power follows nobody but the test."""

    def __init__(self, power_w=3400, rules=RULES):
        self.now_s, self.power_w, self.orders = 1000.0, power_w, []
        self.miner = Miner(LEVELS_W, rules, self.now_s)

    def run(self, seconds, aim, heard=True):
        for _ in range(seconds):
            self.now_s += 1.0
            if heard:
                self.miner.hear(self.now_s, self.power_w)
            level = self.miner.step(self.now_s, aim)
            if level is not None:
                self.orders.append((self.now_s - 1000.0, level))
        return self.orders


def test_it_is_taken_as_it_is_found():
    for power_w, level in ((3390, 2), (2500, 1), (35, 0), (900, 1)):
        desk = Desk(power_w)
        assert desk.miner.told is None and desk.miner.could_w(desk.now_s) == 3400
        desk.run(1, level)
        assert desk.miner.told == level and desk.miner.could_w(desk.now_s) >= power_w


def test_a_fall_is_ordered_once_it_lasts_and_repeated_until_it_is_measured():
    desk = Desk()
    desk.run(10, 2)
    assert desk.run(2, 0) == []
    assert desk.run(60, 0) == [(13.0, 0), (43.0, 0)]
    desk.power_w = 31
    assert len(desk.run(300, 0)) == 2 and desk.miner.arrived


def test_a_falling_one_is_counted_as_before_until_it_is_measured_where_it_was_told():
    desk = Desk()
    desk.run(10, 2)
    desk.run(5, 0)
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 1000  # on its way is not there
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 30
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 30


def test_a_rise_waits_for_dwell_and_is_counted_at_once():
    desk = Desk(30)
    assert desk.run(299, 2) == []
    assert desk.run(1, 2) == [(300.0, 2)]
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 3380
    desk.run(1, 2)
    assert desk.run(9, 1) == [(300.0, 2), (304.0, 1)]  # a fall waits for nobody


def test_a_rise_that_does_not_last_is_none():
    desk = Desk(30)
    desk.run(400, 0)
    for _ in range(10):
        desk.run(20, 2)
        desk.run(5, 0)
    assert desk.orders == []


def test_what_a_level_may_draw():
    desk = Desk()
    levels = [desk.miner.level_of(power_w) for power_w in (0, 92, 93, 2652, 2653, 99_000)]
    assert levels == [0, 0, 1, 1, 2, 2] and desk.miner.top == 2


def test_a_rise_to_the_second():
    desk = Desk(30)
    desk.run(400, 0)
    assert desk.run(30, 2) == []
    assert desk.run(1, 2) == [(431.0, 2)]


def test_one_that_wakes_is_given_time_then_told_again():
    desk = Desk(30)
    desk.run(300, 2)
    assert desk.run(180, 2) == [(300.0, 2)] and not desk.miner.disobeys(desk.now_s)
    assert desk.run(31, 2) == [(300.0, 2), (481.0, 2), (511.0, 2)]
    assert desk.miner.disobeys(desk.now_s)
    desk.power_w = 2889  # not yet 85 % of 3400
    desk.run(1, 2)
    assert not desk.miner.arrived
    desk.power_w = 2890
    desk.run(1, 2)
    assert desk.miner.arrived and not desk.miner.disobeys(desk.now_s)


def test_one_that_draws_more_than_it_was_told_is_not_given_time():
    desk = Desk(2400)
    desk.run(10, 1)
    desk.power_w = 3400
    assert desk.run(1, 1) == [(11.0, 1)]
    assert desk.miner.could_w(desk.now_s) == 3400


def test_one_that_wakes_is_counted_at_its_top_until_it_is_where_it_was_told():
    desk = Desk(30)
    desk.run(300, 1)
    assert desk.orders == [(300.0, 1)] and desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 3400  # it came back as it was made
    assert desk.run(35, 1) == [(300.0, 1), (330.0, 1)]
    desk.power_w = 2390
    desk.run(1, 1)
    assert desk.miner.could_w(desk.now_s) == 2400


def test_one_that_is_not_heard_is_counted_at_its_top_and_told_nothing():
    desk = Desk(30)
    desk.run(400, 0)
    assert desk.miner.could_w(desk.now_s) == 30
    desk.run(30, 0, heard=False)
    assert desk.miner.could_w(desk.now_s) == 30
    desk.run(1, 0, heard=False)
    assert desk.miner.could_w(desk.now_s) == 3400
    assert desk.run(1000, 2, heard=False) == [] and desk.miner.could_w(desk.now_s) == 3400


def test_one_that_somebody_else_has_woken_is_counted_and_told_again():
    desk = Desk(30)
    desk.run(400, 0)
    desk.power_w = 2000
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 2400
    assert desk.run(31, 0)[-1][1] == 0


def test_one_that_does_not_obey_says_so_and_is_told_for_ever():
    desk = Desk()
    desk.run(10, 2)
    desk.run(100, 0)
    assert not desk.miner.disobeys(desk.now_s)
    desk.run(500, 0)
    assert desk.miner.disobeys(desk.now_s) and len(desk.orders) >= 20
    assert desk.miner.could_w(desk.now_s) == 3400


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(1, 60), st.booleans(), st.integers(0, 8), st.booleans()
        ),
        max_size=30,
    ),
    st.integers(0, 2),
)
def test_it_never_draws_more_than_it_is_counted_with(stretches, first):
    """Whatever is admitted, however slow or deaf it is, heard or not: nobody else touches it."""
    rules = Rules(rise_s=3.0, dwell_s=10.0, repeat_s=5.0, obey_s=20.0, silent_s=8.0)
    desk = Desk(LEVELS_W[first], rules)
    miner, goal_w, due = desk.miner, LEVELS_W[first], []
    for aim, seconds, heard, delay_s, deaf in stretches:
        for _ in range(seconds):
            desk.now_s += 1.0
            while due and due[0][0] <= desk.now_s:
                goal_w = due.pop(0)[1]
            desk.power_w += max(-900, min(900, goal_w - desk.power_w))
            if heard:
                miner.hear(desk.now_s, desk.power_w)
            level = miner.step(desk.now_s, aim)
            if level is not None and not deaf:
                back = desk.power_w <= 30 and level  # wakes as it was made, then finds its limit
                due += [(desk.now_s + delay_s, LEVELS_W[-1])] if back else []
                due.append((desk.now_s + delay_s + (9 if back else 0), LEVELS_W[level]))
                due.sort(key=lambda pair: pair[0])
            if miner.told is not None:
                assert desk.power_w <= miner.could_w(desk.now_s)
