"""BM1370, as captured on a stock S21 Pro: 65 chips in 13 domains."""

from protocols import hashboard as codec

SMALL_CORES = 2040
REPLY = 11
ROLL = ((codec.VERSION_ROLLING, 0x9000_FFFF),)
BEFORE = ((codec.SOFT_RESET, 0x0007_0000), (codec.MISC_CONTROL, 0xF000_C100))
_CORES = ((codec.CORE_CONTROL, 0x8000_8B00), (codec.CORE_CONTROL, 0x8000_800C))
_ADC = ((0xB9, 0x0000_4480),)
ALL = _CORES + ((codec.IO_DRIVER, 0x0001_1111),)
STRONG = 0x0001_F111
PADS = ((codec.PLL3, 0x5AA5_5AA5),)  # ring oscillators off
BAUD, FAST = ((codec.UART_BAUD, 0x0130_0000),), 3_125_000
EACH = (
    (
        (codec.SOFT_RESET, 0x0007_01F0),
        (codec.MISC_CONTROL, 0xF000_C100),
    )
    + _CORES
    + ((codec.CORE_CONTROL, 0x8000_82AA),)
)
LAST = _ADC + ((codec.ANALOG_MUX, 2),) + _ADC + ((codec.CORE_CONTROL, 0x8000_8DEE),)
OFFSETS, SWEEPS = True, True
CLOCK: tuple = ()
COUNTER, UNIT, IS_RATE, ERRORS = codec.TOTAL_HASHES, 4_294_967, False, codec.NONCE_ERRORS
