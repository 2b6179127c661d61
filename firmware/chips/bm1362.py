"""BM1362, as captured on a stock S19j Pro: 126 chips in 42 domains, whose ends it leaves alone."""

from protocols import hashboard as codec

SMALL_CORES = 514
REPLY = 11
ROLL = ((codec.VERSION_ROLLING, 0x9000_FFFF),)
BEFORE = ((codec.SOFT_RESET, 0), (codec.MISC_CONTROL, 0xB000_C100))
_CORES = ((codec.CORE_CONTROL, 0x8000_8540), (codec.CORE_CONTROL, 0x8000_8008))
ALL = _CORES + (
    (codec.ANALOG_MUX, 3),
    (codec.IO_DRIVER, 0x0001_1111),
)
STRONG = 0
PADS: tuple = ()
BAUD, FAST = ((codec.UART_BAUD, 0x1130_0000),), 3_125_000
EACH = (
    (
        (codec.SOFT_RESET, 2),
        (codec.MISC_CONTROL, 0xB000_C100),
    )
    + _CORES
    + ((codec.CORE_CONTROL, 0x8000_82AA),)
)
LAST: tuple = ()
OFFSETS, SWEEPS = False, True
CLOCK: tuple = ()
COUNTER, UNIT, IS_RATE, ERRORS = codec.TOTAL_HASHES, 4_294_967, False, codec.NONCE_ERRORS
