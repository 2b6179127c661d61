"""The pure parts by example and property; the polling against pymodbus's own server."""

import asyncio
import math
import struct
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from supervisor.inbox import Inbox
from supervisor.modbus import Gateway
from supervisor.sources import meter as meter_module
from supervisor.sources.meter import FROZEN_S, Judge, Meter, Sight
from supervisor.sources.registers import MapError, ReadingError, Register, decode, load_map
from supervisor.wire import Line

METERS = Path(meter_module.__file__).parents[1] / "meters"
BENCH = load_map(METERS / "surplus-bench.toml")


def register(format, **keys):
    return Register(address=0, kind="holding", format=format, unit="W", **keys)


@pytest.mark.parametrize(
    "format, words, value",
    [
        ("int16", [0xFFFF], -1),
        ("uint16", [0xFFFF], 65535),
        ("int32", [0x0001, 0x86A0], 100_000),
        ("int32", [0xFFFF, 0xFFFE], -2),
        ("uint32", [0xFFFF, 0xFFFE], 4_294_967_294),
        ("float32", [0x435C, 0x8000], 220.5),  # 220.5 as IEEE 754 single, high word first
        ("uint64", [0, 0, 1, 2], 65538),
        ("int64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE], -2),
        ("float64", [0x3FF8, 0, 0, 0], 1.5),
    ],
)
def test_words_become_numbers(format, words, value):
    assert decode("power", register(format), words) == value
    swapped = register(format, word_order="little", scale=-10.0)
    assert decode("power", swapped, words[::-1]) == -10.0 * value


@pytest.mark.parametrize("words", [[], [1], [1, 2, 3], [1, 65536], [-1, 0]])
def test_the_wrong_words_are_an_error_with_the_register(words):
    with pytest.raises(ReadingError, match=r"register power: . words came, it has 2"):
        decode("power", register("int32"), words)


@pytest.mark.parametrize("words", [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0]])
def test_a_float_that_is_no_number_is_no_reading(words):
    with pytest.raises(ReadingError, match="which is no number"):
        decode("power", register("float32"), words)


@given(
    st.sampled_from(["int16", "uint16", "int32", "float32", "int64", "uint64", "float64"]),
    st.lists(st.integers(-1, 70_000), max_size=5),
    st.sampled_from(["big", "little"]),
    st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)
def test_any_words_are_a_number_or_a_reading_error(format, words, order, scale):
    try:
        value = decode("power", register(format, word_order=order, scale=scale), words)
    except ReadingError:
        return
    assert math.isfinite(value)


@pytest.mark.parametrize("path", sorted(METERS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_map_that_comes_along_loads_and_says_where_it_is_from(path):
    names = [name for name, _ in load_map(path).registers()]
    assert {"power", "energy", "frequency"} <= set(names) and names[0] == "power"
    about = " ".join(line for line in path.read_text().splitlines() if line.startswith("#"))
    assert any(word in about for word in ("manual", "protocol", "document", "table", "bench"))


# what each manual's own words and scales make of one reading
@pytest.mark.parametrize(
    "name, words, values",
    [
        (
            "iem3000",
            {3059: [0x42F6, 0xE979], 3109: [0x4247, 0xF5C3], 3203: [0, 0, 1, 1], 3207: [0] * 4},
            {"power": 123_456, "frequency": 49.99, "energy": 65_537, "exported": 0},
        ),
        (
            "em340",
            {0x28: [0x86A0, 0x0001], 0x33: [499], 0x34: [7, 0], 0x4E: [0xFFFF, 0xFFFF]},
            {"power": 10_000, "frequency": 49.9, "energy": 700, "exported": -100},
        ),
        (
            "umg96rm",
            {19026: [0xC47A, 0], 19050: [0x4248, 0], 19068: [0x447A, 0], 19076: [0, 0]},
            {"power": -1000, "frequency": 50, "energy": 1000, "exported": 0},
        ),
        (
            "countis-e4x",
            {0xC568: [0, 1234], 0xC55E: [0, 5001], 0xC652: [0, 9], 0xC658: [0xFFFF] * 2},
            {"power": 12_340, "frequency": 50.01, "energy": 9000},
        ),
        (
            "sdm630",
            {0x34: [0x447A, 0], 0x46: [0x4248, 0], 0x48: [0x3F80, 0], 0x4A: [0, 0]},
            {"power": 1000, "frequency": 50, "energy": 1000, "exported": 0},
        ),
    ],
)
def test_the_words_of_each_meter_become_its_values(name, words, values):
    registers = load_map(METERS / f"{name}.toml")
    memory = {at + n: word for at, span in words.items() for n, word in enumerate(span)}
    read = {
        span: [memory.get(span.address + n, 0xDEAD) for n in range(span.words)]
        for span in registers.spans()
    }
    assert registers.values(read) == pytest.approx(values, rel=1e-6)


def test_registers_that_lie_together_are_read_together():
    spans = {name: load_map(METERS / f"{name}.toml").spans() for name in ("em340", "umg96rm")}
    assert spans["em340"] == [("input", 0x28, 2), ("input", 0x33, 3), ("input", 0x4E, 2)]
    assert spans["umg96rm"] == [("holding", 19026, 52)]
    assert BENCH.spans() == [("holding", 0, 7)]


def test_what_the_meter_does_not_know_is_left_out_but_for_the_power():
    registers = load_map(METERS / "countis-e4x.toml")
    read = {span: [0xFFFF] * span.words for span in registers.spans()}
    with pytest.raises(ReadingError, match="power: the device says that it does not know"):
        registers.values(read)
    read[registers.spans()[0]] = [0, 100]
    assert registers.values(read) == {"power": 1000}


def test_a_scale_register_multiplies_by_a_power_of_ten():
    scaled = register("int16", exponent=9)
    assert decode("power", scaled, [12], [0xFFFE]) == 0.12
    assert decode("power", scaled, [12], [3]) == 12_000
    for wrong in ([11], [0x8000], [], [70_000]):
        with pytest.raises(ReadingError, match="its scale is"):
            decode("power", scaled, [12], wrong)


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("", "name"),
        ('name = "m"', "power"),
        ('name = "m"\n[power]\nadress = 0', "adress"),
        ('name = "m"\n[power]\naddress = 70000', "power.address"),
        ('name = "m"\n[power]\naddress = 0\nkind = "coil"', "power.kind"),
        ("x = ", "Invalid value"),
    ],
)
def test_a_map_that_is_wrong_names_its_file_and_key(tmp_path, text, wrong):
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(MapError, match=rf"m.toml: .*{wrong}"):
        load_map(tmp_path / "m.toml")


@pytest.mark.parametrize(
    "keys", ['unit = "Wh"', 'unit = "W"\nscale = 0.0', 'unit = "W"\nscale = nan']
)
def test_a_map_that_makes_no_sense(tmp_path, keys):
    head = 'name = "m"\n[power]\naddress = 0\nkind = "input"\nformat = "int16"\n'
    (tmp_path / "m.toml").write_text(head + keys)
    with pytest.raises(MapError, match="it must be"):
        load_map(tmp_path / "m.toml")
    with pytest.raises(MapError, match=r"none.toml: cannot be read"):
        load_map(tmp_path / "none.toml")


def faults(*sights, limit_w=1_000_000, step_wh=1.0):
    judge = Judge(limit_w, step_wh)
    return [bool(judge.fault(Sight(at_s, values))) for at_s, values in sights]


def test_power_beyond_the_possible_is_no_reading():
    watts = [1_500_000, 1_500_001, -1_500_000, -1_500_001, 0]
    assert faults(*((n, {"power": w}) for n, w in enumerate(watts))) == [0, 1, 0, 1, 0]


def test_a_meter_whose_energy_stands_still_while_power_is_drawn_is_frozen():
    still = {"power": 900_000.0, "energy": 5.0}
    story = [(0, still), (FROZEN_S - 0.1, still), (FROZEN_S, still), (60, still)]
    again = [(61, still | {"energy": 6.0}), (62, still), (63, still)]
    assert faults(*story, *again) == [0, 0, 1, 1, 0, 0, 0]


def test_what_a_meter_only_repeats_is_no_news_long_before_it_is_a_fault():
    judge, still = Judge(1_000_000, 1.0), {"power": 900_000.0, "energy": 5.0}
    story = [(0, still), (1, still), (2, still | {"energy": 255.0}), (3, still | {"energy": 255.0})]
    seen = [(judge.fault(Sight(at_s, values)), judge.still) for at_s, values in story]
    assert seen == [("", False), ("", True), ("", False), ("", True)]


def test_a_site_asleep_or_steady_is_not_frozen():
    asleep = [(t, {"power": 0.0, "energy": 5.0}) for t in range(0, 600, 10)]
    steady = [(t, {"power": 9e5, "energy": float(t)}) for t in range(0, 600, 10)]
    cheap = [(t, {"power": 9e5}) for t in range(0, 600, 10)]  # nothing to tell it by
    coarse = [(t, {"power": 100.0, "energy": 5.0}) for t in range(0, 60, 10)]
    assert not any(faults(*asleep) + faults(*steady) + faults(*cheap) + faults(*coarse))


class Site:
    """A meter on a desk: pymodbus's server, told what to answer."""

    def __init__(self):
        self.w, self.energy_wh, self.code = 1000, 0, None

    async def answer(self, function, start, address, count, registers, written):
        self.energy_wh += 1
        registers[:7] = struct.unpack(">7H", struct.pack(">iQH", self.w, self.energy_wh, 4998))
        return self.code

    @asynccontextmanager
    async def serving(self, port=0):
        data = SimData(0, count=7, values=0, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(
            SimDevice(1, simdata=[data], action=self.answer), address=("127.0.0.1", port)
        )
        await server.serve_forever(background=True)
        try:
            yield server.transport.sockets[0].getsockname()[1]
        finally:
            await server.shutdown()


@asynccontextmanager
async def polled(port, registers=BENCH, limit_w=1_000_000, unit=1, deadline_s=1.0, **keys):
    inbox, gateway = Inbox(), Gateway(Line(host="127.0.0.1", port=port), deadline_s=deadline_s)
    device = gateway.unit(unit)
    meter = Meter(inbox, registers, device, limit_w=limit_w, poll_s=0.02, **keys)
    task = asyncio.create_task(meter.run())
    try:
        yield inbox, meter
    finally:
        task.cancel()
        await asyncio.wait([task])
        gateway.close()


@pytest.mark.asyncio
@pytest.mark.real_time
class TestReal:
    async def test_reads_power_energy_and_frequency(self, until):
        site = Site()
        async with site.serving() as port, polled(port) as (inbox, meter):
            reading = await until(lambda: inbox.meter)
            assert reading.w == 1000 and meter.because == ""
            assert meter.values["frequency"] == pytest.approx(49.98)
            site.w = -5
            await until(lambda: inbox.meter.w == -5)
            assert inbox.meter.at_s > reading.at_s
            assert inbox.take_refusals() == []
            assert meter._unit.gateway.counters.connections == 1
            whole = inbox.readings["site"]
            assert whole.w == -5 and whole.energy_wh > 0 and whole.exported_wh is None
            assert inbox.frequency.hz == pytest.approx(49.98)

    async def test_another_meter_does_not_steer_the_site_and_a_sign_can_be_turned(self, until):
        site = Site()
        async with (
            site.serving() as port,
            polled(port, name="hall-1", sign=-1, frequency=False) as (inbox, _),
        ):
            reading = await until(lambda: inbox.readings.get("hall-1"))
            assert reading.w == -1000 and inbox.meter is inbox.frequency is None

    async def test_a_meter_of_the_frequency_is_no_meter_of_power(self, until):
        site = Site()
        async with site.serving() as port, polled(port, name="frequency") as (inbox, _):
            await until(lambda: inbox.frequency)
            assert inbox.readings == {}

    async def test_an_exception_is_said_once_and_nothing_is_written(self, until):
        site = Site()
        async with site.serving() as port, polled(port) as (inbox, meter):
            await until(lambda: inbox.meter)
            site.code = ExcCodes.DEVICE_FAILURE
            await until(lambda: meter.because)
            before, refused = inbox.meter, meter.counters.refused
            await until(lambda: meter.counters.refused > refused + 5)
            assert inbox.meter is before
            (refusal,) = inbox.take_refusals()
            assert refusal.source == "meter"
            assert "register 0: the device refuses, Modbus exception 4" in refusal.because
            site.code = None
            await until(lambda: inbox.meter is not before)
            assert meter.because == ""

    async def test_another_unit_and_another_map_are_refused_by_name(self, until):
        wrong = load_map(METERS / "sdm630.toml")
        async with Site().serving() as port, polled(port, wrong) as (inbox, _):
            refusals = await until(inbox.take_refusals)
            assert "register 52: the device refuses" in refusals[0].because
            assert inbox.meter is None

    async def test_the_impossible_is_not_written(self, until):
        site = Site()
        site.w = 1_500_001
        async with site.serving() as port, polled(port) as (inbox, _):
            (refusal,) = await until(inbox.take_refusals)
            assert "beyond 1.5 MW" in refusal.because and inbox.meter is None

    async def test_comes_back_when_the_meter_does(self, until):
        site = Site()
        async with site.serving() as port, polled(port) as (inbox, meter):
            await until(lambda: inbox.meter)
        async with polled(port) as (inbox, meter):
            await until(lambda: "cannot connect" in meter.because)
            async with site.serving(port):
                await until(lambda: inbox.meter)
            await until(lambda: meter.because)
            last = inbox.meter
            async with site.serving(port):
                await until(lambda: inbox.meter is not last)

    @pytest.mark.parametrize(
        "answer", [b"", b"\0", b"garbage" * 50, b"\0\1\0\0\0\7\1\3\4\0\1\0"], ids=len
    )
    async def test_silence_and_garbage_end_at_the_deadline(self, until, answer):
        async def serve(reader, writer):
            while await reader.read(100):
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with polled(port, deadline_s=0.1) as (inbox, meter):
            await until(lambda: meter.counters.refused > 2)
            assert inbox.meter is None and "no answer" in inbox.take_refusals()[0].because
        server.close()

    async def test_a_short_answer_is_no_reading(self, until):
        """A gateway that answers with one word fewer than it was asked for."""

        async def serve(reader, writer):
            while request := await reader.read(12):
                writer.write(request[:4] + b"\0\5\1\3\2\0\7")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with polled(server.sockets[0].getsockname()[1]) as (inbox, _):
            (refusal,) = await until(inbox.take_refusals)
            assert refusal.because == "register power: 1 words came, 7 were asked for"
            assert inbox.meter is None
        server.close()
