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


def test_a_board_that_does_not_start_is_trouble_until_the_cut():
    board, _, plant, hashing = made()
    board.chains[1].answering = 3

    async def story():
        await awake(hashing, plant.points[0].watts)
        assert hashing.trouble == "board 1: 3 of 4 chips answer"
        hashing.cut()
        assert hashing.trouble == "" and not board.powered and hashing.state == IS_OFF

    asyncio.run(story())


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
