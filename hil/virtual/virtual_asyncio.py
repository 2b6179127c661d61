"""asyncio's clock and its waiting in virtual time; the rest of asyncio is MicroPython's own.

Its task queue is C and stamps what shall run now with the host's clock.  So virtual time
counts from far ahead of that clock: such tasks come first, in the order they were made,
whatever the host's clock was, for the queue keeps the order of equals.
"""

from asyncio import core

import lockstep
import micropython
import wire

AHEAD_MS = 1 << 40
TURNS = 10_000  # of tasks at one instant, and they wait for something by turning
TURN_US = 1000

_POLL, _POLL_IN, _POLL_OUT = 3, 1, 4  # MP_STREAM_POLL and its two flags


class VirtualIOQueue:
    """What core.IOQueue is, for streams of the bench; their ioctl says what is ready."""

    def __init__(self) -> None:
        self.map = []  # [who waits to read, who to write, the stream], in order of coming
        self._looked = True  # nothing may have become ready since
        self._turns = 0

    def queue_read(self, stream) -> None:
        self._enqueue(stream, 0)

    def queue_write(self, stream) -> None:
        self._enqueue(stream, 1)

    def remove(self, task) -> None:
        """It no longer waits."""
        for entry in self.map:
            for way in (0, 1):
                if entry[way] is task:
                    entry[way] = None
        self._tidy()

    @micropython.native
    def wait_io_event(self, dt: int) -> None:
        """dt in milliseconds; -1 for ever."""
        if dt == 0:
            self._turns += 1
            if self._turns > TURNS:
                self._wait(TURN_US)
        elif self._looked or not self._look():
            self._wait(None if dt < 0 else dt * 1000)
        if not self._looked:
            self._look()

    @micropython.native
    def _wait(self, us) -> None:
        by = 0
        for entry in self.map:
            by |= wire.WAKE_BY_READ if entry[0] is not None else 0
            by |= wire.WAKE_BY_WRITE if entry[1] is not None else 0
        self._turns, self._looked = 0, not by
        lockstep.wait(us, by)

    def _look(self) -> bool:
        """Let the tasks run whose streams are ready."""
        self._looked, some = True, False
        for entry in self.map:
            for way, flag in ((0, _POLL_IN), (1, _POLL_OUT)):
                if entry[way] is not None and entry[2].ioctl(_POLL, flag):
                    core._task_queue.push(entry[way])
                    entry[way], some = None, True
        if some:
            self._tidy()
        return some

    def _enqueue(self, stream, way: int) -> None:
        for entry in self.map:
            if entry[2] is stream:
                break
        else:
            entry = [None, None, stream]
            self.map.append(entry)
        assert entry[way] is None
        entry[way] = core.cur_task
        core.cur_task.data = self
        self._looked = False

    def _tidy(self) -> None:
        self.map = [entry for entry in self.map if entry[0] is not None or entry[1] is not None]


@micropython.native
def _ticks() -> int:
    return AHEAD_MS + lockstep.now_ms


def install() -> None:
    core.ticks = _ticks
    core.IOQueue = VirtualIOQueue
    core._io_queue = VirtualIOQueue()
