"""Waking, ramping and cutting hash power on a board that exists only here; both runtimes."""

import asyncio

from bench_board import TestBoard

from firmware import clock
from firmware.hashing import IS_OFF, ON, WAKING, Hashing
from firmware.limits import OFF, Gate
from firmware.power import Plant, Ramp
from firmware.rig import envelope


def made():
    board = TestBoard()
    plant = Plant(board.facts)
    gate = Gate(envelope(board.facts, plant))
    gate.heartbeat(True)
    facts = board.facts
    ramp = Ramp(facts.FIRST_KHZ, facts.UP_KHZ, facts.DOWN_KHZ, facts.STEP_MV)
    return board, gate, plant, Hashing(board, gate, plant, ramp)


async def awake(hashing, watts, limit_ms=5_000):
    begun_ms = clock.now_ms()
    while hashing.state != ON and not hashing.trouble:
        hashing.step(watts)
        await clock.sleep_ms(5)
        assert clock.since_ms(begun_ms) < limit_ms, "does not wake"


def test_it_wakes_climbs_and_comes_down_in_order():
    board, _, plant, hashing = made()
    top_w, least_w = plant.points[-1].watts, plant.points[0].watts

    async def story():
        hashing.step(0)
        assert hashing.state == IS_OFF and board.log == []
        hashing.step(top_w)
        hashing.elapse(100)
        hashing.elapse(100)
        assert hashing.state == WAKING and hashing.hash_ms == 200
        await awake(hashing, top_w)
        assert board.log[:2] == [("power", True), ("mv", 11_900)]
        for _ in range(100):
            hashing.step(top_w)
        assert hashing.setting == (True, 13_700, 630_000)
        for _ in range(40):
            hashing.step(least_w)
        assert hashing.setting == (True, 11_900, 200_000)
        hashing.step(0)
        assert hashing.state == IS_OFF and hashing.setting == OFF and not board.powered
        assert [pin.level for pin in board.enables] == [0, 0, 0]
        hashing.elapse(100)
        assert hashing.hash_ms == -100

    asyncio.run(story())
    assert board.supply.mv == 11_900
    rail_before_clock(board.log, plant)


def rail_before_clock(log, plant):
    """At no moment may a clock run on a rail too low for it."""
    mv = khz = 0
    for what, value in log:
        if what == "mv":
            mv = value
        elif what == "khz":
            khz = value
        if khz > 56_250:
            assert plant.rail_mv(khz) <= mv, (khz, mv)


def test_the_gate_ends_it_at_any_time():
    board, gate, plant, hashing = made()

    async def story():
        hashing.step(plant.points[0].watts)
        await clock.sleep_ms(20)
        assert board.powered
        gate.heartbeat(False)
        hashing.step(plant.points[0].watts)
        assert hashing.state == IS_OFF and not board.powered
        assert hashing.refusal == "not allowed to hash"
        gate.heartbeat(True)
        await awake(hashing, plant.points[0].watts)
        gate.elapse(10_000)
        hashing.step(plant.points[0].watts)
        assert hashing.state == IS_OFF and not board.powered
        # the start that was cancelled goes no further
        commands = len(board.chains[0].heard)
        await clock.sleep_ms(50)
        assert len(board.chains[0].heard) == commands

    asyncio.run(story())


def test_a_board_that_does_not_start_is_said_and_the_others_hash():
    board, _, plant, hashing = made()
    board.chains[1].answering = 2
    watts = plant.points[0].watts

    async def story():
        await awake(hashing, watts)
        assert hashing.failed == {1: "2 of 4 chips answer"} and hashing.trouble == ""
        assert hashing.running == [0, 2] and [pin.level for pin in board.enables] == [1, 0, 1]
        hashing.keep_out({1: "2 of 4 chips answer"})
        assert hashing.failed == {}
        for _ in range(20):
            hashing.step(watts)
            await clock.sleep_ms(10)
        assert hashing.running == [0, 2], "it is left alone"
        assert [hashboard.khz for hashboard in board.hashboards][1] == 0
        hashing.cut()
        assert hashing.running == [] and not board.powered and hashing.state == IS_OFF

    asyncio.run(story())


def test_a_board_that_may_run_again_catches_up_beside_the_others():
    board, _, plant, hashing = made()
    watts = plant.points[3].watts

    async def story():
        hashing.keep_out({1: "resting"})
        await awake(hashing, watts)
        for _ in range(100):
            hashing.step(watts)
        reached_khz = hashing.setting.khz
        clocks = [hashboard.khz for hashboard in board.hashboards]
        assert hashing.running == [0, 2] and clocks == [reached_khz, 0, reached_khz]
        board.log.clear()
        hashing.keep_out({})
        while hashing.running != [0, 1, 2]:
            hashing.step(watts)
            assert not hashing.running[2:] or hashing.starting is False
            await clock.sleep_ms(20)
        assert board.enables[1].level == 1 and ("power", True) not in board.log
        for _ in range(100):
            hashing.step(watts)
        caught_up = [khz for what, khz in board.log if what == "khz of another"]
        assert caught_up[0] == 56_250 and caught_up[-1] == reached_khz
        rises = [caught_up[n + 1] - caught_up[n] for n in range(len(caught_up) - 1)]
        assert min(rises) > 0 and max(rises) <= 6_250
        assert board.hashboards[0].khz == board.hashboards[2].khz == reached_khz

    asyncio.run(story())


def test_a_board_that_must_not_run_is_off_at_once_and_alone():
    board, _, plant, hashing = made()

    async def story():
        await awake(hashing, plant.points[0].watts)
        hashing.keep_out({2: "burnt"})
        assert [pin.level for pin in board.enables] == [1, 1, 0] and board.powered
        assert hashing.running == [0, 1] and hashing.state == ON
        hashing.keep_out({})
        hashing.step(plant.points[0].watts)
        assert hashing.starting
        hashing.keep_out({2: "burnt"})
        assert not hashing.starting and board.enables[2].level == 0
        await clock.sleep_ms(1_500)
        assert board.enables[2].level == 0, "the start that was cancelled goes no further"

    asyncio.run(story())


def test_a_board_that_never_ends_its_start_is_given_up():
    board, _, plant, hashing = made()

    async def never():
        await clock.sleep_ms(1_000_000)

    board.hashboards[0].start = never

    async def story():
        await awake(hashing, plant.points[0].watts, 13_000)
        assert hashing.failed == {0: "takes too long to start"} and hashing.running == [1, 2]

    asyncio.run(story())


def test_a_supply_that_takes_its_time_leads_the_clock():
    board, gate, plant, hashing = made()

    async def story():
        board.supply.slow = 3
        await awake(hashing, plant.points[7].watts)
        for turn in range(300):
            board.supply.slow = turn % 3
            hashing.step(plant.points[7].watts)
        assert hashing.setting == (True, 13_700, 630_000)
        for turn in range(150):
            board.supply.slow = turn % 3
            hashing.step(plant.points[0].watts)
        assert hashing.setting == (True, 11_900, 200_000) and board.supply.mv == 11_900

    asyncio.run(story())
    assert gate.refused == 0
    rail_before_clock(board.log, plant)


def test_a_supply_that_never_takes_it_is_trouble():
    board, _, plant, hashing = made()
    board.supply.slow = 1_000_000
    asyncio.run(awake(hashing, plant.points[0].watts, 9_000))
    assert hashing.trouble == "supply: does not take 11900 mV"


def test_a_supply_that_does_not_start_is_trouble():
    board, _, plant, hashing = made()
    board.supply.deaf = True
    asyncio.run(awake(hashing, plant.points[0].watts))
    assert hashing.trouble == "supply: start: no answer"


def test_a_supply_that_turns_deaf_stops_the_climb_and_not_the_descent():
    board, gate, plant, hashing = made()
    top_w, least_w = plant.points[-1].watts, plant.points[0].watts

    async def story():
        await awake(hashing, top_w)
        for _ in range(60):
            hashing.step(top_w)
        board.supply.deaf = True
        reached = hashing.setting
        for _ in range(10):
            hashing.step(top_w)
        assert hashing.setting.mv == reached.mv
        assert hashing.setting.khz <= plant.rail_khz(reached.mv)
        for _ in range(30):
            hashing.step(least_w)
        assert hashing.setting == (True, reached.mv, 200_000)
        board.supply.deaf = False
        for _ in range(30):
            hashing.step(least_w)
        assert hashing.setting == (True, 11_900, 200_000)

    asyncio.run(story())
    assert gate.refused == 0
    rail_before_clock(board.log, plant)
