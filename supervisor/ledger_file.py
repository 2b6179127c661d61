"""The ledger's file: its tables, how it is opened, and put aside when it is damaged."""

import sqlite3
import time
from pathlib import Path

VERSION = 1
HOLDS = """CREATE TRIGGER ledger_holds BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""

_SCHEMA = f"""
BEGIN;
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    why TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX ledger_kind ON ledger (kind, id);
CREATE INDEX ledger_source ON ledger (kind, source, id);
CREATE TABLE ladders (epoch INTEGER PRIMARY KEY, blob BLOB NOT NULL);
CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
{HOLDS};
PRAGMA user_version = {VERSION};
COMMIT;
"""


class LedgerError(Exception):
    """The ledger cannot be used; the text names the file and what to do."""


def opened(path: Path, readonly: bool) -> sqlite3.Connection:
    """Made when it is not there.  Raises LedgerError, and sqlite3.DatabaseError for a damage."""
    if not readonly:
        path.parent.mkdir(parents=True, exist_ok=True)
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if not readonly:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if version == 0:
                db.executescript(_SCHEMA)
        if version > VERSION:
            raise LedgerError(f"{path}: made by a newer surplus (version {version}); update this")
        _look_over(db)
    except BaseException:
        db.close()
        raise
    return db


def _look_over(db: sqlite3.Connection) -> None:
    """Reads the ends of everything; a damage deeper down shows when that row is read.

    The whole of a year's ledger takes minutes to check, and the site waits.
    """
    for table, key in (("ledger", "id"), ("ladders", "epoch")):
        db.execute(f"SELECT * FROM {table} ORDER BY {key} DESC LIMIT 100").fetchall()
        db.execute(f"SELECT * FROM {table} ORDER BY {key} LIMIT 100").fetchall()


def put_aside(path: Path) -> Path:
    """Moves the file and what belongs to it under a name that is free."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    number, kept = 0, path.with_name(f"{path.name}.damaged-{stamp}")
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(kept)
    for tail in ("-wal", "-shm"):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.rename(kept.with_name(kept.name + tail))
    return kept
