"""What explains the past: the ladders of every epoch, and once a minute what each rig said.

A file beside the ledger, for people who ask why.  Nothing is decided from it, so it is
written without waiting for the disk, and one that is damaged is begun anew.  The oldest goes
when it has grown to its size.
"""

import io
import logging
import sqlite3
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from supervisor.memory import narrow
from supervisor.merit import Ints

log = logging.getLogger(__name__)

BYTES_MAX = 2_000_000_000
LOOK_S = 60.0  # between looks at all rigs
FAR_S = 150.0  # a look further back than this says nothing of then

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ladders (epoch INTEGER PRIMARY KEY, size INTEGER, blob BLOB);
CREATE TABLE IF NOT EXISTS looks (at_s REAL PRIMARY KEY, names INTEGER, size INTEGER, blob BLOB);
CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, blob BLOB);
"""


class Look(NamedTuple):
    """What a rig said, and when that was looked at."""

    at_s: float
    said: dict[str, int]


class Archive:
    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        self._path, self._bytes_max = path, bytes_max
        self._names_id, self._names_of = 0, -1
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            log.warning("%s: begun anew: %s", path, error)
            path.unlink(missing_ok=True)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(_SCHEMA)
        return db

    def close(self) -> None:
        self._db.close()

    def put_ladders(self, epoch: int, blob: bytes) -> None:
        """As dealt, the newest of an epoch: within one it only grows at its end."""
        self._write("INSERT OR REPLACE INTO ladders VALUES (?, ?, ?)", (epoch, len(blob), blob))

    def ladders(self, epoch: int) -> bytes | None:
        found: bytes | None = self._one("SELECT blob FROM ladders WHERE epoch = ?", epoch)
        return found

    def put_look(self, at_s: float, names: list[str], columns: dict[str, Ints]) -> None:
        """What every rig said last.  names: in the order of the columns; they only grow."""
        if self._names_of != len(names):
            blob = zlib.compress("\n".join(names).encode(), 1)
            self._names_id = self._write("INSERT INTO names (blob) VALUES (?)", (blob,))
            self._names_of = len(names)
        out = io.BytesIO()
        np.savez(out, **{name: narrow(column) for name, column in columns.items()})
        blob = zlib.compress(out.getvalue(), 1)
        row = (at_s, self._names_id, len(blob), blob)
        self._write("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", row)
        self._shrink()

    def look(self, rig: str, at_s: float) -> Look | None:
        """What a rig had said by then; None when nobody looked, or it was not there."""
        found = self._db.execute(
            "SELECT looks.at_s, looks.blob, names.blob FROM looks JOIN names"
            " ON names.id = looks.names WHERE at_s <= ? AND at_s > ? ORDER BY at_s DESC LIMIT 1",
            (at_s, at_s - FAR_S),
        ).fetchone()
        if found is None:
            return None
        names = zlib.decompress(found[2]).decode().split("\n")
        if rig not in names:
            return None
        row = names.index(rig)
        with np.load(io.BytesIO(zlib.decompress(found[1])), allow_pickle=False) as kept:
            return Look(found[0], {name: int(kept[name][row]) for name in kept.files})

    def _write(self, sql: str, values: tuple[Any, ...]) -> int:
        """An archive that cannot be written costs the past, not the present."""
        try:
            return int(self._db.execute(sql, values).lastrowid or 0)
        except sqlite3.Error as error:
            log.warning("%s: %s", self._path, error)
            return 0

    def _one(self, sql: str, *values: Any) -> Any:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _shrink(self) -> None:
        """The oldest tenth goes when there is too much."""
        for table, key in (("looks", "at_s"), ("ladders", "epoch")):
            size = self._one(f"SELECT COALESCE(SUM(size), 0) FROM {table}")
            if size > self._bytes_max / 2:
                tenth = f"SELECT MAX(1, COUNT(*) / 10) FROM {table}"
                self._write(
                    f"DELETE FROM {table} WHERE {key} IN"
                    f" (SELECT {key} FROM {table} ORDER BY {key} LIMIT ({tenth}))",
                    (),
                )
