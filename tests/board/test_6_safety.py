"""6: the safety loop judges what it sees, needs no network, and a program that hangs is reset."""

import pytest

from hil.rig import WATCHDOG
from tests.board.test_3_reset_cause import TELLS, told

pytestmark = pytest.mark.real_time
RIG = """
import asyncio, machine, time
from firmware.board import open_board
from firmware.dispatch import Dispatch
from firmware.rig import Rig
board = open_board('s21pro')
rig = Rig(board, Dispatch('bench', 'board', bytes(32), bytes(32), lambda: '0' * 16))
async def live(seconds):
    loops = (rig.sensors_loop, rig.supply_loop, rig.thermal_loop, rig.power_loop, rig.safety_loop)
    tasks = [asyncio.create_task(loop()) for loop in loops]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
"""
HANGS = "asyncio.run(live(1))\nwhile True:\n    pass"


@pytest.fixture
def ready(board):
    board.quiet()
    board.put({"main.py": TELLS})
    return board


def test_it_judges_what_it_sees(ready, desk):
    """Without parts every reading is too old for hash power; with them all is well."""
    seconds = 2 if desk.parts else 8
    ready.run(RIG + f"asyncio.run(live({seconds}))", seconds + 15)
    assert ready.ask("rig.verdict.may_hash") is desk.parts
    assert ready.ask("machine.Pin(board.facts.HASH_POWER_PIN).value()") == 0, "nobody asked"
    assert desk.parts or ready.ask("board.fans.duty_pm") == 1000, "unknown is full speed"


def test_a_program_that_hangs_is_reset_by_the_watchdog(ready):
    ready.leave(RIG + HANGS)
    assert told(ready, WATCHDOG)
