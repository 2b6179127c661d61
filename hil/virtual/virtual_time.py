"""The ESP32's time module in virtual time: ticks wrap as on the chip, sleeping costs nothing."""

import struct

import lockstep
import micropython
import uos
import utime
import wire

PERIOD = 1 << 30  # of the ticks, as on the ESP32
EPOCH_S = 946_684_800  # 2000-01-01, where time.time() begins there; ours counts from 1970
LOOKS = 1000  # at a clock that stands still, and it is a program that waits by looking
LOOK_US = 1000

_rtc_us = int(uos.getenv("BENCH_RTC_US") or 0)  # ahead of power-on
_looks = 0
_looked_us = -1


def _set_rtc(_n: int, payload: bytes) -> None:
    global _rtc_us
    _rtc_us = struct.unpack("<q", payload)[0]


lockstep.on(wire.RTC, _set_rtc)


def set_rtc(us: int) -> None:
    """machine.RTC was set: so many microseconds since 2000."""
    global _rtc_us
    _rtc_us = us - lockstep.now_us
    lockstep.send(wire.RTC_SET, 0, struct.pack("<q", _rtc_us))


@micropython.native
def ticks_ms() -> int:
    global _looks
    _looks += 1
    if _looks > LOOKS:
        _spinning()
    return lockstep.now_ms & (PERIOD - 1)


@micropython.native
def ticks_us() -> int:
    global _looks
    _looks += 1
    if _looks > LOOKS:
        _spinning()
    return lockstep.now_us & (PERIOD - 1)


ticks_cpu = ticks_us


@micropython.native
def ticks_diff(end: int, start: int) -> int:
    return ((end - start + PERIOD // 2) & (PERIOD - 1)) - PERIOD // 2


@micropython.native
def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) & (PERIOD - 1)


def sleep_us(us: int) -> None:
    if us > 0:
        lockstep.wait(us)


def sleep_ms(ms: int) -> None:
    sleep_us(ms * 1000)


def sleep(seconds) -> None:
    sleep_us(int(seconds * 1_000_000))


def time_ns() -> int:
    ticks_us()  # looking counts
    return (lockstep.now_us + _rtc_us) * 1000


def time() -> int:
    return time_ns() // 1_000_000_000


def gmtime(seconds=None) -> tuple:
    return utime.gmtime((time() if seconds is None else seconds) + EPOCH_S)


localtime = gmtime


def mktime(moment: tuple) -> int:
    return int(utime.mktime(moment)) - EPOCH_S


def _spinning() -> None:
    """So many looks at one instant: let a little time pass, or it would wait for ever."""
    global _looks, _looked_us
    _looks = 0
    if lockstep.now_us == _looked_us:
        lockstep.wait(LOOK_US)
    _looked_us = lockstep.now_us
