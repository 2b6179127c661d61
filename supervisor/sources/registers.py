"""Register maps of meters: which words hold watts, and how they are made into a number.

A map is a TOML file of supervisor/meters.  Pure: knows no socket.
"""

import math
import struct
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_FORMATS = {
    "int16": (1, ">h"),
    "uint16": (1, ">H"),
    "int32": (2, ">i"),
    "uint32": (2, ">I"),
    "float32": (2, ">f"),
    "uint64": (4, ">Q"),
}
_UNITS = {"power": "W", "energy": "Wh", "frequency": "Hz"}


class MapError(ValueError):
    """This file is no register map; the text names it and the key."""


class ReadingError(ValueError):
    """These words are no reading; the text names the register."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Register(_Table, frozen=True, kw_only=True):
    """A number in one or more words.  scale: from the raw number to the unit."""

    address: Annotated[int, Meta(ge=0, le=65535)]
    kind: Literal["holding", "input"]
    format: Literal["int16", "uint16", "int32", "uint32", "float32", "uint64"]
    unit: Literal["W", "Wh", "Hz"]
    scale: float = 1.0
    word_order: Literal["big", "little"] = "big"

    @property
    def words(self) -> int:
        return _FORMATS[self.format][0]


class Map(_Table, frozen=True, kw_only=True):
    """What a meter offers.  power: import is positive; scale = -1 turns a meter round."""

    name: str
    power: Register
    energy: Register | None = None
    frequency: Register | None = None

    def registers(self) -> Iterator[tuple[str, Register]]:
        """Those there are by name, power first."""
        yield "power", self.power
        if self.energy:
            yield "energy", self.energy
        if self.frequency:
            yield "frequency", self.frequency


def load_map(path: str | Path) -> Map:
    """The map in a file.  Raises MapError."""
    try:
        registers = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), Map)
    except OSError as error:
        raise MapError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise MapError(f"{path}: {str(error).replace('$.', '')}") from None
    for name, register in registers.registers():
        if register.unit != _UNITS[name]:
            raise MapError(f"{path}: {name}.unit is {register.unit}, it must be {_UNITS[name]}")
        if not math.isfinite(register.scale) or register.scale == 0:
            raise MapError(f"{path}: {name}.scale is {register.scale}, it must be a number, not 0")
    return registers


def decode(name: str, register: Register, words: Sequence[int]) -> float:
    """What these words say, in the register's unit.  Raises ReadingError and nothing else."""
    count, layout = _FORMATS[register.format]
    if len(words) != count or not all(0 <= word <= 0xFFFF for word in words):
        raise ReadingError(f"register {name}: {len(words)} words came, it has {count}")
    ordered = words if register.word_order == "big" else words[::-1]
    (raw,) = struct.unpack(layout, b"".join(word.to_bytes(2, "big") for word in ordered))
    value = float(raw) * register.scale
    if not math.isfinite(value):
        raise ReadingError(f"register {name}: reads {raw}, which is no number")
    return value
