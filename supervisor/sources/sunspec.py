"""SunSpec meters: found by walking the device's models, so that no register map is needed.

The marker "SunS" stands at one of three addresses, and behind it a chain of models, each
with its number and its length.  Where the values lie in a meter's model is the SunSpec
Alliance's model definitions 201 to 204 (integers with scale factors) and 211 to 214
(floats); tests compare the table with those files.
"""

from supervisor.modbus import Refused, Unit
from supervisor.sources.registers import Map, ReadingError, Register

BASES = (40000, 50000, 0)
MARKER = [0x5375, 0x6E53]  # "SunS"
LAST = 0xFFFF  # the number of the model that ends the chain
MODELS_MAX = 100
ACROSS = 64  # words of a model read along; all of it exists

# offsets from the model's first word: (value, scale factor)
INTEGERS = {"frequency": (16, 17), "power": (18, 22), "exported": (38, 54), "energy": (46, 54)}
FLOATS = {"frequency": 26, "power": 28, "exported": 60, "energy": 68}
_UNITS = {"power": "W", "energy": "Wh", "exported": "Wh", "frequency": "Hz"}


async def scan(unit: Unit) -> Map:
    """The map of the first meter among a device's models.

    Raises ReadingError when there is none, and DeviceError when it does not answer.
    """
    base = await _base(unit)
    address = base + 2
    seen: list[str] = []
    while len(seen) < MODELS_MAX and address <= 0xFFFE:
        model, length = await unit.read("holding", address, 2)
        if is_meter(model):
            return map_of(model, address)
        if model == LAST:
            break
        seen.append(str(model))
        address += 2 + length
    raise ReadingError(f"none of its SunSpec models is a meter: {', '.join(seen) or 'none at all'}")


async def _base(unit: Unit) -> int:
    for base in BASES:
        try:
            if await unit.read("holding", base, 2) == MARKER:
                return base
        except Refused:
            continue
    raise ReadingError(f"no SunSpec marker at {', '.join(map(str, BASES))}")


def is_meter(model: int) -> bool:
    return 201 <= model <= 204 or 211 <= model <= 214


def map_of(model: int, address: int) -> Map:
    """The map of a meter model whose first word is at address."""
    table = _integers(address) if model <= 204 else _floats(address)
    return Map(name=f"SunSpec model {model} at {address}", gap=ACROSS, **table)


def _integers(address: int) -> dict[str, Register]:
    found = {}
    for name, (value, exponent) in INTEGERS.items():
        wide = _UNITS[name] == "Wh"  # an acc32, which has no word for unknown but 0
        found[name] = Register(
            address=address + value,
            kind="holding",
            format="uint32" if wide else "int16",
            unit=_UNITS[name],  # type: ignore[arg-type]
            exponent=address + exponent,
            invalid=() if wide else (-0x8000,),
        )
    return found


def _floats(address: int) -> dict[str, Register]:
    return {
        name: Register(
            address=address + value,
            kind="holding",
            format="float32",
            unit=_UNITS[name],  # type: ignore[arg-type]
        )
        for name, value in FLOATS.items()
    }
