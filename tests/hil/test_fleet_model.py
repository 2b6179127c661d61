"""The fleet model: rigs that wake, climb, fall, fault and come back, a column at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil import fleet as fleets
from hil.bridge import Bridge, enrol, facts, ladder_rows
from hil.fleet import ASLEEP, FAR_W, FAULT, RUNNING, STEPS, WAKING, ModelFleet
from hil.models import MODELS, Model
from protocols import ladder
from supervisor import line as lines
from supervisor.dispatcher import Dispatcher, Means

ONE = Model("one", 1, 10, 20, ((1000, 100), (2000, 180), (2500, 200)), 4.0, 500.0, 0.1, 1.0)


@pytest.fixture
def one(monkeypatch):
    """A rig alone that lists 10 % less than it draws, and wakes for sure."""
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 0.0)
    rig = ModelFleet(1, models=(ONE,))
    hold(rig, 0, [(1, 0, 980), (2, 1980, 2980), (3, 2980, 3480)])
    return rig


def hold(rigs, row, steps):
    """A ladder for one row."""
    padded = [*steps, *[(0, FAR_W, FAR_W)] * (STEPS - len(steps))]
    level, start_w, end_w = (np.array([column]) for column in zip(*padded))
    rigs.hold(np.array([row]), start_w, end_w, level)


def admit(rigs, position_w):
    rigs.admit(position_w, np.arange(len(rigs.names)))


def seconds_until(rigs, done, step_s=0.1, most_s=60.0):
    passed_s = 0.0
    while not done():
        rigs.step(step_s)
        passed_s += step_s
        assert passed_s < most_s, "waited in vain"
    return passed_s


def test_a_fleet_is_made_of_its_models_in_their_shares():
    rigs = ModelFleet(1000)
    counts = np.bincount(rigs.group).tolist()
    assert counts == [round(1000 * m.part) for m in MODELS]
    assert len(set(rigs.names)) == 1000
    assert np.array_equal(ModelFleet(1000).factor, rigs.factor), "the same seed, the same rigs"
    assert not np.array_equal(ModelFleet(1000, seed=2).factor, rigs.factor)
    for number, model in enumerate(MODELS):
        errors = rigs.factor[rigs.group == number] - 1
        assert abs(errors.mean() - model.report_error) < 0.01 and errors.std() < 0.04


def test_everybody_starts_asleep():
    rigs = ModelFleet(100)
    assert (rigs.state == ASLEEP).all() and rigs.hash_ghs == 0
    assert rigs.drawn_w == rigs.floor_w.sum()
    assert len(rigs.take_changed()) == 0


def test_waking_takes_its_time_and_then_it_climbs(one):
    admit(one, 980)
    assert one.state[0] == WAKING and one.power_w[0] == 20 + fleets.WAKING_W
    waking_s = seconds_until(one, lambda: one.state[0] == RUNNING)
    assert 0.9 * 4.0 <= waking_s <= 1.1 * 4.0 + 0.1
    true_w = 1000 * one.factor[0]
    climbing_s = seconds_until(one, lambda: one.power_w[0] >= true_w - 1e-6)
    part_per_s = ONE.up_w_per_s / ONE.points[-1][0]  # as quick as its hello says
    assert abs(climbing_s - (100 / 200 - fleets.FIRST_PART) / part_per_s) < 0.3
    one.step(10.0)
    assert one.power_w[0] == pytest.approx(true_w), "and there it stays"
    assert one.hash_ghs == pytest.approx(100)


def test_one_long_step_is_as_good_as_many_short_ones(one):
    admit(one, 980)
    one.step(20.0)
    assert one.power_w[0] == pytest.approx(1000 * one.factor[0])
    admit(one, 3480)
    one.step(1.0)
    after_one_w = one.power_w[0]
    assert after_one_w > 1000 * one.factor[0] + 200
    admit(one, 980)
    one.step(20.0)
    admit(one, 3480)
    for _ in range(20):
        one.step(0.05)
    assert one.power_w[0] == pytest.approx(after_one_w)


def test_sleep_is_at_once_and_lower_levels_within_a_second_or_two(one):
    admit(one, 3480)
    one.step(60.0)
    admit(one, 980)
    assert seconds_until(one, lambda: one.power_w[0] <= 1000 * one.factor[0] + 1) < 2.0
    admit(one, 979)
    assert one.state[0] == ASLEEP and one.power_w[0] == 20
    assert one.take_changed().tolist() == [0]


def test_put_to_sleep_while_waking_it_never_draws(one):
    admit(one, 980)
    one.step(2.0)
    admit(one, 0)
    one.step(30.0)
    assert one.state[0] == ASLEEP and one.power_w[0] == 20
    admit(one, 980)
    assert seconds_until(one, lambda: one.state[0] == RUNNING) > 3.5, "from the beginning"


def test_a_position_between_steps_changes_nothing(one):
    admit(one, 980)
    one.step(30.0)
    before = one.power_w[0]
    admit(one, 1900)
    one.step(30.0)
    assert one.power_w[0] == before


def test_one_that_fails_to_wake_is_in_fault_and_tries_again(one, monkeypatch):
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 1.0)
    admit(one, 980)
    seconds_until(one, lambda: one.state[0] == FAULT)
    assert one.power_w[0] == 20 and one.hash_ghs == 0
    assert one.able_w() == 20
    admit(one, 3480)
    assert one.state[0] == FAULT, "it cannot be told to run"
    one.take_changed()
    waited_s = seconds_until(one, lambda: one.state[0] == ASLEEP, 1.0, 200.0)
    assert 60 <= waited_s <= 181
    assert one.take_changed().tolist() == [0]
    admit(one, 3480)
    one.step(30.0)
    assert one.state[0] == ASLEEP, "its ladder is gone: it must join anew"
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 0.0)
    hold(one, 0, [(1, 0, 980)])
    admit(one, 3480)
    one.step(30.0)
    assert one.state[0] == RUNNING and one.able_w() > 2500


def test_few_fail():
    rigs = ModelFleet(4000)
    line = lines.deal(enrol(rigs).points, np.arange(4000), 1)
    rigs.hold(np.arange(4000), *ladder_rows(line, 4000))
    admit(rigs, line.length_w)
    for _ in range(10):
        rigs.step(1.0)
    failed = int((rigs.state == FAULT).sum())
    assert 0 < failed < 4000 * 0.006
    assert (rigs.state[rigs.state != FAULT] == RUNNING).all()


def test_a_dropped_ladder_is_sleep(one):
    admit(one, 3480)
    one.step(30.0)
    one.drop(np.array([0]))
    assert one.state[0] == ASLEEP and one.power_w[0] == 20
    admit(one, 3480)
    assert one.state[0] == ASLEEP


def test_the_noise_is_small_and_about_nothing():
    rigs = ModelFleet(1000)
    line = lines.deal(enrol(rigs).points, np.arange(1000), 1)
    rigs.hold(np.arange(1000), *ladder_rows(line, 1000))
    admit(rigs, line.length_w)
    for _ in range(30):
        rigs.step(60.0)
    sum_w = rigs.power_w.sum()
    seen = []
    for _ in range(200):
        rigs.step(1.0)
        seen.append(rigs.drawn_w / sum_w - 1)
    assert abs(np.mean(seen)) < 1e-4 and np.std(seen) < 3e-4


def test_enrolled_rigs_sit_in_the_same_rows():
    rigs = ModelFleet(97)
    fleet = enrol(rigs)
    assert fleet.names == rigs.names
    for row in range(97):
        model = rigs.models[rigs.group[row]]
        assert fleet.models[fleet.group[row]] == model.name
        assert facts(model).points == model.points
        assert fleet.top_level[row] == len(model.points)


crowds = st.integers(1, 12).flatmap(
    lambda rigs: st.tuples(st.just(rigs), st.integers(0, 400), st.integers(0, 40_000))
)


@given(crowds, st.booleans(), st.integers(0, 50_000))
@settings(max_examples=150, deadline=None)
def test_a_column_admits_what_each_rig_would(crowd, with_band, position_w):
    """Rig by rig against the ladder of the firmware; watts to the fraction it rounds to."""
    rigs, seed, centre_w = crowd
    model = ModelFleet(rigs, seed)
    points = enrol(model).points
    band_w = 8_000 if with_band else 0
    line = lines.deal(points, np.arange(rigs), 1, centre_w=centre_w, band_w=band_w)
    model.hold(np.arange(rigs), *ladder_rows(line, rigs))
    admit(model, position_w)
    for row in range(rigs):
        steps = line.ladder(row)
        told = ladder.admit(steps, position_w)
        assert model.level[row] == told.level
        low_w, high_w = points.watts[row, told.level], points.watts[row, told.next_level]
        listed_w = low_w + (high_w - low_w) * told.part_pm / 1000
        assert -1e-6 <= model.listed_w[row] - listed_w <= (high_w - low_w) / 1000 + 1e-6
        taken_w = ladder.admitted_w(steps, position_w)
        assert model.listed_w[row] - model.floor_w[row] == pytest.approx(taken_w)


def test_a_broadcast_reaches_whoever_it_can_concern():
    """The bridge tells only rigs with a step between the old and the new position."""
    rigs = ModelFleet(60)
    dispatcher = Dispatcher(enrol(rigs), Means(up_w_per_s=1e9))
    bridge = Bridge(rigs, dispatcher)
    bridge.deal(0.0)
    dice = np.random.default_rng(1)
    limits_w = np.repeat(dice.integers(0, 250_000, 20), 3).tolist()
    for now_s, limit_w in enumerate(limits_w):
        made = bridge.tick(float(now_s), limit_w, None)
        rigs.step(1.0)
        held = [dispatcher.line.ladder(row) for row in range(60)]
        for row in np.flatnonzero(dispatcher.fleet.counted & (rigs.state != FAULT)).tolist():
            if row not in bridge._waiting:
                assert rigs.level[row] == ladder.admit(held[row], made.admit_w).level


def test_a_rig_back_from_a_fault_waits_a_lease_for_its_ladder(monkeypatch):
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 1.0)
    rigs = ModelFleet(1)
    dispatcher = Dispatcher(enrol(rigs), Means(up_w_per_s=1e9, lease_s=10.0))
    bridge = Bridge(rigs, dispatcher)
    bridge.deal(0.0)
    clock = iter(range(1000))

    def until(done):
        """The second in which this has become so."""
        while not done():
            now_s = next(clock)
            bridge.tick(float(now_s), 10_000, None)
            rigs.step(1.0)
        return now_s

    until(lambda: not dispatcher.fleet.counted[0])
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 0.0)
    counted_s = until(lambda: dispatcher.fleet.counted[0])
    assert until(lambda: rigs.state[0] != ASLEEP) - counted_s == 10
