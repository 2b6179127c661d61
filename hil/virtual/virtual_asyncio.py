"""asyncio's clock and its waiting in virtual time; the rest of asyncio is MicroPython's own.

Its task queue is C and stamps what shall run now with the host's clock.  So virtual time
counts from far ahead of that clock: such tasks come first, in the order they were made,
whatever the host's clock was, for the queue keeps the order of equals.
"""

from asyncio import core

import lockstep
import wire

AHEAD_MS = 1 << 40
TURNS = 10_000  # of tasks at one instant, and they wait for something by turning
TURN_US = 1000

_IOQueue = core.IOQueue


class VirtualIOQueue(_IOQueue):
    """Streams are looked at when something may have come; waiting is left to the bench."""

    def __init__(self) -> None:
        _IOQueue.__init__(self)
        self._turns = 0

    def wait_io_event(self, dt: int) -> None:
        """dt in milliseconds; -1 for ever."""
        if dt == 0:
            self._turns += 1
            if self._turns > TURNS:
                self._turns = 0
                lockstep.wait(TURN_US)
        elif not self._ready():
            self._turns = 0
            lockstep.wait(None if dt < 0 else dt * 1000, self._by())
        if self.map:
            _IOQueue.wait_io_event(self, 0)

    def _ready(self) -> bool:
        return bool(self.map) and bool(self.poller.poll(0))

    def _by(self) -> int:
        by = 0
        for entry in self.map.values():
            by |= wire.WAKE_BY_READ if entry[0] is not None else 0
            by |= wire.WAKE_BY_WRITE if entry[1] is not None else 0
        return by


def _ticks() -> int:
    return AHEAD_MS + lockstep.now_ms()


def install() -> None:
    core.ticks = _ticks
    core.IOQueue = VirtualIOQueue
    core._io_queue = VirtualIOQueue()
