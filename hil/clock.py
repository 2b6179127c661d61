"""Virtual time: whole microseconds, and what is to happen at which of them.

Nothing runs by itself: run_until() goes from one event to the next.  Events of one
instant come in the order of their rank, then of their making, so that the same calls
give the same story.
"""

import heapq
import time
from collections.abc import Callable

Call = Callable[[], None]
WORLD, CONTROLLER = 0, 1  # rank: at one instant the world moves first, then programs see it


class Event:
    """Something that will happen; cancel() makes that nothing."""

    __slots__ = ("call", "when_us")

    def __init__(self, when_us: int, call: Call) -> None:
        self.when_us = when_us
        self.call: Call | None = call

    def cancel(self) -> None:
        self.call = None


class VirtualClock:
    """speed: virtual seconds a second at most; None is as fast as can be."""

    def __init__(self, speed: float | None = None) -> None:
        self.now_us = 0
        self._speed = speed
        self._heap: list[tuple[int, int, int, Event]] = []
        self._made = 0

    def now_s(self) -> float:
        return self.now_us / 1e6

    def at(self, when_s: float, call: Call) -> Event:
        """call at that time, or now when it has passed."""
        return self.at_us(round(when_s * 1e6), call)

    def at_us(self, when_us: int, call: Call, rank: int = WORLD) -> Event:
        event = Event(max(when_us, self.now_us), call)
        self._made += 1
        heapq.heappush(self._heap, (event.when_us, rank, self._made, event))
        return event

    def every_us(self, period_us: int, call: Call) -> None:
        """call again and again, first one period from now."""

        def turn() -> None:
            self.at_us(self.now_us + period_us, turn)
            call()

        self.at_us(self.now_us + period_us, turn)

    def run_until(self, until_us: int, done: Callable[[], bool] | None = None) -> bool:
        """Let time pass up to then, or until done() says so after an event; whether it did."""
        began_us, began_s = self.now_us, time.monotonic()
        while self._heap and self._heap[0][0] <= until_us:
            when_us, _, _, event = heapq.heappop(self._heap)
            if event.call is None:
                continue
            if self._speed and when_us > self.now_us:
                self._keep_pace(when_us - began_us, began_s)
            self.now_us = when_us
            event.call()
            if done is not None and done():
                return True
        self.now_us = max(self.now_us, until_us)
        return False

    def _keep_pace(self, virtual_us: int, began_s: float) -> None:
        assert self._speed
        ahead_s = virtual_us / 1e6 / self._speed - (time.monotonic() - began_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
