"""A schedule of megawatts from a CSV file, in one of two layouts told by the header.

    time,mw                           seconds from the start, or dates; megawatts allowed
    SETTLEMENTDATE,TOTALDEMAND,RRP    AEMO's price and demand: surplus is what demand
                                      falls below its median while the price is negative

A row holds until the next one, and the last as long as rows usually do.  A file that
is wrong anywhere is refused whole, with its line and what would be right.  It is read again
when it changes; what cannot be read then leaves what was read before.
"""

import asyncio
import csv
import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from statistics import median

from supervisor.config import Config
from supervisor.envelope import FOREVER, Entry
from supervisor.inbox import Inbox
from supervisor.sections.kinds import MW_MAX, W_PER_MW

SOURCE = "csv"
PLAIN = ("time", "mw")
AEMO = ("settlementdate", "totaldemand", "rrp")
WINDOW_S = 86_400.0  # of the schedule given at once: it is written down with every entry
LOOK_S = 2.0  # how often the file is looked at
ROWS_MAX = 2_000_000
SIZE_MAX = 100_000_000  # bytes


class CsvError(ValueError):
    """This file is no schedule; the text names the file, the line and what would be right."""


@dataclass(frozen=True, slots=True)
class Series:
    """times_s rise; w[n] holds from times_s[n] to the next, the last for step_s.

    absolute: times are Unix seconds, else seconds from a start.  surplus: w is a
    region's, to be scaled to the site.
    """

    times_s: tuple[float, ...]
    w: tuple[int, ...]
    step_s: float
    absolute: bool = False
    surplus: bool = False

    @property
    def end_s(self) -> float:
        return self.times_s[-1] + self.step_s

    def at(self, t_s: float) -> int | None:
        """The watts at a time; None before the first row and after the end."""
        row = bisect_right(self.times_s, t_s) - 1
        return self.w[row] if row >= 0 and t_s < self.end_s else None

    def scaled(self, capacity_w: int) -> "Series":
        """The same shape, its largest value the capacity."""
        most = max(self.w)
        w = tuple(value * capacity_w // most for value in self.w) if most else self.w
        return replace(self, w=w, surplus=False)

    def fitted(self, capacity_w: int) -> "Series":
        """Scaled when it is a region's surplus, else as it is."""
        return self.scaled(capacity_w) if self.surplus else self

    def starting(self, start_s: float) -> "Series":
        """The same in Unix seconds: from a start, or moved so that its first row is there."""
        offset_s = start_s - (self.times_s[0] if self.absolute else 0)
        times_s = tuple(t_s + offset_s for t_s in self.times_s)
        return replace(self, times_s=times_s, absolute=True)


def read(path: str | Path, utc_offset_h: float = 0.0) -> Series:
    """The schedule in a file.  utc_offset_h: the clock of dates that name none.

    Raises CsvError and nothing else.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe has no end
            raise CsvError("not a file")
        if (size := path.stat().st_size) > SIZE_MAX:
            raise CsvError(f"{size} bytes; the most is {SIZE_MAX}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return parse(file, utc_offset_h)
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CsvError(f"{path}: is not text in UTF-8") from None
    except CsvError as error:
        raise CsvError(f"{path}: {error}") from None


def parse(lines: Iterable[str], utc_offset_h: float = 0.0) -> Series:
    """read() without the file."""
    reader = csv.reader(lines)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        names = next((names for names in (PLAIN, AEMO) if set(names) <= set(header)), None)
        if names is None:
            raise CsvError(
                f"line 1: the header is {','.join(header) or 'missing'}; it must have"
                f" {','.join(PLAIN)} or {','.join(AEMO).upper()}"
            )
        columns = [header.index(name) for name in names]
        rows = [
            (reader.line_num, [row[column] if column < len(row) else "" for column in columns])
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise CsvError(f"line {reader.line_num}: {error}") from None
    if not 0 < len(rows) <= ROWS_MAX:
        raise CsvError(f"line 2: {len(rows)} rows; a schedule has 1 to {ROWS_MAX}")
    return _series(rows, names, utc_offset_h)


def _series(rows: list[tuple[int, list[str]]], names: tuple[str, ...], offset_h: float) -> Series:
    absolute = names is AEMO or not _is_number(rows[0][1][0])
    times_s: list[float] = []
    for line, cells in rows:
        at_s = _time_s(line, names[0], cells[0], absolute, offset_h)
        if times_s and not at_s > times_s[-1]:
            raise CsvError(f"line {line}: {names[0]} {cells[0]} is not after the row before it")
        times_s.append(at_s)
    steps_s = [after - before for before, after in pairwise(times_s)]
    w = _plain_w(rows) if names is PLAIN else _surplus_w(rows)
    step_s = float(median(steps_s)) if steps_s else FOREVER
    return Series(tuple(times_s), w, step_s, absolute, surplus=names is AEMO)


def _plain_w(rows: list[tuple[int, list[str]]]) -> tuple[int, ...]:
    return tuple(round(_number(line, "mw", cells[1], 0, MW_MAX) * W_PER_MW) for line, cells in rows)


def _surplus_w(rows: list[tuple[int, list[str]]]) -> tuple[int, ...]:
    """Demand below its median, while the price says nobody wants the power."""
    demand_mw = [_number(line, "TOTALDEMAND", cells[1], -1e6, 1e6) for line, cells in rows]
    price = [_number(line, "RRP", cells[2], -1e6, 1e6) for line, cells in rows]
    reference_mw = median(demand_mw)
    return tuple(
        round(max(0.0, reference_mw - mw) * W_PER_MW) if rrp < 0 else 0
        for mw, rrp in zip(demand_mw, price, strict=True)
    )


def _time_s(line: int, name: str, cell: str, absolute: bool, offset_h: float) -> float:
    if not absolute:
        return _number(line, name, cell, 0, 1e11)
    if _is_number(cell):
        raise CsvError(f"line {line}: {name} is {cell}, but the rows before it have dates")
    try:
        moment = datetime.fromisoformat(cell.strip().replace("/", "-"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone(timedelta(hours=offset_h)))
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise CsvError(
            f"line {line}: {name} is {cell!r}; right is seconds from the start, 2026-12-01T00:00:00"
            " or 2026/12/01 00:00:00, the same in every row"
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(line: int, name: str, cell: str, low: float, high: float) -> float:
    if not _is_number(cell):
        what = f"is {cell!r}, not a number" if cell.strip() else "is empty"
        raise CsvError(f"line {line}: {name} {what}")
    value = float(cell)
    if not (math.isfinite(value) and low <= value <= high):
        raise CsvError(f"line {line}: {name} is {cell}; it must be {low:g} to {high:g}")
    return value


def to_entry(
    series: Series,
    now_s: float,
    *,
    ahead_s: float = FOREVER,
    default_w: int | None = 0,
    source: str = SOURCE,
    because: str = "",
) -> Entry:
    """What a series in Unix seconds says from now on, for at least ahead_s."""
    first = max(0, bisect_right(series.times_s, now_s) - 1)
    last = bisect_right(series.times_s, now_s + ahead_s)
    last = max(last, first + 1)
    until_s = series.times_s[last] if last < len(series.times_s) else series.end_s
    rows = zip(series.times_s[first:last], series.w[first:last], strict=True)
    return Entry(
        source,
        tuple(rows),
        until_s=until_s,
        heard_s=now_s,
        default_w=default_w,
        because=because,
    )


class CsvFile:
    """A schedule's file.  read() may take seconds, so that it is called in a thread."""

    def __init__(self, inbox: Inbox, path: Path, read: Callable[[], Series]) -> None:
        self._inbox, self._path, self._read = inbox, path, read
        self._known = self._stamp()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    async def newer(self) -> Series | None:
        """The schedule, when it is another one and makes sense; else it is refused, once."""
        stamp = self._stamp()
        if stamp == self._known:
            return None
        self._known = stamp
        try:
            return await asyncio.to_thread(self._read)
        except CsvError as error:
            self._inbox.refuse(SOURCE, str(error))
            return None


class CsvSignal:
    """Says the schedule as its days come: run()."""

    def __init__(
        self,
        inbox: Inbox,
        series: Series,
        *,
        default_w: int = 0,
        because: str = "its schedule",
        clock: Callable[[], float] = time.time,
        file: CsvFile | None = None,
    ) -> None:
        self._inbox, self._series, self._default_w = inbox, series, default_w
        self._because, self._clock, self._file = because, clock, file

    async def run(self) -> None:
        """Returns when all of the schedule has been said, and no file can bring another."""
        while True:
            entry = to_entry(
                self._series,
                self._clock(),
                ahead_s=WINDOW_S,
                default_w=self._default_w,
                because=self._because,
            )
            self._inbox.put_signal(entry)
            whole = entry.until_s >= self._series.end_s
            if whole and self._file is None:
                return
            await self._wait(FOREVER if whole else WINDOW_S / 2)

    async def _wait(self, most_s: float) -> None:
        """Until there is something to say: another file, or another day."""
        if self._file is None:
            return await asyncio.sleep(most_s)
        until_s = self._clock() + most_s
        while self._clock() < until_s:
            await asyncio.sleep(LOOK_S)
            if (series := await self._file.newer()) is not None:
                self._series = series
                return


def signal_of(
    config: Config, inbox: Inbox, clock: Callable[[], float] = time.time
) -> CsvSignal | None:
    """The schedule the settings name.  Seconds count from signal.csv.start, or from now.

    Raises CsvError.
    """
    keys = config.signal.csv
    if keys is None:
        return None
    path, began_s = Path(keys.file), clock()
    capacity_w = round((keys.capacity_mw or config.site.limit_mw) * W_PER_MW)
    start_s = None if keys.start is None else keys.start.timestamp()

    def schedule() -> Series:
        series = read(path, keys.utc_offset_h).fitted(capacity_w)
        if start_s is not None:
            return series.starting(start_s)
        return series if series.absolute else series.starting(began_s)

    file = CsvFile(inbox, path, schedule)
    default_w = round(keys.default_mw * W_PER_MW)
    because = f"the schedule in {path.name}"
    return CsvSignal(
        inbox, schedule(), default_w=default_w, because=because, clock=clock, file=file
    )
