"""The ledger of a time, read once: the seconds, the words of the grid, and a digest of all lines.

The digest is what a report rests on: whoever holds the ledger can make it again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from supervisor.ledger import Ledger, Line
from supervisor.settlement.series import HOLD_S, Series, by_second

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
    series: Series
    capacity_w: int
    words: list[Word]
    basis: Basis


class _Decided(msgspec.Struct, frozen=True):
    limit_w: int
    asked_w: int
    capacity_w: int
    metered_w: int | None


class _Said(msgspec.Struct, frozen=True):
    schedule: list[tuple[float, int]] | None = None
    same: bool = False


def read(ledger: Ledger, from_s: int, to_s: int, hold_s: float = HOLD_S) -> Record:
    """Everything from one Unix second to before another.  Raises RecordError."""
    if not 0 < to_s - from_s <= MOST_S:
        raise RecordError(
            f"a report is about up to {MOST_S // 86_400} days, and ends after it begins"
        )
    first_id, end_id = ledger.span(from_s, to_s)
    decided = [
        (at_s, msgspec.json.decode(body, type=_Decided))
        for _, at_s, _, _, _, body in ledger.lines(first_id, end_id, "decision")
    ]
    if not decided:
        raise RecordError(
            "nothing was decided in this time; the ledger begins later or ends before"
        )
    series = Series(
        from_s,
        by_second(((at_s, one.asked_w) for at_s, one in decided), from_s, to_s, hold_s),
        by_second(((at_s, one.limit_w) for at_s, one in decided), from_s, to_s, hold_s),
        by_second(((at_s, one.metered_w) for at_s, one in decided), from_s, to_s, hold_s),
    )
    capacity_w = max(one.capacity_w for _, one in decided)
    return Record(
        series, capacity_w, list(_words(ledger, first_id, end_id)), digest(ledger, first_id, end_id)
    )


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
