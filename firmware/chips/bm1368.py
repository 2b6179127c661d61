"""BM1368, as ESP-Miner starts one and stock S21 boards are known.

Its own thermometer is not read: the board's are."""

from protocols import hashboard as codec

SMALL_CORES = 1276
REPLY = 11
ROLL = ((codec.VERSION_ROLLING, 0x9000_FFFF),)
BEFORE = ((codec.SOFT_RESET, 0x0007_0000), (codec.MISC_CONTROL, 0xFF0F_C100))
_CORES = ((codec.CORE_CONTROL, 0x8000_8B00), (codec.CORE_CONTROL, 0x8000_8018))
ALL = _CORES + (
    (codec.ANALOG_MUX, 3),
    (codec.IO_DRIVER, 0x0211_1111),
)
STRONG = 0x0211_F111
PADS = ((codec.PLL3, 0x5AA5_5AA5),)
BAUD, FAST = ((codec.UART_BAUD, 0x0130_0000),), 3_125_000
EACH = (
    (
        (codec.SOFT_RESET, 0x0007_01F0),
        (codec.MISC_CONTROL, 0xF000_C100),
    )
    + _CORES
    + ((codec.CORE_CONTROL, 0x8000_82AA),)
)
LAST: tuple = ()
OFFSETS, SWEEPS = False, True
CLOCK: tuple = ()
COUNTER, UNIT, IS_RATE, ERRORS = codec.TOTAL_HASHES, 4_294_967, False, codec.NONCE_ERRORS
