"""Telemetry on the disk: Parquet files of ten minutes, written and read by DuckDB.

    history/rigs/2026-11-25/1430.parquet    a row a rig and sample, by rig and time
    history/rolled/...                      a row a rig and file: means and extremes
    history/site/...                        a row a second

A day's folder is deleted whole.  A file is there whole or not at all; one that cannot be
read is put aside and costs its ten minutes.  Times are Unix seconds.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

log = logging.getLogger(__name__)

FILE_S = 600
DAY_S = 86_400
KINDS = ("rigs", "rolled", "site")
Columns = dict[str, Any]  # numpy arrays by name, all of one length

_RIGS = """
SELECT rig, at_s::UINTEGER AS at_s, state, level, power_w, hash_ghs, hot_dc, fan_rpm
FROM samples JOIN names USING (row) ORDER BY rig, at_s
"""
_ROLLED = """
SELECT rig, (min(at_s) // {every} * {every})::UINTEGER AS at_s, count(*)::USMALLINT AS samples,
    mode(state) AS state, avg(power_w)::UINTEGER AS power_w, max(power_w) AS power_w_most,
    avg(hash_ghs)::UINTEGER AS hash_ghs, max(hot_dc) AS hot_dc, min(fan_rpm) AS fan_rpm
FROM samples JOIN names USING (row) GROUP BY rig ORDER BY rig
"""
_SITE = """
SELECT at_s::UINTEGER AS at_s, metered_w, COLUMNS(* EXCLUDE (at_s, metered_w))::BIGINT
FROM samples ORDER BY at_s
"""
_WRITE = "COPY ({what}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 60000)"


class Files:
    """keep_days: by kind, how long."""

    def __init__(self, folder: Path, keep_days: dict[str, int]) -> None:
        self.folder, self._keep_days = folder, keep_days

    def write(self, samples: Columns, names: Columns, seconds: Columns) -> None:
        """One file of each kind.  Raises OSError or duckdb.Error."""
        with duckdb.connect(config={"threads": 1}) as db:
            if len(samples["at_s"]):
                self._copy(db, "rigs", _RIGS, samples, names)
                self._copy(db, "rolled", _ROLLED.format(every=FILE_S), samples, names)
            if len(seconds["at_s"]):
                self._copy(db, "site", _SITE, seconds)

    def _copy(self, db: Any, kind: str, what: str, samples: Columns, names: Columns = {}) -> None:  # noqa: B006
        """DuckDB finds samples and names in what is being run: they are these two."""
        path = self._path(kind, float(samples["at_s"][0]))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        db.execute(_WRITE.format(what=what, path=_quoted(part)))
        part.replace(path)

    def _path(self, kind: str, at_s: float) -> Path:
        """Where a file that begins then goes; beside one of the same minute, not over it."""
        day = time.strftime("%Y-%m-%d", time.gmtime(at_s))
        minute, number = time.strftime("%H%M", time.gmtime(at_s)), 0
        path = self.folder / kind / day / f"{minute}.parquet"
        while path.exists():
            number += 1
            path = path.with_name(f"{minute}-{number}.parquet")
        return path

    def drop_old(self, now_s: float) -> list[Path]:
        """Delete the days that are too old; which."""
        gone = []
        for kind, days in self._keep_days.items():
            oldest = time.strftime("%Y-%m-%d", time.gmtime(now_s - days * DAY_S))
            for day in sorted((self.folder / kind).glob("????-??-??")):
                if day.name < oldest:
                    shutil.rmtree(day, ignore_errors=True)
                    gone.append(day)
        return gone

    def read(self, kind: str, from_s: float, to_s: float, rig: str | None = None) -> Columns:
        """Rows of a time, of one rig or of all, oldest first; no columns when there are none."""
        paths = self._paths(kind, from_s, to_s)
        while paths:
            try:
                return _read(paths, from_s, to_s, rig)
            except duckdb.Error:
                paths = [path for path in paths if _readable(path)]
        return {}

    def _paths(self, kind: str, from_s: float, to_s: float) -> list[Path]:
        """Files of the days of a time; no file goes over midnight, UTC."""
        first, last = (time.strftime("%Y-%m-%d", time.gmtime(t)) for t in (from_s, to_s))
        days = [d for d in (self.folder / kind).glob("????-??-??") if first <= d.name <= last]
        return [path for day in sorted(days) for path in sorted(day.glob("*.parquet"))]

    def bytes(self) -> dict[str, int]:
        """What each kind takes on the disk."""
        return {
            kind: sum(path.stat().st_size for path in (self.folder / kind).rglob("*.parquet"))
            for kind in KINDS
        }


def _read(paths: list[Path], from_s: float, to_s: float, rig: str | None) -> Columns:
    which, values = "at_s >= ? AND at_s < ?", [from_s, to_s]
    if rig is not None:
        which, values = f"{which} AND rig = ?", [*values, rig]  # type: ignore[list-item]
    with duckdb.connect(config={"threads": 1}) as db:
        found = db.execute(
            f"SELECT * FROM read_parquet(?, union_by_name = true) WHERE {which} ORDER BY at_s",
            [[str(path) for path in paths], *values],
        )
        columns = found.fetchnumpy()
    return {name: _filled(column) for name, column in columns.items()}


def _filled(column: Any) -> Any:
    """What was not known is NaN."""
    return column.filled(np.nan) if isinstance(column, np.ma.MaskedArray) else column


def _readable(path: Path) -> bool:
    """One that is not is put aside."""
    try:
        duckdb.execute("SELECT count(*) FROM parquet_metadata(?)", [str(path)]).fetchone()
        duckdb.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error as error:
        log.error("history: %s is damaged and put aside: %s", path, str(error).splitlines()[0])
        path.rename(path.with_suffix(".damaged"))
        return False
    return True


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
