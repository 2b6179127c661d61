"""The ring a rig writes; on both runtimes.  Reading it back: test_blackbox_host.py."""

import random

from protocols import blackbox
from protocols.blackbox import BLOCK, BLOCKS, FIRST_SIZE, Ring

STILL = [64, 3, 250, 240, 33, 20, 0]


def test_what_stands_still_takes_a_byte_for_128_turns():
    ring = Ring()
    for _ in range(1 + 3 * 128):
        ring.note(STILL)
    block = bytes(ring.blocks()[0])
    assert block[:2] == bytes((0, FIRST_SIZE + 3)) and block[FIRST_SIZE:][:4] == b"\x7f\x7f\x7f\0"


def test_a_change_takes_its_place_and_a_byte_or_two():
    ring = Ring()
    ring.note(STILL)
    ring.note([64, 3, 251, 240, 33, 20, 0])
    ring.note([64, 2, 251, 240, 133, 20, 0])
    expected = bytes((0x80 | 4, 2, 0x80 | 18, 1, 0x80 | 72, 1))
    assert bytes(ring.blocks()[0])[FIRST_SIZE:][:7] == expected + b"\0"


def test_it_does_not_grow_and_forgets_the_oldest():
    ring, chance = Ring(), random.getrandbits
    for _ in range(5_000):
        ring.note([chance(20) - 500_000 for _ in range(blackbox.COUNT)])
    blocks = ring.blocks()
    assert len(blocks) == BLOCKS and len(ring._data) == BLOCK * BLOCKS
    ticks = [int.from_bytes(bytes(block[2:6]), "big") for block in blocks]
    assert ticks == sorted(ticks) and ticks[-1] <= 5_000 and ticks[0] > 4_700
