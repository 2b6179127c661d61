"""A rig's black box: what it read at every turn of its safety loop, in a ring that does not grow.

    block  = used u16, tick u32, seven values i16: the first turn; then records
    record = 0x00..0x7F            that many turns and one more without a change
             0x80 | mask, changes  one turn: bit n of mask is value n, its change a zigzag varint

A turn is 100 ms.  Values move little from one to the next, so a record is one to five bytes.
blackbox_reading.py reads it; a rig only writes.
"""

import struct

TURN_MS = 100
BLOCK, BLOCKS = 256, 10
FIRST = ">HI7h"
FIRST_SIZE = 20
COUNT = 7  # values; what they are and in which steps: blackbox_reading.VALUES
RECORD_MAX = 1 + 3 * COUNT
# what a kept box begins with: mark, number, tick when kept, why; then its blocks, then a crc32
HEAD, MARK, HEAD_SIZE = ">3sHI24s", b"SB1", 33


class Ring:
    """The last blocks of turns; the oldest gives way."""

    def __init__(self) -> None:
        self._data = bytearray(BLOCK * BLOCKS)
        self._last = [0] * COUNT
        self._at, self._used, self._run = BLOCKS - 1, BLOCK, -1
        self.tick = 0

    def note(self, values: list[int]) -> None:
        """One turn: values in steps."""
        self.tick += 1
        if self._used + RECORD_MAX > BLOCK:
            self._begin(values)
            return
        data, base = self._data, self._at * BLOCK
        start = at = base + self._used
        mask, at = 0, at + 1
        for n, value in enumerate(values):
            change = _i16(value) - self._last[n]
            if change:
                mask |= 1 << n
                self._last[n] += change
                at = self._put(at, change)
        if mask:
            data[start], self._run, self._used = 0x80 | mask, -1, at - base
        elif self._run >= 0 and data[self._run] < 0x7F:
            data[self._run] += 1
        else:
            data[start], self._run, self._used = 0, start, self._used + 1
        struct.pack_into(">H", data, base, self._used)

    def blocks(self) -> list[memoryview]:
        """Those written so far, the oldest first; of the ring itself, so use them at once."""
        order = [(self._at + 1 + n) % BLOCKS for n in range(BLOCKS)]
        views = [memoryview(self._data)[n * BLOCK : (n + 1) * BLOCK] for n in order]
        return [view for view in views if view[0] or view[1]]

    def _begin(self, values: list[int]) -> None:
        self._at = (self._at + 1) % BLOCKS
        self._last = [_i16(value) for value in values]
        struct.pack_into(
            FIRST, self._data, self._at * BLOCK, FIRST_SIZE, self.tick & 0xFFFF_FFFF, *self._last
        )
        self._used, self._run = FIRST_SIZE, -1

    def _put(self, at: int, change: int) -> int:
        rest = change << 1 if change >= 0 else (-change << 1) - 1
        while rest > 0x7F:
            self._data[at] = 0x80 | rest & 0x7F
            rest >>= 7
            at += 1
        self._data[at] = rest
        return at + 1


def _i16(value: int) -> int:
    return max(-0x8000, min(0x7FFF, value))
