"""Register maps: which words hold watts, and how they are made into a number.

A map is a TOML file of supervisor/meters, or found in the device (sunspec.py).  Pure: knows
no socket.
"""

import math
import struct
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

_FORMATS = {
    "int16": (1, ">h"),
    "uint16": (1, ">H"),
    "int32": (2, ">i"),
    "uint32": (2, ">I"),
    "float32": (2, ">f"),
    "int64": (4, ">q"),
    "uint64": (4, ">Q"),
    "float64": (4, ">d"),
}
_UNITS = {"power": "W", "energy": "Wh", "exported": "Wh", "frequency": "Hz"}
WORDS_MAX = 120  # in one request; the standard allows 125, some meters a little less
EXPONENT = 10  # of a scale register, either way; beyond it the register is something else

Format = Literal["int16", "uint16", "int32", "uint32", "float32", "int64", "uint64", "float64"]


class MapError(ValueError):
    """This file is no register map; the text names it and the key."""


class ReadingError(ValueError):
    """These words are no reading; the text names the register."""


class NotKnown(ReadingError):
    """The device itself says that it has no such number now."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Register(_Table, frozen=True, kw_only=True):
    """A number in one or more words.  scale: from the raw number to the unit.

    exponent: address of another register whose signed n multiplies by 10^n (SunSpec).
    invalid: raw numbers by which the device says that it does not know.
    """

    address: Annotated[int, Meta(ge=0, le=65535)]
    kind: Literal["holding", "input"]
    format: Format
    unit: Literal["W", "Wh", "Hz", "%", "A", "Pa"]
    scale: float = 1.0
    word_order: Literal["big", "little"] = "big"
    exponent: Annotated[int, Meta(ge=0, le=65535)] | None = None
    invalid: tuple[int, ...] = ()

    @property
    def words(self) -> int:
        return _FORMATS[self.format][0]

    def spans(self) -> Iterator["Span"]:
        yield Span(self.kind, self.address, self.words)
        if self.exponent is not None:
            yield Span(self.kind, self.exponent, 1)


class Span(NamedTuple):
    """Words that are read in one request."""

    kind: Literal["holding", "input"]
    address: int
    words: int

    @property
    def end(self) -> int:
        return self.address + self.words


class Map(_Table, frozen=True, kw_only=True):
    """What a meter offers.  power: import is positive; scale = -1 turns a meter round.

    gap: words nobody wants that may be read along, so that fewer requests are needed; 0
    for a meter that refuses to read what is not in its manual.
    """

    name: str
    gap: Annotated[int, Meta(ge=0, le=WORDS_MAX)] = 0
    power: Register
    energy: Register | None = None
    exported: Register | None = None
    frequency: Register | None = None

    def registers(self) -> Iterator[tuple[str, Register]]:
        """Those there are by name, power first."""
        for name in _UNITS:
            register = getattr(self, name)
            if register is not None:
                yield name, register

    def spans(self) -> list[Span]:
        """The fewest requests that bring all registers; that with the power first."""
        return spans_of([register for _, register in self.registers()], self.gap)

    def values(self, read: Mapping[Span, Sequence[int]]) -> dict[str, float]:
        """Registers by name, from the words of all spans; but for the power, one that the
        device does not know is left out.  Raises ReadingError."""
        return values_of(dict(self.registers()), read, needed="power")


def spans_of(registers: Sequence[Register], gap: int) -> list[Span]:
    """The fewest requests that bring these registers; that with the first one first."""
    spans: list[Span] = []
    for span in sorted(span for register in registers for span in register.spans()):
        last = spans[-1] if spans else None
        if last and last.kind == span.kind and _fit(last, span, gap):
            spans[-1] = last._replace(words=max(last.end, span.end) - last.address)
        else:
            spans.append(span)
    first = next(span for span in spans if within(span, next(registers[0].spans())))
    return [first] + [span for span in spans if span is not first]


def _fit(last: Span, span: Span, gap: int) -> bool:
    together = max(last.end, span.end) - last.address
    return span.address <= last.end + gap and together <= WORDS_MAX


def values_of(
    registers: Mapping[str, Register], read: Mapping[Span, Sequence[int]], needed: str
) -> dict[str, float]:
    """By name, from the words of all spans; what the device does not know is left out, but
    for the needed one.  Raises ReadingError."""
    values = {}
    for name, register in registers.items():
        words = [_cut(name, read, span) for span in register.spans()]
        try:
            values[name] = decode(name, register, *words)
        except NotKnown:
            if name == needed:
                raise
    return values


def within(span: Span, part: Span) -> bool:
    """Whether the words of part are among those of span."""
    return span.kind == part.kind and span.address <= part.address and part.end <= span.end


def _cut(name: str, read: Mapping[Span, Sequence[int]], part: Span) -> Sequence[int]:
    span = next(span for span in read if within(span, part))
    words = read[span]
    if len(words) != span.words:
        raise ReadingError(f"register {name}: {len(words)} words came, {span.words} were asked for")
    return words[part.address - span.address : part.end - span.address]


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


def decode(
    name: str, register: Register, words: Sequence[int], exponent: Sequence[int] = (0,)
) -> float:
    """What these words say, in the register's unit.  Raises ReadingError and nothing else."""
    raw = _raw(name, register, words)
    if raw in register.invalid:
        raise NotKnown(f"register {name}: the device says that it does not know, {raw}")
    if math.isnan(raw):
        raise NotKnown(f"register {name}: reads {raw}, which is no number")
    value = float(raw) * register.scale * 10.0 ** _exponent(name, exponent)
    if not math.isfinite(value):
        raise ReadingError(f"register {name}: reads {raw}, which is no number")
    return value


def _raw(name: str, register: Register, words: Sequence[int]) -> int | float:
    count, layout = _FORMATS[register.format]
    if len(words) != count or not all(0 <= word <= 0xFFFF for word in words):
        raise ReadingError(f"register {name}: {len(words)} words came, it has {count}")
    ordered = words if register.word_order == "big" else words[::-1]
    raw: int | float
    (raw,) = struct.unpack(layout, b"".join(word.to_bytes(2, "big") for word in ordered))
    return raw


def _exponent(name: str, words: Sequence[int]) -> int:
    if len(words) != 1 or not 0 <= words[0] <= 0xFFFF:
        raise ReadingError(f"register {name}: its scale is not one word")
    exponent = words[0] - 0x1_0000 if words[0] & 0x8000 else words[0]
    if abs(exponent) > EXPONENT:
        raise ReadingError(f"register {name}: its scale is 10^{exponent}, which nobody means")
    return exponent
