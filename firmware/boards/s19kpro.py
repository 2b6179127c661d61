"""A rig of S19k Pro boards: an ESP32-S3, 3 x 77 BM1366, one PMBus supply, 4 fans.

Boards without a microcontroller of their own, on a supply that is not Bitmain's.  Wired as
s21pro.py.  Points and watts: recorded profiles of S19k Pro machines.
"""

from firmware.boards.s21pro import *  # noqa: F403

MODEL = "S19k Pro 3x77 BM1366"

CHIP = 1366
DOMAINS, CHIPS_PER_DOMAIN = 11, 7
SWEEP = 0x115A  # HASH_COUNTING of a stock S19k Pro
POINTS = (
    (190, 11_900),
    (290, 11_900),
    (390, 12_300),
    (465, 12_750),
    (540, 13_200),
    (590, 13_500),
    (640, 13_800),
    (690, 14_100),
)
CHIP_PF = 12_560
LEAK_W = 46
SUPPLY_RATED_W = 4_400
SUPPLY_LOSS = (100.0, 0.012, 0.0)
