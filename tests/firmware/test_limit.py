"""The limit of a Modbus line: watts with a time to live; both runtimes."""

from firmware import power
from firmware.boards import s21pro
from firmware.limit import ALONE, Limit, admitted
from firmware.power import Plant
from protocols.ladder import ASLEEP, Admitted

PLANT = Plant(s21pro)
WATTS = [point.watts for point in PLANT.points]


def test_whatever_the_limit_what_is_admitted_is_not_above_it():
    for limit_w in range(0, WATTS[-1] + 200):
        got = admitted(PLANT.points, limit_w)
        target_w = power.target_w(PLANT.points, *got)
        assert target_w <= limit_w
        assert bool(target_w) == (limit_w >= WATTS[0])
        assert target_w >= min(limit_w, WATTS[-1]) - 2 or not target_w


def test_a_point_a_part_of_a_step_and_the_top():
    assert admitted(PLANT.points, WATTS[0] - 1) == ASLEEP
    assert admitted(PLANT.points, WATTS[2]) == Admitted(3, 4, 0)
    half_w = (WATTS[2] + WATTS[3]) // 2
    assert abs(admitted(PLANT.points, half_w).part_pm - 500) <= 2
    assert admitted(PLANT.points, 100_000) == Admitted(8, 8, 0)


def test_a_limit_ends_by_itself_and_a_fresh_one_raises():
    limit = Limit()
    assert not limit.joined and limit.admitted == ASLEEP and limit.because == ALONE
    assert not limit.elapse(100) and limit.lease_ms == 0
    limit.write(PLANT.points, WATTS[1], 1_000)
    assert limit.joined and limit.admitted.level == 2 and limit.lease_ms == 1_000
    assert not limit.elapse(999) and limit.admitted.level == 2
    assert limit.elapse(1) and limit.admitted == ASLEEP and not limit.joined
    assert limit.because == "the limit was not renewed" and limit.lease_ms == 0
    assert not limit.elapse(1), "told once"
    limit.write(PLANT.points, WATTS[1], 100)
    assert limit.admitted.level == 2


def test_a_renewed_limit_goes_on_and_a_lower_one_is_lower_at_once():
    limit = Limit()
    for _ in range(10):
        limit.write(PLANT.points, WATTS[1], 1_000)
        assert not limit.elapse(900) and limit.admitted.level == 2
    limit.write(PLANT.points, 0, 1_000)
    assert limit.admitted == ASLEEP and limit.joined


def test_a_fault_forgets_it_and_nothing_of_mqtt_commands_it():
    limit = Limit()
    limit.write(PLANT.points, WATTS[1], 1_000)
    limit.leave("a fan has stopped")
    assert limit.admitted == ASLEEP and not limit.joined and limit.because == "a fan has stopped"
    assert limit.hear("surplus/x/budget", b"{}") == "" and limit.refused == {"not over MQTT": 1}
    assert limit.admitted == ASLEEP
