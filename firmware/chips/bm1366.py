"""BM1366, as dumped from a stock S19 XP (11 domains of 10) and as ESP-Miner starts one."""

from protocols import hashboard as codec

SMALL_CORES = 894
REPLY = 11
ROLL = ((codec.VERSION_ROLLING, 0x9000_FFFF),)
BEFORE = ((codec.SOFT_RESET, 0x0007_0000), (codec.MISC_CONTROL, 0xFF0F_C100))
_CORES = ((codec.CORE_CONTROL, 0x8000_8540), (codec.CORE_CONTROL, 0x8000_8020))
ALL = _CORES + (
    (codec.ANALOG_MUX, 3),
    (codec.IO_DRIVER, 0x0211_1111),
)
STRONG = 0x0211_F111
PADS: tuple = ()
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
