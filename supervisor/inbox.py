"""The newest of everything the site hears.  Sources write, the tick reads.

Nothing here decides.  A source that refuses something says so here, and the
refusal goes to the ledger with its reason.
"""

import asyncio
import math
from collections import Counter
from dataclasses import dataclass

from supervisor.envelope import Entry

BACKLOG_MAX = 200_000  # rig messages waiting for a tick; beyond it the oldest go, and are counted
REFUSALS_MAX = 1_000
SITE_METER = "site"  # the name of the meter of the whole site among several


@dataclass(frozen=True, slots=True)
class Meter:
    """The site meter as last read.  at_s: monotonic seconds of the reading."""

    w: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One meter of several, as last read: "site", "auxiliary", or the name of a feeder.

    w: import is positive.  at_s: monotonic seconds of the reading.  energy_wh, exported_wh:
    its counters, None where it has none.
    """

    name: str
    w: int
    at_s: float
    energy_wh: float | None = None
    exported_wh: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The grid's frequency as last read.  at_s: monotonic seconds of the reading."""

    hz: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something a source was told and did not take, and why."""

    source: str
    because: str


class Inbox:
    """wake is set when something must be decided at once, not at the next beat."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.meter: Meter | None = None
        self.readings: dict[str, Reading] = {}  # by meter, where a site has several
        self.frequency: Sample | None = None
        self.quiet_hz = (-math.inf, math.inf)  # between these nothing must be decided at once
        self.entries: dict[str, Entry] = {}
        self.excused: dict[str, float] = {}  # whose default does not count, until Unix seconds
        self.could_w: dict[str, int] = {}  # by rig that holds no lease: what it may draw now
        self.lost = 0
        self._news: list[Entry] = []
        self.refused: Counter[str] = Counter()  # since the start, by source
        self._refusals: list[Refusal] = []
        self._heard: list[tuple[str, str, bytes]] = []

    def put_meter(self, w: int, at_s: float) -> None:
        self.meter = Meter(w, at_s)

    def put_reading(self, reading: Reading) -> None:
        """A meter's new word; the site's own is what the loop is closed on, too."""
        self.readings[reading.name] = reading
        if reading.name == SITE_METER:
            self.put_meter(reading.w, reading.at_s)

    def put_frequency(self, hz: float, at_s: float) -> None:
        """A sample of the grid's frequency; decided on at once when it is out of the quiet."""
        self.frequency = Sample(hz, at_s)
        if not self.quiet_hz[0] <= hz <= self.quiet_hz[1]:
            self.wake.set()

    def put_signal(self, entry: Entry) -> None:
        """A source's new word; replaces what it said before."""
        self.entries[entry.source] = entry
        self._news.append(entry)
        self.wake.set()

    def renew(self, entry: Entry) -> None:
        """A source's word, news or not: what says the same again only counts as heard."""
        before = self.entries.get(entry.source)
        if before is not None and before.says_the_same(entry):
            self.entries[entry.source] = entry
        else:
            self.put_signal(entry)

    def withdraw(self, source: str) -> bool:
        """Forget a source's entry; whether there was one."""
        self.wake.set()
        self._news = [entry for entry in self._news if entry.source != source]
        return self.entries.pop(source, None) is not None

    def refuse(self, source: str, because: str) -> None:
        self.refused[source] += 1
        if len(self._refusals) < REFUSALS_MAX:
            self._refusals.append(Refusal(source, because))

    def put_rig(self, rig: str, kind: str, payload: bytes) -> None:
        """A message of a rig: kind is hello, state, event or link."""
        if len(self._heard) >= BACKLOG_MAX:
            del self._heard[: BACKLOG_MAX // 2]
            self.lost += BACKLOG_MAX // 2
        self._heard.append((rig, kind, payload))

    def take_rigs(self) -> list[tuple[str, str, bytes]]:
        heard, self._heard = self._heard, []
        return heard

    def take_news(self) -> list[Entry]:
        news, self._news = self._news, []
        return news

    def take_refusals(self) -> list[Refusal]:
        refusals, self._refusals = self._refusals, []
        return refusals
