"""A rig without IP: two S21 Pro boards, and RS-485 where the third one's UART was.

An ESP32-S3 has three UARTs.  All else is wired as in s21pro.py.
"""

from firmware.boards.s21pro import *  # noqa: F403
from firmware.boards.s21pro import BOARDS as _THREE
from firmware.boards.s21pro import SENSORS as _SIX

MODEL = "S21 Pro 2x65 BM1370, RS-485"
BOARDS = _THREE[:2]  # type: ignore[assignment]
SENSORS = _SIX[:4]  # type: ignore[assignment]
# uart, tx, rx, direction (high = drive the line)
LINE = (2, 13, 14, 6)
