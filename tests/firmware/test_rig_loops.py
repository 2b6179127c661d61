"""The rig's loops on a board that exists only here; both runtimes."""

import asyncio

from bench_board import TestBoard

from firmware import clock
from firmware.dispatch import Dispatch
from firmware.face import GREEN
from firmware.rig import Rig, limited
from firmware.safety import Change
from protocols.ladder import ASLEEP, Admitted


def made():
    board = TestBoard()
    return board, Rig(board, Dispatch("here", "rig-7", b"b" * 32, b"r" * 32, lambda: "0" * 16))


def joined(rig, level):
    rig.dispatch.joined = rig.dispatch.leased = True
    rig.dispatch._left_ms = 60_000
    rig.dispatch.admitted = Admitted(level, level, 0)


async def running(rig, until, limit_ms=6_000):
    """All loops, until something is so."""
    loops = (rig.safety_loop, rig.sensors_loop, rig.supply_loop, rig.thermal_loop, rig.power_loop)
    loops += (rig.face_loop,)
    tasks = [asyncio.create_task(loop()) for loop in loops]
    begun_ms = clock.now_ms()
    try:
        while not until():
            await clock.sleep_ms(10)
            assert clock.since_ms(begun_ms) < limit_ms, "it does not come to that"
    finally:
        for task in tasks:
            task.cancel()
        await clock.sleep_ms(1)


def test_from_boot_to_hashing_and_off_by_a_stopped_fan():
    board, rig = made()
    assert rig.state() == "joining" and rig.power_w() == 25 and rig.hot_dc() == -1000

    async def story():
        await running(rig, lambda: rig.verdict and rig.verdict.may_hash)
        assert rig.state() == "joining" and not board.powered and board.fed > 0
        joined(rig, 1)
        await running(rig, lambda: rig.state() == "waking")
        await running(rig, lambda: board.lit == GREEN)
        assert board.powered and rig.hot_dc() == 450 and rig.inlet_dc() == 300
        await running(rig, lambda: rig.hashing.state == "on")
        board.fans.rpms = [5950, 5950, 0, 5950]
        await running(rig, lambda: rig.state() == "fault", 2_500)
        assert not board.powered and rig.cap_level() == 0 and rig.level() == 0
        assert rig.changes[-1].code == "fan-stopped"
        await running(rig, lambda: board.fans.duty_pm == 1000, 500)

    asyncio.run(story())


def test_a_budget_of_sleep_cuts_at_once():
    board, rig = made()

    async def story():
        joined(rig, 1)
        await running(rig, lambda: rig.hashing.state == "on")
        rig.dispatch.admitted = ASLEEP
        rig.obey_at_once()
        assert not board.powered and rig.state() == "asleep"

    asyncio.run(story())


def test_a_silent_power_loop_is_cut_by_the_safety_loop():
    board, rig = made()

    async def story():
        joined(rig, 1)
        await running(rig, lambda: rig.hashing.state == "on")
        rig._power_turn_ms = clock.now_ms() - 1_100
        rig.safety_turn(100)
        assert not board.powered and rig.changes[-1].code == "power-late"

    asyncio.run(story())


def test_a_lost_sensor_lowers_the_cap_at_once():
    board, rig = made()

    async def story():
        joined(rig, 8)
        await running(rig, lambda: rig.hashing.state == "on")
        board.sensors["outlet 1"].dc = None
        await running(rig, lambda: rig.cap_level() == 1, 1_200)
        assert rig.target_w() == rig.plant.points[0].watts
        assert board.powered
        await running(rig, lambda: board.fans.duty_pm == 1000, 500)

    asyncio.run(story())


def test_a_supply_is_asked_to_forget_only_while_its_fault_has_it_off():
    board, rig = made()
    rig._forget_faults(60_000)
    assert board.supply.cleared == 0
    rig.verdict = rig.safety.step(rig._snapshot(1_000))  # held up: a fault
    assert rig.faulty()
    for elapsed_ms, cleared in ((1, 1), (5_000, 1), (1, 2)):
        rig._forget_faults(elapsed_ms)
        assert board.supply.cleared == cleared, elapsed_ms
    rig.hashing.state = "waking"
    rig._forget_faults(60_000)
    assert board.supply.cleared == 2


def test_watts_that_cannot_be_are_not_told():
    board, rig = made()

    async def story():
        joined(rig, 1)
        listed_w = rig.plant.points[0].watts
        board.supply.watts = listed_w
        await running(rig, lambda: rig.level() == 1, 9_000)
        assert rig.power_w() == listed_w
        board.supply.watts = 0
        rig.sense.step(0, listed_w, 4_900)
        await running(rig, lambda: any(c.code == "power-unread" for c in rig.changes), 2_000)
        assert rig.power_w() == rig._listed_w() > listed_w // 2

    asyncio.run(story())


def test_what_is_admitted_within_the_cap():
    a = Admitted
    for admitted, cap, allowed in (
        (a(3, 3, 0), 8, a(3, 3, 0)),
        (a(3, 4, 500), 4, a(3, 4, 500)),
        (a(3, 4, 500), 3, a(3, 3, 0)),
        (a(3, 4, 500), 2, a(2, 2, 0)),
        (ASLEEP, 1, ASLEEP),
    ):
        assert limited(admitted, cap) == allowed, (admitted, cap)


def test_a_button_that_is_held_takes_hash_power_off_until_it_is_held_again():
    board, rig = made()

    async def story():
        joined(rig, 1)
        await running(rig, lambda: rig.hashing.state == "on")
        rig.face.hold(True)
        rig.safety_turn(100)
        assert not board.powered and rig.faulty() and rig.state() == "fault"
        assert rig.target_w() == 0 and rig.cap_level() == 0 and not rig.dispatch.joined
        await running(rig, lambda: board.hold)
        assert rig.changes[-1] == Change("button", "held off")
        joined(rig, 1)
        rig.safety_turn(100)
        assert rig.target_w() == 0 and not rig.dispatch.joined, "nothing raises it"
        rig.face.hold(False)
        await running(rig, lambda: not board.hold)
        joined(rig, 1)
        await running(rig, lambda: rig.hashing.state == "on")
        rig.face.restart()
        await running(rig, lambda: board.resets)

    asyncio.run(story())
