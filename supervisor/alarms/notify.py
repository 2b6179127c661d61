"""Telling people who are not looking: each channel sends what is news, and does not give up.

News gathers while a channel cannot send, is tried again after growing pauses, and goes out
as one message; so an hour without mail server is one mail, not sixty.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from supervisor.alarms.rules import SEVERITIES
from supervisor.alarms.state import ACKED, CLEARED, MERGED, Change
from supervisor.limits import Buckets, Limit

log = logging.getLogger(__name__)

GATHER_S = 1.0  # what comes together goes together
RETRY_S, RETRY_MOST_S = 1.0, 300.0
PENDING_MAX = 500  # changes; beyond it the oldest are only counted
LEAST_S = 0.1
BURST = 5.0  # messages at once after a quiet time


class SendError(Exception):
    """It was not taken; the text says why, without secrets."""


class Channel(Protocol):
    name: str

    async def send(self, news: list[Change], dropped: int) -> None:
        """Raises SendError."""


def worth_telling(changes: list[Change], least: str) -> list[Change]:
    """What is bad enough, and nobody silenced, seen to or merged into something larger."""
    worst = SEVERITIES[: SEVERITIES.index(least) + 1]
    return [
        change
        for change in changes
        if change.alarm.severity in worst
        and not change.silenced
        and change.change not in (ACKED, MERGED)
        and not (change.change == CLEARED and change.alarm.acked_by)
    ]


class Outbox:
    """What one channel has still to send."""

    def __init__(
        self,
        channel: Channel,
        least: str,
        per_hour: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channel, self._least, self._clock = channel, least, clock
        self._buckets = Buckets(Limit(per_hour / 3600.0, BURST))
        self._pending: list[Change] = []
        self._dropped = 0
        self._news = asyncio.Event()
        self.failing_since_s: float | None = None

    def put(self, changes: list[Change]) -> None:
        self._pending += worth_telling(changes, self._least)
        beyond = max(0, len(self._pending) - PENDING_MAX)
        self._dropped += beyond
        del self._pending[:beyond]
        if self._pending:
            self._news.set()

    def failing_s(self) -> float:
        """How long nothing could be sent; 0 while all is well."""
        since_s = self.failing_since_s
        return 0.0 if since_s is None else self._clock() - since_s

    async def run(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER_S)
            while wait_s := self._buckets.wait_s("", self._clock()):
                await asyncio.sleep(max(wait_s, LEAST_S))
            await self._send()

    async def _send(self) -> None:
        """Until it is taken, with what has come meanwhile."""
        pause_s = RETRY_S
        while True:
            news, dropped = list(self._pending), self._dropped
            try:
                await self.channel.send(news, dropped)
            except SendError as error:
                self.failing_since_s = self.failing_since_s or self._clock()
                log.warning("alarms not sent by %s: %s", self.channel.name, error)
                await asyncio.sleep(pause_s)
                pause_s = min(RETRY_MOST_S, 2 * pause_s)
                continue
            self.failing_since_s = None
            sent = {id(change) for change in news}
            self._pending = [change for change in self._pending if id(change) not in sent]
            self._dropped -= dropped
            if not self._pending:
                self._news.clear()
            return


class Notifier:
    """All channels."""

    def __init__(self, outboxes: list[Outbox]) -> None:
        self.outboxes = outboxes

    def tell(self, changes: list[Change]) -> None:
        for outbox in self.outboxes:
            outbox.put(changes)

    def failing(self) -> dict[str, float]:
        return {outbox.channel.name: outbox.failing_s() for outbox in self.outboxes}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for outbox in self.outboxes:
                tasks.create_task(outbox.run(), name=f"alarms by {outbox.channel.name}")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()  # also without channels this runs until cancelled
