"""What a virtual BM13xx chip is after reset, by model: registers, core registers, what it needs.

Where nothing is recorded of a chip (most of BM1362 and BM1368) it is taken to be as BM1366.
Sources: hardware.md 1.6 and 1.7 of the reference: dumps of real chips.
"""

from dataclasses import dataclass

from protocols import bm13xx
from protocols import hashboard as wire


@dataclass(frozen=True)
class Facts:
    chip: bm13xx.Chip
    reset: dict[int, int]
    core_reset: dict[int, int]
    enable: tuple[int, int] | None  # core register and value that make the cores hash
    needs_sweep: bool  # HASH_COUNTING 0 stops it
    quarters: bool  # each of the upper bits of MISC_CONTROL opens a quarter of the cores
    reports_at_once: bool  # without MISC_CONTROL opened


_BM1366 = {
    0x04: 0x0001_2A89,
    wire.PLL0: 0x4054_0165,  # 50 MHz; reads C0540165 once locked
    wire.MISC_CONTROL: 0x0000_C100,
    0x20: 0x0000_0003,
    0x24: 0x0010_0000,
    wire.UART_BAUD: 0x0130_1A00,
    wire.UART_RELAY: 0x000F_0000,
    0x30: 0x0000_0070,
    0x40: 0x1EAF_5FBE,
    wire.IO_DRIVER: 0x0001_2111,
    0x5C: 0x0000_FFFF,
    0x60: 0x2050_0174,
    0x6C: 0x0001_0200,
    0x9C: 0x00FD_0077,
    wire.VERSION_ROLLING: 0x0000_FFFF,
    wire.SOFT_RESET: 0x0007_0000,
    0xBC: 0x0000_3313,
    0xC0: 0x0000_2000,
    0xEC: 0x0000_0008,
}
_BM1370 = _BM1366 | {
    0x04: 0,
    0x20: 0x0000_0007,
    0x30: 0x0000_0080,
    0x40: 0x0802_0100,
    0x64: 0x2050_0174,
    0x9C: 0x00F7_0073,
    0xB8: 0x2000_0000,
    0xC4: 0x0000_B850,
    0xEC: 0,
}
_BM1397 = {
    0x04: 0x8000_0000,
    wire.PLL0: 0x4060_0161,  # 400 MHz, and 50 through the output divider
    wire.MISC_CONTROL: 0x0000_3A01,
    0x1C: 0x0100_0000,
    0x20: 0x0000_FFFF,
    wire.UART_BAUD: 0x0600_000F,
    wire.UART_RELAY: 0x000F_0000,
    wire.CORE_CONTROL: 0x0000_4000,
    0x44: 0x0000_0100,
    0x48: 0xFF00_0000,
    wire.IO_DRIVER: 0x0211_2111,
    0x5C: 0x0000_FFFF,
    0x60: 0x0064_0111,
    0x64: 0x0068_0111,
    wire.PLL3: 0x0070_0111,
    0x70: 0x0304_0607,
    0x74: 0x0304_0506,
    0x78: 0x0304_0506,
    0x7C: 0x0304_0506,
    0x80: 0xD95C_8410,
    0x84: 0xFB73_EA62,
}
_CORES_1366 = {0: 0x98, 2: 0x55, 5: 0x40, 6: 0x08, 7: 0x11}
_CORES_1370 = {0: 0x52, 2: 0x55, 4: 0x08, 6: 0x08}
_ENABLE = (2, 0xAA)


def _facts(model: int, reset: dict[int, int], cores: dict[int, int]) -> Facts:
    chip, old = bm13xx.CHIPS[model], model == 1397
    return Facts(
        chip,
        reset | {wire.CHIP_ID: chip.chip_id},
        cores,
        enable=None if old else _ENABLE,
        needs_sweep=not old,
        quarters=model == 1370,
        reports_at_once=old,
    )


FACTS = {
    1362: _facts(1362, _BM1366 | {0x30: 65, wire.SOFT_RESET: 0}, _CORES_1366),
    1366: _facts(1366, _BM1366, _CORES_1366),
    1368: _facts(1368, _BM1366 | {0x30: 80}, _CORES_1366),
    1370: _facts(1370, _BM1370, _CORES_1370),
    1397: _facts(1397, _BM1397, {}),
}
