"""The bench's site meter, asked over Modbus TCP by the supervisor's own reader."""

import asyncio

import pytest
from pymodbus.client import AsyncModbusTcpClient

from hil.meter import Meter
from supervisor.config import METERS
from supervisor.inbox import Inbox
from supervisor.modbus import Gateway
from supervisor.sources import meter as readers
from supervisor.sources.registers import load_map
from supervisor.wire import Line

MAP = load_map(METERS / "surplus-bench.toml")


class Desk:
    """A meter of what drawn_w holds, and the supervisor's reader of it."""

    drawn_w = 12_345.4

    async def __aenter__(self):
        self.meter, self.inbox = Meter(lambda: self.drawn_w), Inbox()
        self.port = await self.meter.start()
        self.gateway = Gateway(Line(host="127.0.0.1", port=self.port))
        self.reader = readers.Meter(self.inbox, MAP, self.gateway.unit(1), limit_w=10**6)
        return self

    async def __aexit__(self, *_):
        self.gateway.close()
        await self.meter.stop()

    async def read(self):
        """The watts read now, or why there are none."""
        self.inbox.meter = None
        await self.reader.poll()
        return self.inbox.meter.w if self.inbox.meter else self.reader.because


@pytest.mark.asyncio
async def test_power_energy_and_frequency_are_read_by_the_shipped_map():
    async with Desk() as desk:
        assert await desk.read() == 12_345
        assert desk.reader.values["frequency"] == 50.0
        assert desk.reader.values["energy"] == 0
        desk.drawn_w = 99.6
        assert await desk.read() == 100


@pytest.mark.asyncio
async def test_export_is_negative_and_not_a_huge_import():
    async with Desk() as desk:
        desk.drawn_w = -5_000
        assert await desk.read() == -5_000


@pytest.mark.asyncio
async def test_energy_is_what_was_drawn_between_readings(monkeypatch):
    clock = {"s": 100.0}
    monkeypatch.setattr("hil.meter.time.monotonic", lambda: clock["s"])
    meter = Meter(lambda: 3_600.0)
    clock["s"] += 10.0
    assert meter._count() == 3_600.0
    assert meter.energy_wh == pytest.approx(10.0)
    meter._power_w = lambda: -3_600.0
    clock["s"] += 10.0
    meter._count()
    assert meter.energy_wh == pytest.approx(10.0), "export is not drawn"


@pytest.mark.asyncio
async def test_broken_in_three_ways_and_mended():
    async with Desk() as desk:
        assert await desk.read() == 12_345
        desk.meter.faults.add("silent")
        assert "refuses" in await desk.read()
        desk.meter.faults = {"flipped"}
        assert await desk.read() == -12_345
        desk.meter.faults = {"frozen"}
        frozen_w = await desk.read()
        desk.drawn_w = 500.0
        assert await desk.read() == frozen_w
        desk.meter.faults.clear()
        assert await desk.read() == 500


@pytest.mark.asyncio
async def test_nobody_writes_to_it():
    async with Desk() as desk:
        client = AsyncModbusTcpClient("127.0.0.1", port=desk.port, timeout=2)
        await client.connect()
        answer = await client.write_register(0, 7, device_id=1)
        assert answer.isError()
        client.close()
        assert await desk.read() == 12_345


def test_it_can_be_started_again_on_its_port():
    async def twice():
        meter = Meter(lambda: 1.0)
        port = await meter.start()
        await meter.stop()
        again = Meter(lambda: 1.0, port=port)
        assert await again.start() == port
        await again.stop()

    asyncio.run(twice())
