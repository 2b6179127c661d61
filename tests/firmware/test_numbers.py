"""The numbers a person was promised, and the last millisecond of each; on both runtimes.

Other tests take their numbers from the code, so that they go on telling the story when one
is tuned; these say which they are.
"""

from firmware import dispatch, power
from firmware.boards import s21pro
from firmware.derate import DOWN, LOW
from firmware.dispatch import BUDGET, JOINED, lower
from firmware.power import Plant
from firmware.safety import (
    BOARD,
    EVER,
    GOOD_MS,
    HOLD_MS_MAX,
    LONG_MS,
    OFF,
    RULES,
    SETTLE_MS,
    Rule,
    Safety,
    Watch,
)
from firmware.thermal import AIR, FULL_PM, Thermal
from protocols import messages, topics
from protocols.ladder import Admitted
from tests.firmware.test_dispatch import RIG, SITE, World
from tests.firmware.test_safety import snapshot

PLANT = Plant(s21pro)

# code: limit, clear, delay, action, hold, retries
TABLE = {
    "overheat": (720, 500, 500, OFF, 60_000, 3),
    "hot": (650, 600, 1_000, DOWN, 0, EVER),
    "inlet-hot": (450, 420, 5_000, DOWN, 0, EVER),
    "sensor-lost": (700, 700, 0, LOW, 0, EVER),
    "sensor-dead": (700, 700, 6_000, OFF, 30_000, 5),
    "fan-stopped": (500, 500, 1_000, OFF, 0, 0),
    "fan-weak": (800, 850, 10_000, DOWN, 10_000, EVER),
    "fan-odd": (1_500, 1_500, 3_000, LOW, 10_000, EVER),
    "supply-fault": (0x003C, 0x003C, 300, OFF, 30_000, 3),
    "supply-missing": (900, 900, 300, OFF, 10_000, 5),
    "supply-lost": (1_000, 1_000, 0, LOW, 0, EVER),
    "supply-dead": (5_000, 5_000, 0, OFF, 10_000, EVER),
    "supply-stays-on": (200, 200, 5_000, OFF, 10_000, EVER),
    "loop-late": (1_000, 1_000, 0, OFF, 5_000, EVER),
    "board-lost": (0, 0, 0, BOARD, 10_000, 5),
    "board-slow": (500, 500, 12_000, BOARD, 10_000, 5),
    "board-wrong": (300, 300, 7_000, BOARD, 10_000, 5),
    "chips-wrong": (50, 20, 7_000, DOWN, 0, EVER),
    "board-clock": (1, 1, 0, BOARD, 10_000, 5),
    "board-dead": (0, 0, 0, OFF, 0, EVER),
    "restarts": (0, 0, 0, OFF, 0, EVER),
}


def test_the_safety_table():
    assert {rule.code: tuple(rule)[1:] for rule in RULES} == TABLE
    assert (GOOD_MS, HOLD_MS_MAX, SETTLE_MS) == (600_000, 600_000, 2_000)
    assert EVER >= 1_000_000 and LONG_MS > GOOD_MS


def watch(delay_ms=10, hold_ms=10, retries=1):
    return Watch(Rule("x", 0, 0, delay_ms, OFF, hold_ms, retries))


def test_a_condition_trips_one_millisecond_after_its_delay():
    rule = watch()
    assert not rule.step("so", 10) and rule.step("so", 1)
    rule = watch()
    rule.step("so", 9)
    rule.step("", 1)
    assert not rule.step("so", 10), "it begins anew"


def test_a_hold_is_over_at_its_last_millisecond():
    rule = watch(delay_ms=0)
    rule.step("so", 1)
    assert not rule.step("", 9) and rule.active
    rule.step("so", 1)
    assert not rule.step("", 9), "the hold begins anew when it comes back"
    assert rule.step("", 1) and not rule.active


def test_returns_are_forgotten_after_ten_good_minutes():
    for good_ms, latched in ((GOOD_MS - 2, True), (GOOD_MS - 1, False)):
        rule = watch(delay_ms=0, hold_ms=1)
        rule.step("so", 1)
        rule.step("", 1)
        rule.step("", good_ms)
        rule.step("so", 1)
        assert rule.latched == latched


def test_watts_count_as_left_on_only_once_hash_power_is_off():
    safety = Safety(tuple(rule for rule in RULES if rule.code == "supply-stays-on"))
    for _ in range(100):
        assert safety.step(snapshot(hash_ms=0)).may_hash


def test_a_fan_that_runs_down_is_not_odd():
    safety = Safety(tuple(rule for rule in RULES if rule.code == "fan-odd"))
    for rpm, cap in ((8925, ""), (8926, LOW)):
        for _ in range(40):
            verdict = safety.step(snapshot(rpm=rpm, expected_rpm=0, most_rpm=5950))
        assert verdict.cap == cap


def test_times_of_the_contract():
    assert dispatch.PATIENCE_MS == 15_000 and dispatch.DELAY_MS == 500
    assert power.STEP_MS == 100


def test_a_rig_alone_knows_nothing():
    rig = World().rig
    assert (rig.id, rig.recorded_event, rig.term, rig.seq) == (0, 0, 0, 0)
    assert (rig.lease_ms, rig.epoch) == (0, 0)
    assert not rig.elapse(1_000_000)


def test_the_first_term_there_can_be():
    world = World()
    assert world.cmd(term=0, seq=0) == JOINED
    assert world.budget(1000, seq=1, term=0) == BUDGET


def test_how_long_a_message_may_be():
    rig, most = World().rig, messages.SIZE_MAX + 128
    rig.hear(topics.rig(SITE, RIG, "cmd"), b"x" * most)
    assert rig.refused == {"cmd seal": 1}
    rig.hear(topics.rig(SITE, RIG, "cmd"), b"x" * (most + 1))
    assert rig.refused == {"cmd seal": 1, "cmd size": 1}


def late_by(late_ms):
    """A rig that hears a budget with a lease of 5 s so much later than the one before."""
    world = World()
    world.cmd()
    world.budget(1000, seq=1, ttl_ms=60_000)
    world.rig.elapse(late_ms)
    return world, world.budget(1000, seq=2, ttl_ms=5_000)


def test_a_budget_that_was_held_up_holds_so_much_shorter():
    for late_ms, left_ms in ((500, 5_000), (501, 4_499), (4_999, 1)):
        world, heard = late_by(late_ms)
        assert heard == BUDGET and world.rig.lease_ms == left_ms
    world, heard = late_by(5_000)
    assert heard == "" and world.rig.refused == {"budget too late": 1}


def test_lower_is_below_both_by_the_smallest_part():
    assert lower(Admitted(1, 3, 1), Admitted(2, 2, 0)) == Admitted(1, 1, 0)
    assert lower(Admitted(2, 2, 0), Admitted(1, 3, 1)) == Admitted(1, 1, 0)


def test_watts_of_the_operating_points():
    watts = [point.watts for point in PLANT.points]
    assert watts == [829, 1227, 1716, 2030, 2375, 2752, 3107, 3491]


def test_for_watts_finds_the_last_clock_that_fits():
    """To 100 kHz: what is drawn there fits, and what is drawn above does not."""
    for w in range(830, 3490, 7):
        khz, mv = PLANT.for_watts(w)
        assert PLANT.watts(khz, mv) <= w
        if (khz, mv) not in [(point.khz, point.mv) for point in PLANT.points]:
            assert PLANT.watts(khz + 100, PLANT.rail_mv(khz + 100)) > w, w


def test_a_divider_may_miss_a_clock_by_half_a_percent():
    for khz, level in ((199_005, 1), (199_004, 0)):
        assert power.level(PLANT.points, PLANT, khz) == level


def test_the_fan_curve():
    assert AIR == (350, 500, 600, 200, 30)


def test_fans_slow_down_by_one_step_at_least():
    thermal = Thermal(AIR, 200, 300)
    assert thermal.step(200, True, False, 10) == FULL_PM - 1


def test_five_degrees_are_as_much_as_the_integral_hears_of():
    for error_dc, summed in ((50, 50), (60, 50), (-50, -50), (-60, -50)):
        thermal = Thermal(AIR, 200, 300)
        thermal._integrate(AIR.target_dc + error_dc, True, 10)
        assert thermal._integral == summed
