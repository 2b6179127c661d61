"""Planned windows from an iCalendar file: maintenance of a line, an evening peak.

Each VEVENT whose summary names a power ("at most 3.2 MW", "0 MW: line 4 out") is a limit
from its start to its end, with its RRULE; others are passed over.  Overlapping windows: the
lower limit holds.  The file is read again when it changes, and what cannot be read is
refused and leaves what was read before.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from dateutil.rrule import rrulestr
from icalendar import Calendar, Component

from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.plan import PlanError, Word, compose
from supervisor.sections.kinds import MW_MAX, W_PER_MW
from supervisor.units import UnitError, parse_watts

SOURCE = "calendar"
LOOK_S = 2.0
AHEAD = timedelta(days=40)
TIMES_MAX = 2_000  # of one repeated window
TOO_OFTEN = ("SECONDLY", "MINUTELY")  # no window repeats so, and a rule may count for ever
READ_S = 10.0  # of a whole file; a rule can be written that takes seconds by itself
SIZE_MAX = 2_000_000
Stamp = tuple[int, int, int]  # of a file: when changed, its size; and the day it is read on
POWER = re.compile(r"\d+(?:\.\d+)?\s*[kmg]?w\b", re.IGNORECASE)


class CalendarError(ValueError):
    """Not a calendar, or one that cannot be followed; the text says where and why."""


def words(text: bytes, now: datetime, clock: Callable[[], float] = time.perf_counter) -> list[Word]:
    """The windows from a day ago to 40 days ahead.  Raises CalendarError."""
    until_s, found = clock() + READ_S, list[Word]()
    try:
        for event in Calendar.from_ical(text).walk("VEVENT"):
            found += _windows(event, now)
            if clock() > until_s:
                raise CalendarError(f"it takes over {READ_S:g} s to read")
    except CalendarError:
        raise
    except Exception as error:  # icalendar and dateutil raise of many kinds on a bad file
        raise CalendarError(f"not a calendar: {type(error).__name__} {error}") from None
    return found


def _windows(event: Component, now: datetime) -> Iterator[Word]:
    name = str(event.get("SUMMARY", ""))[:100]
    w = _watts(name)
    if w is None or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    start = _moment(event, "DTSTART", name)
    length = _length(event, start, name)
    for begin in _starts(event, start, now - timedelta(days=1) - length, now + AHEAD, name):
        yield Word(name, ((begin.timestamp(), w),), (begin + length).timestamp())


def _watts(summary: str) -> int | None:
    found = POWER.search(summary)
    if found is None:
        return None
    try:
        w = parse_watts(found[0])
    except UnitError:
        return None
    if w > MW_MAX * W_PER_MW:
        raise CalendarError(f"{summary!r}: {found[0]} is more than {MW_MAX} MW")
    return w


def _moment(event: Component, key: str, name: str) -> datetime:
    """A date alone is its midnight, in the host's zone."""
    if key not in event:
        raise CalendarError(f"{name!r}: {key} is missing")
    value: Any = event.decoded(key)
    if isinstance(value, datetime):
        there: Any = event[key]
        if value.tzinfo is None and "TZID" in there.params:
            raise CalendarError(f"{name!r}: {key} is in {there.params['TZID']}, no zone known here")
        return value if value.tzinfo else value.astimezone()
    assert isinstance(value, date)
    return datetime(value.year, value.month, value.day).astimezone()


def _length(event: Component, start: datetime, name: str) -> timedelta:
    length: timedelta
    if "DURATION" in event:
        length = event.decoded("DURATION")
    elif "DTEND" in event:
        length = _moment(event, "DTEND", name) - start
    else:
        length = timedelta(days=1)
    if not timedelta(0) < length <= timedelta(days=366):
        raise CalendarError(f"{name!r}: it ends {length} after its start")
    return length


def _starts(
    event: Component, start: datetime, first: datetime, last: datetime, name: str
) -> list[datetime]:
    if "RRULE" not in event:
        return [start] if first <= start <= last else []
    repeats: Any = event["RRULE"]
    text = repeats.to_ical()
    if any(word in text.decode().upper() for word in TOO_OFTEN):
        raise CalendarError(f"{name!r}: repeats more often than every hour")
    if any(every < 1 for every in repeats.get("INTERVAL", [1])):
        raise CalendarError(f"{name!r}: INTERVAL must be 1 or more")  # dateutil counts for ever
    rule = rrulestr(text.decode(), dtstart=start)
    starts = list(islice(rule.xafter(first, inc=True), TIMES_MAX + 1))
    found = [one for one in starts if one <= last]
    if len(found) > TIMES_MAX:
        raise CalendarError(f"{name!r}: repeats over {TIMES_MAX} times in {AHEAD.days} days")
    return found


class CalendarSignal:
    def __init__(
        self,
        inbox: Inbox,
        path: Path,
        default_w: int | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox, self._path, self._default_w, self._clock = inbox, path, default_w, clock
        self._known: Stamp | None = None

    async def run(self) -> None:
        while True:
            if (stamp := self._news()) is not None:
                self._take(await asyncio.to_thread(self._made, stamp))
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Read the file when it, or the day, is another."""
        if (stamp := self._news()) is not None:
            self._take(self._made(stamp))

    def _news(self) -> Stamp | None:
        """What file and day it is now, when that is another; without a file sizes are -1."""
        try:
            stat = self._path.stat()
            key = stat.st_mtime_ns, stat.st_size
        except OSError:
            key = -1, -1
        stamp = (*key, int(self._clock() // 86_400))
        if stamp == self._known:
            return None
        self._known = stamp
        return stamp

    def _made(self, stamp: Stamp) -> Entry | str:
        """What the file says now, or why it cannot be followed."""
        now_s = self._clock()
        try:
            if stamp[1] > SIZE_MAX:
                raise CalendarError(f"{stamp[1]} bytes; the most is {SIZE_MAX}")
            if self._path.exists() and not self._path.is_file():
                raise CalendarError("not a file")  # a device or a pipe has no end
            found = words(self._path.read_bytes(), datetime.fromtimestamp(now_s, UTC))
            between_w = MW_MAX * W_PER_MW if self._default_w is None else self._default_w
            rows, until_s = compose(found, between_w)
        except (OSError, CalendarError, PlanError) as error:
            return f"{self._path.name}: {error}"
        because = f"{len(found)} windows in {self._path.name}"
        return Entry(SOURCE, rows, until_s, now_s, default_w=self._default_w, because=because)

    def _take(self, made: Entry | str) -> None:
        if isinstance(made, str):
            self._inbox.refuse(SOURCE, made)
        else:
            self._inbox.put_signal(made)


def adapter_of(config: Config, inbox: Inbox, board: Board) -> CalendarSignal | None:
    section = config.signal.calendar
    if section is None:
        return None
    default_w = None if section.default_mw is None else round(section.default_mw * W_PER_MW)
    return CalendarSignal(inbox, Path(section.file), default_w)
