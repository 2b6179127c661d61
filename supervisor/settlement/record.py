"""The ledger of a time, read once: the seconds, the words of the grid, and a digest of all lines.

The digest is what a report rests on: whoever holds the ledger can make it again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from supervisor.ledger import Ledger, Line
from supervisor.settlement.days import Day, day_of, gathered
from supervisor.settlement.series import HOLD_S, Series, by_second
from supervisor.settlement.terms import DAY_S, TEN_IN_TEN, Terms

MOST_S = 35 * 86_400  # a month and a little, in one report


class RecordError(ValueError):
    """There is no such record; the text says what there is instead."""


class Word(msgspec.Struct, frozen=True):
    """Something a source said, or was refused."""

    at_s: float
    source: str
    text: str
    limit_w: int | None = None
    refused: bool = False


class Basis(msgspec.Struct, frozen=True):
    """The lines of the ledger a report rests on.  sha256: of all of them, see digest()."""

    first_id: int
    last_id: int
    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """days: whole days, those of the report and before it, where its terms need them."""

    series: Series
    capacity_w: int
    words: list[Word]
    basis: Basis
    days: tuple[Day, ...] = ()


class _Decided(msgspec.Struct, frozen=True):
    limit_w: int
    asked_w: int
    capacity_w: int
    metered_w: int | None


class _Said(msgspec.Struct, frozen=True):
    schedule: list[tuple[float, int]] | None = None
    same: bool = False


def read(
    ledger: Ledger, from_s: int, to_s: int, terms: Terms | None = None, hold_s: float = HOLD_S
) -> Record:
    """Everything from one Unix second to before another.  Raises RecordError."""
    if not 0 < to_s - from_s <= MOST_S:
        raise RecordError(
            f"a report is about up to {MOST_S // 86_400} days, and ends after it begins"
        )
    first_id, end_id = ledger.span(from_s, to_s)
    series, capacity_w = _series(ledger, from_s, to_s, hold_s)
    if series is None:
        raise RecordError(
            "nothing was decided in this time; the ledger begins later or ends before"
        )
    words = list(_words(ledger, first_id, end_id))
    days: list[Day] = []
    if terms is not None and terms.baseline == TEN_IN_TEN:
        days = gathered(lambda day_s: _day(ledger, day_s, to_s, terms), from_s, to_s, terms)
        first_id = min([first_id, *(ledger.span(day.start_s, to_s)[0] for day in days[:1])])
    return Record(series, capacity_w, words, digest(ledger, first_id, end_id), tuple(days))


def _series(
    ledger: Ledger, from_s: int, to_s: int, hold_s: float = HOLD_S
) -> tuple[Series | None, int]:
    """What was decided second by second, and the largest capacity; None when nothing was."""
    decided = [
        (at_s, msgspec.json.decode(body, type=_Decided))
        for _, at_s, _, _, _, body in ledger.lines(*ledger.span(from_s, to_s), "decision")
    ]
    if not decided:
        return None, 0
    columns = (
        by_second(((at_s, getattr(one, name)) for at_s, one in decided), from_s, to_s, hold_s)
        for name in ("asked_w", "limit_w", "metered_w")
    )
    return Series(from_s, *columns), max(one.capacity_w for _, one in decided)


def _day(ledger: Ledger, day_s: int, end_s: int, terms: Terms) -> Day | None:
    """A day as far as the report goes: nothing after its end is known to it."""
    series, _ = _series(ledger, day_s, min(day_s + DAY_S, end_s))
    if series is None:
        return None
    rest = np.full(DAY_S - len(series), np.nan)
    whole = [np.concatenate((w, rest)) for w in (series.asked_w, series.limit_w, series.metered_w)]
    return day_of(Series(day_s, *whole), terms)


def site_name(ledger: Ledger) -> str:
    """As the last supervisor of this ledger called it."""
    last = ledger.last("term")
    return str(last.body.get("site", "")) if last else ""


def _words(ledger: Ledger, first_id: int, end_id: int) -> Iterator[Word]:
    for _, at_s, _, source, why, body in ledger.lines(first_id, end_id, "signal"):
        said = msgspec.json.decode(body, type=_Said)
        if not said.same:
            limit_w = said.schedule[0][1] if said.schedule else None
            yield Word(at_s, source, why, limit_w)
    for _, at_s, _, source, why, _ in ledger.lines(first_id, end_id, "refused"):
        yield Word(at_s, source, why, refused=True)


def digest(ledger: Ledger, first_id: int, end_id: int) -> Basis:
    """SHA-256 over the lines from one id to before another, each as line_bytes()."""
    whole, count = hashlib.sha256(), 0
    for line in ledger.lines(first_id, end_id):
        whole.update(line_bytes(line))
        count += 1
    return Basis(first_id, end_id - 1, count, whole.hexdigest())


def line_bytes(line: Line) -> bytes:
    """A line as one JSON array and a newline; the body is the text as it lies in the file."""
    return msgspec.json.encode(line) + b"\n"
