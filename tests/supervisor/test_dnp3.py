"""The DNP3 outstation against a master built on another implementation, opendnp3."""

import asyncio
import random
import time

import pytest

from hil.peers import Master
from supervisor.grid.dnp3 import Dnp3
from supervisor.grid.scada import Desk
from supervisor.inbox import Inbox
from supervisor.sections.scada import Dnp3Config
from tests.supervisor.test_sunspec import Shown, told

MW, LIMIT_W = 1_000_000, 100_000_000
SAID = ["SUCCESS", ["SUCCESS"]]

pytestmark = [pytest.mark.real_time, pytest.mark.asyncio]


class Wire:
    """An outstation, and a master in a process of its own connected to it."""

    def __init__(self, **section):
        pytest.importorskip("opendnp3")
        keys = {"port": 0, "default_mw": 5, "stagger_s": 0, "fall_pct_per_s": 100}
        self.section = Dnp3Config(**(keys | section))
        self.inbox, self.board = Inbox(), Shown()
        self.desk = Desk(
            "scada", self.section, "ridge-1", LIMIT_W, self.inbox, weigh=self.board.weigh
        )
        self.station = Dnp3(self.section, self.desk, self.board)

    def mw(self):
        return self.inbox.entries["scada"].limit_w(time.time()) / MW

    async def __aenter__(self):
        self.task = asyncio.create_task(self.station.run())
        async with asyncio.timeout(30):
            while not self.station.listening:
                await asyncio.sleep(0.01)
            self.master = Master("masterdnp3", self.station.port)
            await self.master.start()
            while await self.master.ask(do="switch", index=1, on=True) != SAID:
                await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_):
        await self.master.stop()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def shown(self, wanted):
        async with asyncio.timeout(10):
            while not wanted(found := await self.master.ask(do="read")):
                await asyncio.sleep(0.05)
        return found


async def test_a_master_orders_and_every_point_has_its_own_status():
    async with Wire() as wire:
        assert wire.mw() == 5
        assert await wire.master.ask(do="set", mw=62.5) == SAID and wire.mw() == 62.5
        assert await wire.master.ask(do="set", mw=41.0, select=True) == SAID and wire.mw() == 41
        for mw, select in ((1e9, False), (-1.0, False), (1e9, True)):
            assert await wire.master.ask(do="set", mw=mw, select=select) == [
                "SUCCESS",
                ["OUT_OF_RANGE"],
            ]
        assert await wire.master.ask(do="set", mw=7.0, index=3) == ["SUCCESS", ["NOT_SUPPORTED"]]
        assert wire.mw() == 41 and len(wire.inbox.take_refusals()) == 3
        assert await wire.master.ask(do="switch", index=0, on=True) == SAID and wire.mw() == 0
        assert await wire.master.ask(do="switch", index=7, on=True) == ["SUCCESS", ["OUT_OF_RANGE"]]
        assert await wire.master.ask(do="switch", index=0, on=False) == SAID and wire.mw() == 41


async def test_a_select_is_weighed_and_blocked_where_the_settings_say_so():
    async with Wire() as wire:
        assert await wire.master.ask(do="set", mw=41.0) == SAID and not wire.board.weighed
        assert await wire.master.ask(do="set", mw=40.0, select=True) == SAID
        assert [entry.schedule[0][1] for entry in wire.board.weighed] == [40 * MW]
        wire.board.refusal = "90 % of the rigs to sleep"
        status = await wire.master.ask(do="set", mw=7.0, select=True)
        assert status == ["SUCCESS", ["BLOCKED"]] and wire.mw() == 40
        assert "90 % of the rigs" in wire.inbox.take_refusals()[0].because


async def test_a_master_reads_values_and_events_and_what_is_not_known_is_not_online():
    async with Wire() as wire:
        first = await wire.shown(lambda found: len(found["analog"]) == 11)
        assert first["analog"]["0"][1] is False
        wire.board.told = told()
        found = await wire.shown(lambda found: found["analog"]["0"] == [59.0, True])
        assert found["analog"]["10"] == [41.0, True] and found["events"] > first["events"]
        wire.board.told = told(metered_age_s=60.0)
        await wire.shown(lambda found: not found["analog"]["0"][1] and found["binary"]["1"][0])


async def test_a_master_that_dies_is_a_loss(until):
    async with Wire(silence_s=1, hold_s=0) as wire:
        assert await wire.master.ask(do="set", mw=62.5) == SAID
        wire.master.kill()
        await until(lambda: wire.mw() == 5)


async def test_garbage_on_the_wire_moves_nothing(until):
    async with Wire() as wire:
        assert await wire.master.ask(do="set", mw=62.5) == SAID
        noise = random.Random(1)
        for size in (1, 10, 292, 5000):
            _, writer = await asyncio.open_connection("127.0.0.1", wire.station.port)
            writer.write(b"\x05\x64" + noise.randbytes(size))
            await writer.drain()
            writer.close()
        assert wire.mw() == 62.5
        async with asyncio.timeout(30):  # a new connection takes the old one's place
            while await wire.master.ask(do="set", mw=61.0) != SAID:
                await asyncio.sleep(0.1)
        assert wire.mw() == 61 and not wire.task.done()
