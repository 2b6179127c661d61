"""Start the rig: settings, board, one task per concern; main.py of the flash calls run().

A control task that fails takes the controller down with it, hash power first: what
nobody expected is not survived but started again.  A task of the link is restarted.
"""

import asyncio
import binascii
import gc
import os
import sys

from firmware import clock
from firmware.board import open_board, reset_chip, usb_console
from firmware.lazy import forget_settings
from firmware.rig import Rig
from firmware.safety import Change

RESTART_MS = 1_000
TYPING_MS = 100
BOX_FREE = 50_000  # bytes: 8 for the box, and what waking the boards and an answer take


def run() -> None:
    """Power on.  A rig without good settings switches nothing on, and takes some at its console."""
    settings = loaded()
    if settings is None:
        from firmware.set_up import set_up

        asyncio.run(set_up(usb_console(), reset_chip))
    else:
        asyncio.run(main(settings, open_board(settings["board"])))


def loaded() -> dict | None:
    """The settings; None when there is a mistake in them, which is told.

    Then no board is known, so nothing is switched on.  Their table is heap, and forgotten.
    """
    from firmware import settings

    try:
        return settings.load()
    except settings.SettingsError as error:
        print(error)
        return None
    finally:
        forget_settings()


async def main(settings: dict, board) -> None:
    rig = Rig(board, admission(settings))
    rig.begin(board.restarts() + 1)
    rig.face.held = board.held()
    rig.settings = settings
    rig.changes.append(Change("start", f"controller started: {board.reset_cause()}"))
    for loop in (rig.sensors_loop, rig.supply_loop, rig.thermal_loop, rig.power_loop):
        asyncio.create_task(control(rig, loop))
    asyncio.create_task(control(rig, rig.chains_loop))
    for loop in voices(rig, settings) + [rig.face_loop, Typing(rig).loop]:
        asyncio.create_task(restarted(rig, loop))
    rig.boxes = black_boxes()
    await control(rig, rig.safety_loop)


def black_boxes() -> list:
    """One, where so much is left when everything else is there; its ring and its code are heap."""
    gc.collect()
    if gc.mem_free() < BOX_FREE:
        return []
    from firmware.box import Box

    return [Box()]


def admission(settings: dict):
    """Who says what the rig may draw: the site's budgets, or the master of its Modbus line."""
    if settings["obeys"] == "modbus":
        from firmware.limit import Limit

        return Limit()
    from firmware.dispatch import Dispatch

    return Dispatch(
        settings["site"], settings["rig"], settings["budget_key"], settings["rig_key"], fresh_nonce
    )


def voices(rig, settings: dict) -> list:
    """The loops that speak with others; a protocol nobody set up costs no heap."""
    if settings["obeys"] == "mqtt":
        from firmware.link import Link

        link = Link(rig, settings)
        loops = [link.network_loop, link.session_loop, link.report_loop]
        rig.counted += [
            ("mqtt dropped", link.session, "dropped"),
            ("events dropped", link.events, "dropped"),
            ("changes of network", link.network.choice, "changes"),
        ]
        if settings["ntp_host"]:
            loops.append(link.clock_loop)
    else:
        from firmware.alone import Alone

        alone = Alone(rig, settings)
        loops = [alone.remember_loop]
        if settings["modbus_port"]:
            loops.append(alone.network_loop)
    if settings["modbus_unit"] or settings["modbus_port"]:
        from firmware.net import modbus_server

        loops += modbus_server.loops(rig, settings)
    return loops


class Typing:
    """The console's loop; the console itself comes with the first who types."""

    def __init__(self, rig) -> None:
        self._rig = rig
        self._read, self._write = rig.board.console()

    async def loop(self) -> None:
        typed = self._read()
        while typed == b"":
            await clock.sleep_ms(TYPING_MS)
            typed = self._read()
        if typed:
            from firmware.console import Console

            console = Console(self._read, self._write, self._rig)
            self._write(console.take(typed))
            await console.loop()


async def control(rig, loop) -> None:
    """A loop the rig cannot do without."""
    try:
        await loop()
    except Exception as error:
        rig.hashing.cut()
        sys.print_exception(error)
        for box in rig.boxes:
            print("black box", box.keep(type(error).__name__))
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
