"""Start the rig: settings, board, one task per concern; main.py of the flash calls run().

A control task that fails takes the controller down with it, hash power first: what
nobody expected is not survived but started again.  A task of the link is restarted.
"""

import asyncio
import binascii
import os
import sys

from firmware import clock
from firmware import settings as settings_file
from firmware.board import open_board
from firmware.dispatch import Dispatch
from firmware.link import Link
from firmware.rig import Rig
from firmware.safety import Change

RESTART_MS = 1_000


def run() -> None:
    """Power on.  Never returns, but for a mistake in the settings."""
    try:
        settings = settings_file.load()
    except settings_file.SettingsError as error:
        print(error)  # no board is known, so nothing was switched on
        return
    board = open_board(settings["board"])
    asyncio.run(main(settings, board))


async def main(settings: dict, board) -> None:
    dispatch = Dispatch(
        settings["site"], settings["rig"], settings["budget_key"], settings["rig_key"], fresh_nonce
    )
    rig = Rig(board, dispatch)
    link = Link(rig, settings)
    rig.begin(board.restarts() + 1)
    rig.changes.append(Change("start", f"controller started: {board.reset_cause()}"))
    for loop in (rig.sensors_loop, rig.supply_loop, rig.thermal_loop, rig.power_loop):
        asyncio.create_task(control(rig, loop))
    asyncio.create_task(control(rig, rig.chains_loop))
    for loop in (link.network_loop, link.session_loop, link.report_loop):
        asyncio.create_task(restarted(rig, loop))
    await control(rig, rig.safety_loop)


async def control(rig, loop) -> None:
    """A loop the rig cannot do without."""
    try:
        await loop()
    except Exception as error:
        rig.hashing.cut()
        sys.print_exception(error)
        rig.board.reset()


async def restarted(rig, loop) -> None:
    """A loop that may fail without harm; its failure is an event."""
    while True:
        try:
            await loop()
        except Exception as error:
            sys.print_exception(error)
            rig.changes.append(Change("bug", f"{type(error).__name__}: {error}"))
        await clock.sleep_ms(RESTART_MS)


def fresh_nonce() -> str:
    """16 hex digits nobody can foresee."""
    return binascii.hexlify(os.urandom(8)).decode()
