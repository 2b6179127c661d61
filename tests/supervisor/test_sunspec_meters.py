"""The table of places against SunSpec's own model files; the scan against models in memory."""

import json
import struct
from pathlib import Path

import pytest
import sunspec2

from supervisor.modbus import Refused
from supervisor.sources.registers import ReadingError
from supervisor.sources.sunspec import FLOATS, INTEGERS, is_meter, map_of, scan

MODELS = Path(sunspec2.__file__).parent / "models" / "json"
NAMES = {"frequency": "Hz", "power": "W", "exported": "TotWhExp", "energy": "TotWhImp"}


def places(model):
    """Offset, type and name of the scale factor, of every point of a model file."""
    found, offset = {}, 0
    for point in json.loads((MODELS / f"model_{model}.json").read_text())["group"]["points"]:
        found[point["name"]] = (offset, point["type"], point.get("sf"))
        offset += point["size"]
    return found


@pytest.mark.parametrize("model", [201, 202, 203, 204])
def test_integers_lie_where_the_model_file_says(model):
    there = places(model)
    for ours, (value, exponent) in INTEGERS.items():
        offset, kind, scale = there[NAMES[ours]]
        assert (value, exponent) == (offset, there[scale][0])
        register = getattr(map_of(model, 100), ours)
        assert register.format == {"int16": "int16", "acc32": "uint32"}[kind]
        assert (register.address, register.exponent) == (100 + value, 100 + exponent)


@pytest.mark.parametrize("model", [211, 212, 213, 214])
def test_floats_lie_where_the_model_file_says(model):
    there = places(model)
    for ours, value in FLOATS.items():
        assert there[NAMES[ours]][:2] == (value, "float32")
        assert getattr(map_of(model, 100), ours).address == 100 + value


def test_no_other_model_is_a_meter():
    assert [model for model in range(1, 1000) if is_meter(model)] == [
        *range(201, 205),
        *range(211, 215),
    ]


class Device:
    """A unit with words in memory; what is not there is refused."""

    def __init__(self, base, *models):
        self.words, self.reads = {}, 0
        self.put(base, [0x5375, 0x6E53])
        at = base + 2
        for model, body in models:
            self.put(at, [model, len(body), *body])
            at += 2 + len(body)
        self.put(at, [0xFFFF, 0])

    def put(self, at, words):
        self.words |= {at + n: word for n, word in enumerate(words)}

    async def read(self, kind, address, count):
        self.reads += 1
        if any(at not in self.words for at in range(address, address + count)):
            raise Refused(f"register {address}", 2)
        return [self.words[at] for at in range(address, address + count)]


def integers(**values):
    """The body of model 203 with these words at these offsets of the model."""
    body = [0x8000] * 105
    for at, word in values.items():
        body[int(at[1:]) - 2] = word & 0xFFFF
    return 203, body


COMMON = (1, [0] * 66)
LOAD = integers(o16=4999, o17=-2, o18=-1234, o22=2, o38=0, o39=7, o46=1, o47=2, o54=1)


async def values(device):
    found = await scan(device)
    read = {span: await device.read(*span) for span in found.spans()}
    return found, found.values(read)


@pytest.mark.asyncio
@pytest.mark.parametrize("base", [40000, 50000, 0])
async def test_a_meter_is_found_behind_other_models_and_read_in_one_request(base):
    device = Device(base, COMMON, (103, [0] * 50), LOAD)
    found, read = await values(device)
    assert read == pytest.approx(
        {"power": -123_400, "energy": 655_380, "exported": 70, "frequency": 49.99}
    )
    assert len(found.spans()) == 1 and found.name.startswith("SunSpec model 203")


@pytest.mark.asyncio
async def test_a_meter_of_floats():
    body = [0x7FC0, 0] * 62
    for offset, value in ((28, 5e6), (26, 50.0), (68, 1e9)):
        body[offset - 2 : offset] = struct.unpack(">2H", struct.pack(">f", value))
    _, read = await values(Device(40000, COMMON, (213, body)))
    assert read == {"power": 5e6, "energy": 1e9, "frequency": 50.0}  # NaN: no such counter


@pytest.mark.asyncio
async def test_a_meter_that_does_not_know_its_power_gives_no_reading():
    with pytest.raises(ReadingError, match="power: the device says that it does not know"):
        await values(Device(40000, COMMON, integers(o17=0, o22=0, o54=0)))


@pytest.mark.asyncio
async def test_a_device_without_a_meter_says_what_it_has():
    with pytest.raises(ReadingError, match="none of its SunSpec models is a meter: 1, 103"):
        await scan(Device(40000, COMMON, (103, [0] * 50)))
    device = Device(40000)
    device.words.clear()
    with pytest.raises(ReadingError, match="no SunSpec marker at 40000, 50000, 0"):
        await scan(device)


@pytest.mark.asyncio
async def test_a_chain_without_an_end_ends():
    device = Device(40000)
    device.words |= dict.fromkeys(range(40002, 66_000), 5)
    with pytest.raises(ReadingError, match="none of its SunSpec models"):
        await scan(device)
    assert device.reads < 110
