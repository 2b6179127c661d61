"""The one clock of the firmware: milliseconds since power-on, and sleeping.

MicroPython's ticks wrap around; the wrap ends in since_ms(), and decisions only
ever see elapsed times and ages.  The other branch serves the tests on a desktop Python.
"""

import asyncio
import time

ON_MICROPYTHON = hasattr(time, "ticks_ms")


def now_ms() -> int:
    """A point in time, good for since_ms() only, and not for longer than six days."""
    if ON_MICROPYTHON:
        return time.ticks_ms()  # type: ignore[return-value]
    return time.monotonic_ns() // 1_000_000  # type: ignore[attr-defined]


def since_ms(then_ms: int) -> int:
    """How long ago that was."""
    if ON_MICROPYTHON:
        return time.ticks_diff(time.ticks_ms(), then_ms)
    return now_ms() - then_ms


async def sleep_ms(period_ms: int) -> None:
    if ON_MICROPYTHON:
        await asyncio.sleep_ms(period_ms)
    else:
        await asyncio.sleep(period_ms / 1000)


class Beat:
    """A steady period: a late turn shortens the next wait and is not made up for."""

    def __init__(self, period_ms: int) -> None:
        self._period_ms = period_ms
        self._turn_ms = now_ms()

    async def wait(self) -> int:
        """Until the next turn; returns how long ago the last one began."""
        await sleep_ms(max(0, self._period_ms - since_ms(self._turn_ms)))
        elapsed_ms = since_ms(self._turn_ms)
        self._turn_ms = now_ms()
        return elapsed_ms
