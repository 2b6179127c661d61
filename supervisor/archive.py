"""The ladders of past epochs, for people who ask why.

A file beside the ledger.  Nothing is decided from it, so it is written without waiting for
the disk, and one that is damaged is begun anew.  The oldest go when it has grown to its size.
"""

import logging
import sqlite3
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

BYTES_MAX = 1_000_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ladders (epoch INTEGER PRIMARY KEY, size INTEGER, blob BLOB);
"""


class Archive:
    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        self._path, self._bytes_max = path, bytes_max
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

    def put(self, epoch: int, blob: bytes) -> None:
        """As dealt, the newest of an epoch: within one it only grows at its end."""
        self._write("INSERT OR REPLACE INTO ladders VALUES (?, ?, ?)", (epoch, len(blob), blob))
        size = self._one("SELECT COALESCE(SUM(size), 0) FROM ladders")
        if size > self._bytes_max:
            tenth = "SELECT MAX(1, COUNT(*) / 10) FROM ladders"
            oldest = f"SELECT epoch FROM ladders ORDER BY epoch LIMIT ({tenth})"
            self._write(f"DELETE FROM ladders WHERE epoch IN ({oldest})", ())

    def get(self, epoch: int) -> bytes | None:
        found: bytes | None = self._one("SELECT blob FROM ladders WHERE epoch = ?", epoch)
        return found

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        """An archive that cannot be written costs the past, not the present."""
        try:
            self._db.execute(sql, values)
        except sqlite3.Error as error:
            log.warning("%s: %s", self._path, error)

    def _one(self, sql: str, *values: Any) -> Any:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]
