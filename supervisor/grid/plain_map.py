"""A plain Modbus map of the site, for a control room that speaks registers and no SunSpec.

    register  what                                                       access
    0, 1      limit on import, kW, unsigned 32 bit, high word first      read and write
    2         hold, seconds: the limit ends so long after it was written read and write
    3         heartbeat: any value; a write renews a hold that runs      read and write
    10, 11    limit in force, kW                                         read
    12, 13    metered import, kW; 0xFFFFFFFF when not known              read
    14, 15    the most the site can draw, kW                             read
    16, 17    the worst all rigs may draw now (committed), kW            read
    18-23     down in 5, 60, 600 s, kW, two registers each               read
    24-29     up in 5, 60, 600 s, kW, two registers each                 read
    30        quality of the metering: 0 good, 1 stale, 2 missing        read
    31        deviates from what was asked by more than 3 %: 0 or 1      read
    32        beats of the supervisor, 0 to 65535 and round again        read

The limit and its hold are written together or the hold first: a limit alone takes the hold
that stands in register 2, which is never zero.  A limit whose hold is over does not come
back by a heartbeat: it takes a new one.
"""

import struct
import time
from collections.abc import Callable
from functools import partial

from pymodbus.simulator import SimDevice

from supervisor.envelope import Entry
from supervisor.grid.told import Board, Told
from supervisor.grid.unit import unit
from supervisor.inbox import Inbox
from supervisor.loss import Loss

SOURCE = "modbus"
WRITABLE, SIZE = 4, 33
UNKNOWN = 0xFFFF_FFFF
QUALITIES = ("ok", "stale", "missing")


class Plain:
    """Says nothing until its first limit, and calls first() then: the device has one failsafe."""

    def __init__(
        self,
        limit_w: int,
        default_w: int,
        hold_s: float,
        inbox: Inbox,
        board: Board,
        first: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limit_w, self._default_w = limit_w, default_w
        self._inbox, self._board, self._clock, self._first = inbox, board, clock, first
        self._wish = [*_kw(default_w), max(1, round(hold_s)), 0]
        self._said_s: float | None = None
        self._until_s = 0.0
        self._beats = 0

    def device(self, number: int) -> SimDevice:
        return unit(number, 0, self.shown, self.write, partial(self._inbox.refuse, SOURCE))

    def write(self, address: int, values: list[int]) -> str:
        """ "" when it was taken; else why not, and nothing has changed."""
        if not (address >= 0 and address + len(values) <= WRITABLE):
            return f"registers {address} to {address + len(values) - 1}: only 0 to 3 are written"
        wish = [*self._wish]
        wish[address : address + len(values)] = values
        limit_kw, touched = wish[0] << 16 | wish[1], range(address, address + len(values))
        if (0 in touched) != (1 in touched):
            return "the limit is registers 0 and 1 together, high word first"
        if limit_kw * 1000 > self._limit_w:
            return f"limit is {limit_kw} kW; the site's own is {self._limit_w // 1000} kW"
        if wish[2] == 0:
            return "hold is 0 s; a limit without an end would stand for ever"
        self._wish, now_s = wish, self._clock()
        self._said_s = now_s if 0 in touched else self._said_s
        if 0 in touched or now_s < self._until_s:
            self._until_s = now_s + wish[2]
            self._say(now_s)
        return ""

    @property
    def written(self) -> bool:
        """Whether a limit was ever written here."""
        return self._said_s is not None

    def _say(self, now_s: float) -> None:
        assert self._said_s is not None
        rows = ((self._said_s, (self._wish[0] << 16 | self._wish[1]) * 1000),)
        if SOURCE not in self._inbox.entries:
            self._first()
        self._inbox.renew(
            Entry(
                SOURCE,
                rows,
                heard_s=now_s,
                loss=Loss(after_s=float(self._wish[2])),
                default_w=self._default_w,
                because="register 0",
            )
        )

    def shown(self) -> list[int]:
        self._beats = (self._beats + 1) & 0xFFFF
        told = self._board.told
        rest = _told(told) if told else [0xFFFF] * (SIZE - 11)
        return [*self._wish, *[0] * 6, *rest, self._beats]


def _told(told: Told) -> list[int]:
    metered = UNKNOWN if told.quality != "ok" else (told.metered_w or 0) // 1000
    powers_w = [told.capacity_w, told.committed_w, *told.capability.down_w, *told.capability.up_w]
    words = [*_kw(told.limit_w), *struct.unpack(">HH", struct.pack(">I", max(0, metered)))]
    for w in powers_w:
        words += _kw(w)
    return [*words, QUALITIES.index(told.quality), int(told.deviates)]


def _kw(w: int) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">I", max(0, min(UNKNOWN - 1, w // 1000))))
    return int(high), int(low)
