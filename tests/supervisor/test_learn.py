"""Each model's power error and the fixed load, learned from the site meter."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.learn import BELIEVE_AFTER, FACTOR_MAX, FACTOR_MIN, FACTOR_SD, SURE, Learner

FIXED_SD_W, METER_SD_W = 3_000.0, 1_000.0
SITE_W = np.array([400_000.0, 600_000.0])


def fresh(models=2):
    learner = Learner()
    learner.fit(models, FIXED_SD_W, METER_SD_W)
    return learner


def taught(learner, factors, fixed_w=0.0, readings=400, seed=1, doubt_w=0.0):
    """The learner after so many readings of a site with these true factors."""
    dice = np.random.default_rng(seed)
    for _ in range(readings):
        expected_w = SITE_W[: len(factors)] * dice.uniform(0.2, 1.0, len(factors))
        metered_w = float(expected_w @ factors) + fixed_w + METER_SD_W * dice.standard_normal()
        learner.elapse(1.0)
        learner.observe(expected_w, metered_w, doubt_w)
    return learner


def margin_w(learner, expected_w=SITE_W):
    return learner.worst_w(expected_w) - learner.likely_w(expected_w)


def test_before_anything_is_learned_rigs_are_believed_with_a_margin():
    learner = fresh()
    assert learner.factors.tolist() == [1.0, 1.0] and learner.fixed_w == 0.0
    assert learner.likely_w(SITE_W) == 1_000_000
    parts = (FACTOR_SD * SITE_W[0], FACTOR_SD * SITE_W[1], FIXED_SD_W)
    assert abs(margin_w(learner) - SURE * np.hypot(np.hypot(*parts[:2]), parts[2])) < 1e-6
    assert fresh(0).likely_w(np.zeros(0)) == 0.0


def test_the_factors_and_the_fixed_load_are_found():
    learner = taught(fresh(), np.array([1.12, 0.91]), fixed_w=2_500.0)
    assert np.allclose(learner.factors, [1.12, 0.91], atol=0.004)
    assert abs(learner.fixed_w - 2_500.0) < 1_000.0
    assert learner.rejected == 0


def test_the_margin_shrinks_with_every_reading():
    learner, margins = fresh(), []
    for seed in range(5):
        margins.append(margin_w(learner))
        taught(learner, np.array([1.05, 0.95]), readings=10, seed=seed)
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] < 0.02 * margins[0]


def test_in_one_place_only_the_sum_is_learned():
    """Always in proportion, nobody can tell the models apart; but their sum is known."""
    learner = fresh()
    for _ in range(200):
        learner.observe(SITE_W, 1_030_000.0, 0.0)
    assert abs(learner.likely_w(SITE_W) - 1_030_000) < 500
    assert margin_w(learner) < 1_000
    assert margin_w(learner, np.array([400_000.0, 0.0])) > 20_000


def test_readings_taken_while_much_is_in_flight_teach_little():
    calm, stirred = fresh(), fresh()
    calm.observe(SITE_W, 1_050_000.0, 0.0)
    stirred.observe(SITE_W, 1_050_000.0, 300_000.0)
    assert 1.0 < stirred.factors[0] < 1.01 < calm.factors[0]
    assert margin_w(stirred) > 10 * margin_w(calm)


def test_a_wild_reading_is_rejected_and_teaches_nothing():
    learner = taught(fresh(), np.array([1.1, 0.95]))
    before, margin_before_w = learner.state.copy(), margin_w(learner)
    assert not learner.observe(SITE_W, -1_010_000.0, 0.0), "the current transformer is reversed"
    assert learner.rejected == 1
    assert (learner.state == before).all()
    assert margin_before_w < margin_w(learner) < 1.03 * margin_before_w, "a little doubt"
    assert learner.observe(SITE_W, float(SITE_W @ [1.1, 0.95]), 0.0)
    assert learner.rejected == 0


def test_when_nothing_fits_any_more_the_world_has_changed():
    learner = taught(fresh(), np.array([1.0, 1.0]))
    believed = [learner.observe(SITE_W, 1_120_000.0, 0.0) for _ in range(BELIEVE_AFTER)]
    assert believed == [False] * (BELIEVE_AFTER - 1) + [True]
    assert abs(learner.likely_w(SITE_W) - 1_120_000) < 2_000


def test_a_dead_meter_never_makes_room():
    """Whatever it says for an hour: less is drawn is not believed, and doubt has an end."""
    for lie_w in (0.0, -1_000_000.0):
        learner = taught(fresh(), np.array([1.1, 0.95]))
        before, worst_w = learner.state.copy(), learner.worst_w(SITE_W)
        for _ in range(3600):
            assert not learner.observe(SITE_W, lie_w, 0.0)
        assert (learner.state == before).all()
        assert worst_w < learner.worst_w(SITE_W) < 1.3 * worst_w


def test_a_site_that_really_draws_less_is_believed_in_time():
    learner = taught(fresh(), np.array([1.0, 1.0]))
    for _ in range(300):
        learner.observe(SITE_W, 900_000.0, 0.0)
    assert abs(learner.likely_w(SITE_W) - 900_000) < 5_000


def test_factors_stay_within_what_rigs_can_be_wrong_by():
    learner = fresh()
    for _ in range(200):
        learner.observe(SITE_W, 0.6 * float(SITE_W.sum()), 0.0)
    assert (learner.factors >= FACTOR_MIN).all() and (learner.factors <= FACTOR_MAX).all()


def test_knowledge_fades_without_readings():
    learner = taught(fresh(), np.array([1.1, 0.95]))
    factors, margins = learner.factors.copy(), []
    for _ in range(4):
        margins.append(margin_w(learner))
        learner.elapse(86_400.0)
    assert margins == sorted(margins) and margins[1] > 1.5 * margins[0]
    assert (learner.factors == factors).all(), "what is likely stays; only its margin grows"


def test_fading_takes_as_long_however_it_is_cut():
    one, other = fresh(), fresh()
    one.elapse(3600.0)
    for _ in range(60):
        other.elapse(60.0)
    assert abs(margin_w(one) - margin_w(other)) < 1e-3


def test_a_new_model_leaves_what_was_learned_of_the_others():
    learner = taught(fresh(), np.array([1.1, 0.95]), fixed_w=1_000.0)
    factors, fixed_before_w = learner.factors.copy(), margin_w(learner)
    learner.fit(3, FIXED_SD_W, METER_SD_W)
    assert learner.factors.tolist() == [*factors.tolist(), 1.0]
    assert learner.fixed_w == 0.0
    assert margin_w(learner, np.array([*SITE_W, 0.0])) >= fixed_before_w


def test_what_was_learned_is_kept_and_taken_up_again():
    learner = taught(fresh(), np.array([1.1, 0.95]))
    again = fresh()
    again.recall(learner.keep())
    assert (again.state == learner.state).all()
    assert margin_w(again) == margin_w(learner)
    other = fresh(3)
    other.recall(learner.keep())
    assert other.factors.tolist() == [1.0, 1.0, 1.0], "about other models"


@given(st.floats(0, SURE * FACTOR_SD), st.floats(-np.pi, np.pi), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_truth_stays_below_the_worst(error, direction, seed):
    """Nothing, something or much learned: with errors no larger than thought possible."""
    true = 1 + error * np.array([np.cos(direction), np.sin(direction)])
    learner = fresh()
    for readings in (0, 3, 30, 100):
        taught(learner, true, readings=readings, seed=seed)
        assert float(SITE_W @ true) <= learner.worst_w(SITE_W) + 2 * METER_SD_W
