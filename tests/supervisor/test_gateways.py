"""Gateways by example in virtual time, and over real sockets and a pseudo terminal."""

import asyncio
import os
import tty
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from supervisor.modbus import Gateway, NoAnswer, NotTaken, Refused, gateways_of
from supervisor.sections.modbus import ModbusConfig
from supervisor.wire import Line


class Bus:
    """A client whose units answer after delay_s each; None: never."""

    def __init__(self, **delay_s):
        self.delay_s = {int(name[1:]): delay for name, delay in delay_s.items()}
        self.memory = {unit: [0] * 100 for unit in self.delay_s}
        self.there, self.connected, self.busy = True, False, False
        self.asked, self.connects, self.code, self.forgets = [], 0, 0, False

    async def connect(self):
        self.connects += 1
        self.connected = self.there
        return self.there

    def close(self):
        self.connected = False

    async def _answer(self, unit, words):
        assert not self.busy, "two requests at once"
        self.busy = True
        self.asked.append((round(asyncio.get_running_loop().time(), 3), unit))
        try:
            delay_s = self.delay_s[unit]
            await (asyncio.Event().wait() if delay_s is None else asyncio.sleep(delay_s))
        finally:
            self.busy = False
        return SimpleNamespace(
            registers=words, isError=lambda: self.code != 0, exception_code=self.code
        )

    async def read_holding_registers(self, address, *, count, device_id):
        memory = self.memory[device_id]
        return await self._answer(device_id, memory[address : address + count])

    async def write_registers(self, address, values, *, device_id):
        if not self.forgets:
            self.memory[device_id][address : address + len(values)] = values
        return await self._answer(device_id, [])

    async def write_register(self, address, value, *, device_id):
        return await self.write_registers(address, [value], device_id=device_id)


def gateway_to(bus, **keys):
    clock = asyncio.get_running_loop().time
    return Gateway(Line(host="g"), clock=clock, connect=lambda line: bus, **keys)


async def asked(gateway, unit):
    """Whether a unit answered now."""
    try:
        await gateway.unit(unit).read("holding", 0, 1)
    except NoAnswer:
        return False
    return True


@pytest.mark.asyncio
async def test_one_request_at_a_time_with_a_gap_between():
    bus = Bus(u1=0.05, u2=0.05, u3=0.05)
    gateway = gateway_to(bus, gap_s=0.02)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(asked(gateway, unit) for unit in (1, 2, 3)))
    times = [round(at - begun, 3) for at, _ in bus.asked]
    assert times == [0.0, 0.07, 0.14] and bus.connects == 1


@pytest.mark.asyncio
async def test_a_hung_unit_is_asked_ever_more_rarely_and_never_forgotten():
    bus = Bus(u1=0.01, u2=None)
    gateway = gateway_to(bus, deadline_s=1.0)
    await asked(gateway, 1)
    for _ in range(600):
        await asked(gateway, 2)
        await asyncio.sleep(1.0)
    times = [at for at, unit in bus.asked if unit == 2]
    gaps = [round(b - a) for a, b in pairwise(times)]
    assert gaps[0] in range(2, 7) and gaps[-1] in range(60, 64) and gaps == sorted(gaps)
    assert len(times) < 18
    bus.delay_s[2] = 0.01
    while not await asked(gateway, 2):
        await asyncio.sleep(1.0)
    assert asyncio.get_running_loop().time() - times[-1] < 65


@pytest.mark.asyncio
async def test_hung_units_take_at_most_a_fifth_of_the_line():
    bus = Bus(u1=0.01, **{f"u{n}": None for n in range(2, 40)})
    gateway = gateway_to(bus, deadline_s=1.0)
    loop = asyncio.get_running_loop()

    async def poll(unit):
        while True:
            await asked(gateway, unit)
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(poll(unit)) for unit in bus.delay_s]
    await asyncio.sleep(60)  # each of them has been found dormant
    bus.asked.clear()
    begun = loop.time()
    await asyncio.sleep(100)
    waits = [at for at, unit in bus.asked if unit == 1]
    probes = [at for at, unit in bus.asked if unit != 1]
    assert 15 <= len(probes) <= 21  # each takes one second
    assert max(b - a for a, b in zip([begun, *waits], waits)) < 2.0
    for task in tasks:
        task.cancel()


@pytest.mark.asyncio
async def test_when_one_dormant_unit_answers_all_are_asked_again():
    bus = Bus(u1=None, u2=None, u3=None)
    gateway = gateway_to(bus, deadline_s=0.5)
    for _ in range(100):
        await asyncio.gather(*(asked(gateway, unit) for unit in (1, 2, 3)))
        await asyncio.sleep(1.0)
    bus.delay_s = dict.fromkeys(bus.delay_s, 0.01)
    while not any([await asked(gateway, unit) for unit in (1, 2, 3)]):
        await asyncio.sleep(1.0)
    assert all([await asked(gateway, unit) for unit in (1, 2, 3)])


@pytest.mark.asyncio
async def test_a_gateway_that_is_away_is_not_hammered_and_its_units_are_not_to_blame():
    bus = Bus(u1=0.01, u2=0.01)
    bus.there = False
    gateway = gateway_to(bus)
    for _ in range(1000):
        assert not await asked(gateway, 1) and not await asked(gateway, 2)
        await asyncio.sleep(0.1)
    assert bus.connects < 20
    bus.there = True
    await asyncio.sleep(10)
    assert await asked(gateway, 1) and await asked(gateway, 2)


@pytest.mark.asyncio
async def test_a_late_answer_cannot_be_taken_for_the_next_ones():
    bus = Bus(u1=2.0, u2=0.01)
    gateway = gateway_to(bus, deadline_s=1.0)
    assert not await asked(gateway, 1)
    assert not bus.connected
    assert await asked(gateway, 2) and bus.connects == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("there", [True, False])
async def test_a_cancellation_that_the_client_swallows_still_ends_the_task(there):
    """As Python 3.11's wait_for does when the connection comes, or fails, in the same moment."""
    bus = Bus(u1=0.01)

    async def connect():
        try:
            await asyncio.sleep(0.5)
        except asyncio.CancelledError:
            bus.connected = there
        return there

    bus.connect = connect
    gateway = gateway_to(bus)

    async def poll():
        while True:
            await asked(gateway, 1)
            await asyncio.sleep(1)

    polling = asyncio.create_task(poll())
    await asyncio.sleep(0.1)
    polling.cancel()
    await asyncio.wait((polling,), timeout=30)
    assert polling.cancelled()


@pytest.mark.asyncio
async def test_what_is_written_is_read_back():
    bus = Bus(u1=0.01)
    unit = gateway_to(bus).unit(1)
    await unit.write(10, [1, 2])
    await unit.write(12, [3], single=True)
    assert bus.memory[1][10:13] == [1, 2, 3]
    bus.forgets = True
    with pytest.raises(NotTaken, match=r"g:502 unit 1: register 10: \[4, 5\] written"):
        await unit.write(10, [4, 5])
    await unit.write(10, [4, 5], kept=lambda read: read == [1, 2])


@pytest.mark.asyncio
async def test_a_refusal_is_an_answer_but_a_gateway_that_found_nobody_is_none():
    bus = Bus(u1=0.01, u2=0.01)
    unit = gateway_to(bus).unit(1)
    bus.code = 2
    with pytest.raises(Refused, match="register 5: the device refuses, Modbus exception 2") as no:
        await unit.read("holding", 5, 1)
    assert no.value.code == 2 and not unit.dormant
    bus.code = 11
    with pytest.raises(NoAnswer, match="the gateway has no answer from it"):
        await unit.read("holding", 5, 1)
    assert unit.dormant


class Desk:
    """Holding registers 0..9 of one device, behind pymodbus's own server."""

    def __init__(self, framer=FramerType.SOCKET):
        self.framer = framer

    async def answer(self, function, start, address, count, registers, written):
        return ExcCodes.ILLEGAL_VALUE if written and written[0] == 99 else None

    @asynccontextmanager
    async def serving(self):
        device = SimDevice(
            7,
            simdata=[SimData(0, count=10, values=5, datatype=DataType.REGISTERS)],
            action=self.answer,
        )
        server = ModbusTcpServer(device, framer=self.framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        try:
            yield server.transport.sockets[0].getsockname()[1]
        finally:
            await server.shutdown()


async def talk(unit):
    """The same conversation on every kind of line."""
    assert await unit.read("holding", 3, 2) == [5, 5]
    await unit.write(3, [8, 9])
    assert await unit.read("input", 2, 4) == [5, 8, 9, 5]
    with pytest.raises(Refused):
        await unit.write(0, [99])
    with pytest.raises(Refused):
        await unit.read("holding", 9, 2)
    assert await unit.read("holding", 3, 1) == [8]


@asynccontextmanager
async def terminal(port):
    """A pseudo terminal whose far end is a TCP port; its name."""
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: writer.write(os.read(master, 300)))

    async def back():
        while data := await reader.read(300):
            os.write(master, data)

    task = asyncio.create_task(back())
    try:
        yield os.ttyname(slave)
    finally:
        loop.remove_reader(master)
        task.cancel()
        writer.close()
        os.close(master)
        os.close(slave)


@pytest.mark.asyncio
@pytest.mark.real_time
class TestReal:
    @pytest.mark.parametrize("kind", ["tcp", "rtu-tcp"])
    async def test_over_tcp(self, kind):
        framer = FramerType.SOCKET if kind == "tcp" else FramerType.RTU
        async with Desk(framer).serving() as port:
            keys = ModbusConfig(name="g", kind=kind, host="127.0.0.1", port=port, gap_ms=1)
            gateways = gateways_of([keys])
            await talk(gateways.unit("g", 7))
            assert gateways["g"].counters.connections == 1
            gateways.close()

    async def test_over_a_serial_line(self):
        async with Desk(FramerType.RTU).serving() as port, terminal(port) as device:
            gateways = gateways_of([ModbusConfig(name="g", kind="rtu", device=device, gap_ms=5)])
            await talk(gateways.unit("g", 7))
            gateways.close()

    async def test_a_serial_port_that_is_not_there(self):
        gateways = gateways_of([ModbusConfig(name="g", kind="rtu", device="/dev/none")])
        with pytest.raises(NoAnswer, match="/dev/none: cannot connect"):
            await gateways.unit("g", 1).read("holding", 0, 1)
