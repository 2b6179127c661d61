"""The ledger: what was heard, decided, said and refused, and why.  Append-only.

One SQLite file.  Rows of a tick are written together and are on the disk when
commit() returns, so a supervisor killed at any instant leaves whole ticks and
nothing else.  Triggers refuse every change of a row.  The ladders dealt lie beside
the rows, because the next supervisor must know them to take over.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from supervisor.ledger_file import HOLDS, LedgerError, opened, put_aside

__all__ = ["Draft", "Ledger", "LedgerError", "Line", "Row", "Told"]

EPOCHS_KEPT = 4
NEWEST_KEPT = 20_000  # rows, however old: the next supervisor needs them
PRUNE_MAX = 1_000  # rows at once, so that a beat waits milliseconds
# what is told anew all the time; everything else is kept for ever
_PRUNED = (
    "kind = 'decision'",
    "kind = 'learned'",
    "kind = 'signal' AND json_extract(body, '$.same') AND id NOT IN"
    " (SELECT MAX(id) FROM ledger WHERE kind = 'signal' GROUP BY source)",
)
Line = tuple[int, float, str, str, str, str]  # id, at_s, kind, source, why, body as JSON


class Row(msgspec.Struct, frozen=True):
    """One line.  at_s: Unix seconds.  why: for a person."""

    id: int
    at_s: float
    kind: str
    source: str
    why: str
    body: dict[str, Any]


class Draft(msgspec.Struct, frozen=True):
    """A row that is being written."""

    kind: str
    source: str
    why: str
    body: dict[str, Any]


Told = Callable[[list[Draft], tuple[int, bytes] | None], None]


class Ledger:
    """on_commit: told what has just been put on the disk: rows, and ladders if there are new."""

    on_commit: Told | None = None

    def __init__(
        self, path: str | Path, *, readonly: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        """Opens the file, or makes it.  Raises LedgerError.

        A damaged file is put aside under another name, never written over; the next
        start makes a new one.
        """
        self.path, self._clock = Path(path), clock
        self._drafts: list[Draft] = []
        self._dealt: tuple[int, bytes] | None = None
        try:
            self._db = opened(self.path, readonly)
        except sqlite3.OperationalError as error:
            raise LedgerError(f"{self.path}: {error}") from None
        except sqlite3.DatabaseError as error:
            kept = self.path if readonly else put_aside(self.path)
            raise LedgerError(
                f"{self.path}: the ledger is damaged ({error}); it is kept as {kept.name},"
                " the next start makes a new one"
            ) from None

    def write(self, kind: str, body: dict[str, Any], source: str = "", why: str = "") -> None:
        """Adds a row, on the disk only after commit().  body: anything msgspec can encode."""
        self._begin()
        self._drafts.append(Draft(kind, source, why, body))
        values = self._clock(), kind, source, why, msgspec.json.encode(body).decode()
        self._do(
            "INSERT INTO ledger (at_s, kind, source, why, body) VALUES (?, ?, ?, ?, ?)", values
        )

    def put_ladders(self, epoch: int, blob: bytes) -> None:
        """Keeps what was dealt; only the newest few epochs stay.  On the disk after commit()."""
        self._begin()
        self._dealt = (epoch, blob)
        self._do("INSERT OR REPLACE INTO ladders VALUES (?, ?)", (epoch, blob))
        self._do("DELETE FROM ladders WHERE epoch <= ?", (epoch - EPOCHS_KEPT,))

    def commit(self) -> None:
        """Everything written so far is on the disk when this returns."""
        if not self._db.in_transaction:
            return
        self._do("COMMIT")
        drafts, dealt, self._drafts, self._dealt = self._drafts, self._dealt, [], None
        if self.on_commit is not None:
            self.on_commit(drafts, dealt)

    def prune(self, before_s: float) -> int:
        """Deletes the oldest decisions, factors and heartbeats of signals written before then.

        Not more than PRUNE_MAX; how many.  A signal's newest word stays, however old.
        """
        self.commit()
        last = self._db.execute("SELECT MAX(id) FROM ledger").fetchone()[0] or 0
        end = min(self._by(before_s), last - NEWEST_KEPT)
        old = [
            number
            for which in _PRUNED
            for (number,) in self._db.execute(
                f"SELECT id FROM ledger WHERE {which} AND id <= ? ORDER BY id LIMIT {PRUNE_MAX}",
                (end,),
            )
        ][:PRUNE_MAX]
        if old:
            self._begin()
            self._do("DROP TRIGGER ledger_holds")
            self._do(f"DELETE FROM ledger WHERE id IN ({','.join(map(str, old))})")
            self._do(HOLDS)
            self.commit()
        return len(old)

    def forget_ladders(self) -> None:
        """Rigs may run on others than those kept here: they will be dealt anew."""
        self._begin()
        self._do("DELETE FROM ladders")
        self.commit()

    def ladders(self) -> tuple[int, bytes] | None:
        """The newest (epoch, blob)."""
        row = self._db.execute("SELECT * FROM ladders ORDER BY epoch DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1])

    def read(self, kind: str | None = None, after_id: int = 0, limit: int = 1000) -> list[Row]:
        """Rows after one, oldest first."""
        return self._rows("id > ?", "ASC", kind, after_id, limit)

    def newest(self, limit: int = 100, kind: str | None = None) -> list[Row]:
        """The last rows, oldest of them first."""
        return self._rows("id > ?", "DESC", kind, 0, limit)[::-1]

    def last(self, kind: str) -> Row | None:
        """The newest row of a kind."""
        rows = self.newest(1, kind)
        return rows[0] if rows else None

    def last_by_source(self, kind: str, before_id: int = 1 << 62) -> list[Row]:
        """The newest row of a kind from every source, however long ago that was."""
        newest = "SELECT MAX(id) FROM ledger WHERE kind = ? AND id < ? GROUP BY source"
        return self._found(f"id IN ({newest}) ORDER BY id", kind, before_id)

    def at(self, kind: str, at_s: float) -> Row | None:
        """The last row of a kind that was written by then."""
        rows = self._found("kind = ? AND id <= ? ORDER BY id DESC LIMIT 1", kind, self._by(at_s))
        return rows[0] if rows else None

    def _by(self, at_s: float) -> int:
        """The last row written by then, found by halving: rows lie in the order of time."""
        first, last = self._db.execute("SELECT MIN(id), MAX(id) FROM ledger").fetchone()
        low, high = (first or 1) - 1, last or 0
        later = "SELECT id, at_s FROM ledger WHERE id > ? ORDER BY id LIMIT 1"
        while low < high:
            number, then_s = self._db.execute(later, ((low + high) // 2,)).fetchone()
            low, high = (number, high) if then_s <= at_s else (low, (low + high) // 2)
        return int(low)

    def of_source(self, kind: str, source: str, limit: int, by_s: float | None = None) -> list[Row]:
        """The last rows of a kind from one source, written by then; oldest of them first."""
        last = (1 << 62) if by_s is None else self._by(by_s)
        which = "kind = ? AND source = ? AND id <= ? ORDER BY id DESC LIMIT ?"
        return self._found(which, kind, source, last, limit)[::-1]

    def span(self, from_s: float, to_s: float) -> tuple[int, int]:
        """The ids of what was written in a time: from the first to before the second."""
        return self._first_id(from_s), self._first_id(to_s)

    def lines(self, first_id: int, end_id: int, kind: str | None = None) -> Iterator[Line]:
        """Rows as they lie in the file, oldest first, one after the other."""
        where, kinds = ("", ()) if kind is None else ("AND kind = ?", (kind,))
        return self._db.execute(
            "SELECT id, at_s, kind, source, why, body FROM ledger"
            f" WHERE id >= ? AND id < ? {where} ORDER BY id",
            (first_id, end_id, *kinds),
        )

    def _first_id(self, at_s: float) -> int:
        """Of the rows from a time on, found by halving: times rise with the ids."""
        low, high = self._db.execute("SELECT MIN(id), MAX(id) + 1 FROM ledger").fetchone()
        if low is None:
            return 0
        while low < high:
            middle = (low + high) // 2
            found = self._db.execute(
                "SELECT at_s FROM ledger WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
            ).fetchone()
            if found[0] < at_s:
                low = middle + 1
            else:
                high = middle
        return int(low)

    def close(self) -> None:
        try:
            self.commit()
        finally:
            self._db.close()

    def _do(self, what: str, values: tuple[Any, ...] = ()) -> None:
        """Raises LedgerError when the disk does not take it: what is not on record is not said."""
        try:
            self._db.execute(what, values)
        except sqlite3.DatabaseError as error:
            raise LedgerError(
                f"{self.path}: cannot be written ({error}); make room on the disk or see to it,"
                " the site sleeps until the supervisor can write again"
            ) from None

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def _rows(self, which: str, order: str, kind: str | None, *values: int) -> list[Row]:
        kinds = () if kind is None else (kind,)
        where = f"{which} AND kind = ?" if kinds else which
        return self._found(f"{where} ORDER BY id {order} LIMIT ?", values[0], *kinds, values[1])

    def _found(self, which: str, *values: int | str) -> list[Row]:
        found = self._db.execute(
            f"SELECT id, at_s, kind, source, why, body FROM ledger WHERE {which}", values
        )
        return [
            Row(number, at_s, kind, source, why, msgspec.json.decode(body))
            for number, at_s, kind, source, why, body in found
        ]
