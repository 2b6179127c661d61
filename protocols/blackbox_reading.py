"""Reads a kept black box: for people and pages; a rig only writes them."""

import binascii
import struct
from collections import namedtuple

from protocols.blackbox import BLOCK, FIRST, FIRST_SIZE, HEAD, HEAD_SIZE, MARK, TURN_MS
from protocols.messages import STATES

# name, of how much one step is
VALUES = (
    ("state", 1),  # 64 * number of the state + level
    ("power_w", 8),
    ("hot_dc", 1),
    ("inlet_dc", 1),
    ("fan_rpm", 64),
    ("fan_pm", 10),
    ("rail_mv", 50),
)
# rows: [(ms before it was kept, {name: value}), ...], the oldest first
Box = namedtuple("Box", ("number", "why", "rows"))


class BoxError(ValueError):
    """These bytes are no black box; the text says what is wrong with them."""


def read(raw: bytes) -> Box:
    """A whole box.  Raises BoxError and nothing else."""
    if len(raw) < HEAD_SIZE + 4 or raw[:3] != MARK or (len(raw) - HEAD_SIZE - 4) % BLOCK:
        raise BoxError(f"{len(raw)} bytes: not a black box, or not all of one")
    if binascii.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "big"):
        raise BoxError("its checksum is wrong")
    _, number, kept, why = struct.unpack_from(HEAD, raw)
    rows = []
    for at in range(HEAD_SIZE, len(raw) - 4, BLOCK):
        for tick, values in _block(raw[at : at + BLOCK]):
            rows.append(((kept - tick) * TURN_MS, _named(values)))
    return Box(number, why.rstrip(b"\0").decode("ascii", "replace"), rows)


def _named(values: list[int]) -> dict[str, object]:
    named: dict[str, object] = {
        name: value * step for (name, step), value in zip(VALUES, values, strict=True)
    }
    number, level = divmod(values[0], 64)
    named["state"] = STATES[number] if 0 <= number < len(STATES) else str(number)
    named["level"] = level
    return named


def _block(block: bytes) -> list[tuple[int, list[int]]]:
    """(tick, values) of every turn in it."""
    used, tick, *first = struct.unpack_from(FIRST, block)
    if not FIRST_SIZE <= used <= BLOCK:
        raise BoxError(f"a block of {used} bytes")
    turns, values, at = [(tick, list(first))], list(first), FIRST_SIZE
    while at < used:
        head, at = block[at], at + 1
        if head < 0x80:
            turns += [(tick + n + 1, list(values)) for n in range(head + 1)]
            tick += head + 1
            continue
        for n in range(len(VALUES)):
            if head >> n & 1:
                change, at = _change(block, at, used)
                values[n] += change
        tick += 1
        turns.append((tick, list(values)))
    return turns


def _change(block: bytes, at: int, used: int) -> tuple[int, int]:
    rest = shift = 0
    while at < used and shift <= 21:
        byte = block[at]
        rest |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (-(rest + 1) >> 1 if rest & 1 else rest >> 1), at
    raise BoxError("a change that does not end")
