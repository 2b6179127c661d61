"""A black box is read as it was noted, and anything else is refused."""

import binascii
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import blackbox
from protocols.blackbox import HEAD, MARK, TURN_MS, Ring
from protocols.blackbox_reading import VALUES, BoxError, read

ONE = st.integers(-40_000, 40_000) | st.sampled_from([0, 250, 251])
TURNS = st.lists(
    st.tuples(st.lists(ONE, min_size=7, max_size=7), st.integers(1, 300)), min_size=1, max_size=60
)


def boxed(ring, number=3, why=b"fan-stopped"):
    raw = struct.pack(HEAD, MARK, number, ring.tick, why) + b"".join(map(bytes, ring.blocks()))
    return raw + struct.pack(">I", binascii.crc32(raw))


@given(TURNS)
def test_what_was_noted_is_read(turns):
    ring, noted = Ring(), []
    for values, times in turns:
        for _ in range(times):
            ring.note(values)
            noted.append([max(-0x8000, min(0x7FFF, value)) for value in values])
    box = read(boxed(ring))
    assert (box.number, box.why) == (3, "fan-stopped") and 0 < len(box.rows) <= len(noted)
    ages = [age_ms for age_ms, _ in box.rows]
    assert ages == [n * TURN_MS for n in range(len(box.rows) - 1, -1, -1)], "every turn, no gap"
    for (_, named), values in zip(box.rows, noted[-len(box.rows) :], strict=True):
        for (name, step), value in list(zip(VALUES, values, strict=True))[1:]:
            assert named[name] == value * step


@given(st.binary(max_size=900))
def test_anything_else_is_refused(raw):
    with pytest.raises(BoxError):
        read(raw)


@given(st.binary(min_size=blackbox.BLOCK, max_size=blackbox.BLOCK))
def test_a_block_of_anything_is_read_or_refused(block):
    raw = struct.pack(HEAD, MARK, 1, 1, b"x") + block
    try:
        box = read(raw + struct.pack(">I", binascii.crc32(raw)))
    except BoxError:
        return
    assert len(box.rows) <= 1 + 128 * blackbox.BLOCK


def test_a_bit_that_fell_is_seen():
    ring = Ring()
    ring.note([1] * 7)
    raw = boxed(ring)
    with pytest.raises(BoxError, match="checksum"):
        read(raw[:50] + bytes((raw[50] ^ 1,)) + raw[51:])
    with pytest.raises(BoxError, match="not all of one"):
        read(raw[:-1])
