"""The SunSpec register image of a site: models 1, 701, 704, 711, 715, laid end to end.

Which point lies where comes from the model definitions of the SunSpec Alliance, as the
package pysunspec2 carries them; here is only how values become registers.
"""

import struct
from dataclasses import dataclass
from typing import Any

from sunspec2 import device

BASE = 40_000
MODELS = (1, 701, 704, 711, 715)
MARKER = (0x5375, 0x6E53)  # "SunS"
END = (0xFFFF, 0)

# how a kind of point lies in registers, and what says "not implemented"
_FORMS = {
    "uint16": (">H", 0xFFFF),
    "int16": (">h", -0x8000),
    "uint32": (">I", 0xFFFF_FFFF),
    "int32": (">i", -0x8000_0000),
    "uint64": (">Q", 0xFFFF_FFFF_FFFF_FFFF),
    "enum16": (">H", 0xFFFF),
    "bitfield32": (">I", 0xFFFF_FFFF),
    "sunssf": (">h", -0x8000),
    "pad": (">H", 0x8000),
}


class MapError(ValueError):
    """A register that cannot be written, or not so; the text says which and what would be right."""


@dataclass(frozen=True, slots=True)
class Point:
    """address: of its first register."""

    name: str
    address: int
    size: int
    kind: str
    writable: bool


class Image:
    """Registers from BASE on, and the points on them by (model, name)."""

    def __init__(self, followed: frozenset[tuple[int, str]] = frozenset()) -> None:
        """followed: the points a master may write; a write that nobody follows is refused."""
        self.points: dict[tuple[int, str], Point] = {}
        self._followed = followed
        address = BASE + len(MARKER)
        for model in MODELS:
            address = self._lay(model, address)
        self.registers = [0] * (address + len(END) - BASE)
        self.registers[: len(MARKER)] = MARKER
        self.registers[-len(END) :] = END
        for model, name in self.points:
            self.put(model, name, None)
        for model in MODELS:
            self.put(model, "ID", model)
            self.put(model, "L", self._length(model))

    def put(self, model: int, name: str, value: float | str | None) -> None:
        """None: not implemented, or not known now.  Numbers are held within the point's range."""
        point = self.points[model, name]
        low = point.address - BASE
        self.registers[low : low + point.size] = _encode(point, value)

    def get(self, model: int, name: str) -> int | None:
        """A number; None when it says "not implemented"."""
        point = self.points[model, name]
        form, nothing = _FORMS[point.kind]
        low = point.address - BASE
        raw = struct.pack(f">{point.size}H", *self.registers[low : low + point.size])
        value = int(struct.unpack(form, raw)[0])
        return None if value == nothing else value

    def write(self, address: int, values: list[int]) -> list[tuple[int, str]]:
        """What a master writes; the points it hit.  Raises MapError and then changes nothing."""
        hit = self._hit(address, len(values))
        low = address - BASE
        self.registers[low : low + len(values)] = values
        return hit

    def _hit(self, address: int, count: int) -> list[tuple[int, str]]:
        hit, end, covered = [], address + count, 0
        for (model, name), point in self.points.items():
            inside = min(end, point.address + point.size) - max(address, point.address)
            if inside <= 0:
                continue
            if not point.writable:
                raise MapError(f"{model}.{name}, register {point.address}, is read-only")
            if inside < point.size:
                raise MapError(f"{model}.{name} is {point.size} registers from {point.address}")
            hit.append((model, name))
            covered += inside
        if covered != count:
            raise MapError(f"registers {address} to {end - 1} are not all of the map")
        return hit

    def _lay(self, model: int, address: int) -> int:
        group = device.get_model_def(model)["group"]
        for prefix, point in _flat(group, ""):
            size = int(point.get("size", 1))
            name = prefix + point["name"]
            writable = (model, name) in self._followed
            self.points[model, name] = Point(name, address, size, point["type"], writable)
            address += size
        return address

    def _length(self, model: int) -> int:
        """Of a model, without its ID and L."""
        return sum(point.size for (of, _), point in self.points.items() if of == model) - 2


def _flat(group: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    """A group's points, then its inner groups', each of them once."""
    found = [(prefix, point) for point in group["points"]]
    for inner in group.get("groups", []):
        found += _flat(inner, f"{inner['name']}.")
    return found


def _encode(point: Point, value: float | str | None) -> list[int]:
    if point.kind == "string":
        raw = str(value or "").encode("ascii", "replace")[: 2 * point.size]
        raw = raw.ljust(2 * point.size, b"\0")
    else:
        form, nothing = _FORMS[point.kind]
        raw = struct.pack(form, nothing if value is None else _within(form, round(float(value))))
    return list(struct.unpack(f">{point.size}H", raw))


def _within(form: str, value: int) -> int:
    bits = 8 * struct.calcsize(form)
    if form[1].isupper():
        return max(0, min((1 << bits) - 2, value))
    return max(1 - (1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))
