"""BM1397, as ESP-Miner and stock T17 start it: no version rolling, short answers, midstates.

Its rate register counts 2^20 hashes a second by one source and 2^24 by another; the first
is what a chip was seen to do.
"""

from protocols import hashboard as codec

SMALL_CORES = 672
REPLY = 9
ROLL: tuple = ()
BEFORE: tuple = ()
ALL = (
    (0x80, 0),
    (0x84, 0),
    (0x20, 1),  # which clocks are in order
    (codec.CORE_CONTROL, 0x8000_8074),
)
STRONG = 0
PADS: tuple = ()
BAUD = (
    (codec.PLL3, 0xC070_0111),
    (codec.UART_BAUD, 0x0600_000F),
    (codec.MISC_CONTROL, 0x0000_6031),  # the crystal, divided by 8
)
FAST = 3_125_000
EACH: tuple = ()
LAST: tuple = ()
OFFSETS, SWEEPS = False, False
CLOCK = ((0x70, 0x0F0F_0F00), (0x70, 0x0F0F_0F00))  # the divider behind it, out of the way
COUNTER, UNIT, IS_RATE, ERRORS = 0x04, 1_049, True, 0
