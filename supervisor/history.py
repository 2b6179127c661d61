"""The memory of the site: every rig every ten seconds, the site every second, by day on the disk.

The beat only copies columns; a thread of its own writes them, so that a slow disk, or a full
one, delays no decision.  What cannot be written is counted and dropped.  A rig that was not
heard has no sample: a gap is a gap.
"""

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np

from supervisor.history_files import DAY_S, FILE_S, Columns, Files
from supervisor.site import Site
from supervisor.steady import Steady

log = logging.getLogger(__name__)

WAITING_MAX = 3  # files not yet written; more is a disk too slow for history
CLOSE_S = 8.0
SITE_S = 1.0
PRUNE_S = 30.0
_RIG: dict[str, Any] = {
    "state": np.uint8,
    "level": np.uint8,
    "power_w": np.uint32,
    "hash_ghs": np.uint32,
    "hot_dc": np.int16,
    "fan_rpm": np.uint16,
}
_SITE = ("limit_w", "asked_w", "budget_w", "admit_w", "expected_w", "committed_w", "capacity_w")

Second = tuple[float, ...]
Batch = tuple[list[Columns], list[str], list[Second]]


def history_of(site: Site, clock: Callable[[], float] = time.time) -> "History":
    """Beside the ledger, as the settings say."""
    keys = site.config.history
    keep_days = {"rigs": keys.rig_days, "rolled": keys.days, "site": keys.days}
    files = Files(site.config.state_dir / "history", keep_days)
    last = site.ledger.last("decision")
    written_s = last.at_s if last else None
    return History(site, files, site.config.site.telemetry_s, clock, written_s)


class History:
    """look() after every beat; read with rig() and site(); close() writes what is left.

    written_s: when the former supervisor last wrote, to know a clock that has jumped since.
    """

    def __init__(
        self,
        site: Site,
        files: Files,
        sample_s: float,
        clock: Callable[[], float] = time.time,
        written_s: float | None = None,
    ) -> None:
        self._site, self.files, self._sample_s, self._clock = site, files, sample_s, clock
        self._rigs: list[Columns] = []  # one a sample
        self._seconds: list[Second] = []
        self._rigs_due_s = self._site_due_s = self._closes_s = 0.0
        self.lost = self.failed = 0
        self._steady, self._may_drop = Steady(written_s), False
        self.failing = False  # whether the last ten minutes could not be written
        self._waiting: queue.Queue[Batch | None] = queue.Queue(WAITING_MAX)
        self._writer = threading.Thread(target=self._write, name="history", daemon=True)
        self._writer.start()

    # ---- what the beat does

    def look(self, now_s: float) -> None:
        """Take a sample of what is due."""
        unix_s = self._clock()
        self._may_drop = self._steady.step(now_s, unix_s)
        if not self._closes_s - FILE_S <= unix_s < self._closes_s:  # or the clock was set back
            self._hand_over()
            self._closes_s = (unix_s // FILE_S + 1) * FILE_S
        if now_s >= self._site_due_s:
            self._site_due_s = max(self._site_due_s + SITE_S, now_s)
            self._seconds.append(self._second(now_s, unix_s))
        if now_s >= self._rigs_due_s:
            self._rigs_due_s = max(self._rigs_due_s + self._sample_s, now_s)
            self._rigs.append(self._sample(now_s, unix_s))

    def _sample(self, now_s: float, unix_s: float) -> Columns:
        fleet = self._site.fleet
        rows = np.flatnonzero(now_s - fleet.heard_s <= 1.5 * self._sample_s)
        sample: Columns = {"row": rows.astype(np.uint32), "at_s": np.full(len(rows), unix_s)}
        for name, kind in _RIG.items():
            bounds = np.iinfo(kind)
            sample[name] = np.clip(getattr(fleet, name)[rows], bounds.min, bounds.max).astype(kind)
        return sample

    def _second(self, now_s: float, unix_s: float) -> Second:
        made, meter = self._site.decision, self._site.inbox.meter
        assert made is not None
        fresh = meter is not None and now_s - meter.at_s <= self._site.config.stale_s
        metered_w = float(meter.w) if meter and fresh else float("nan")
        decided = (float(getattr(made, name)) for name in _SITE)
        return (unix_s, metered_w, float(self._site.fleet.hash_ghs.sum()), *decided)

    def _hand_over(self) -> None:
        """What has been sampled so far goes to the writer."""
        if not self._seconds:
            return
        batch = (self._rigs, [*self._site.fleet.names], self._seconds)
        self._rigs, self._seconds = [], []
        try:
            self._waiting.put_nowait(batch)
        except queue.Full:
            self.lost, self.failing = self.lost + 1, True
            log.error("history: the disk is too slow; ten minutes of telemetry are dropped")

    async def run(self) -> None:
        """Until it is cancelled; the ledger's old beats go meanwhile, a few at a time."""
        keep_s = self._site.config.history.ledger_days * DAY_S
        try:
            while True:
                await asyncio.sleep(PRUNE_S)
                if self._may_drop:
                    self._site.ledger.prune(self._clock() - keep_s)
        finally:
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Write what is left, if the disk takes it soon."""
        self._hand_over()
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=CLOSE_S)
        self._writer.join(CLOSE_S)

    # ---- what the thread does

    def _write(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)  # after the beat
        while (batch := self._waiting.get()) is not None:
            try:
                samples, names, seconds = batch
                self.files.write(_joined(samples), _who(names), _columns(seconds))
                self.failing = False
                if self._may_drop:
                    self.files.drop_old(self._clock())
            except (OSError, duckdb.Error) as error:
                self.failed, self.failing = self.failed + 1, True
                log.error("history: ten minutes of telemetry cannot be written: %s", error)

    # ---- what is asked of it; reads files, so call it in a thread

    def rig(self, name: str, from_s: float, to_s: float, rolled: bool = False) -> Columns:
        """Samples of a rig, oldest first; rolled: a row for ten minutes, kept much longer."""
        columns = self.files.read("rolled" if rolled else "rigs", from_s, to_s, name)
        row = self._site.fleet.row_of.get(name)
        if rolled or row is None:
            return columns
        now = _joined([*self._rigs])
        mine = (now["row"] == row) & (now["at_s"] >= from_s) & (now["at_s"] < to_s)
        return _after(columns, {key: column[mine] for key, column in now.items() if key != "row"})

    def site(self, from_s: float, to_s: float) -> Columns:
        """The site second by second, oldest first; metered_w is NaN where nothing was read."""
        now = _columns([*self._seconds])
        mine = (now["at_s"] >= from_s) & (now["at_s"] < to_s)
        columns = self.files.read("site", from_s, to_s)
        return _after(columns, {key: column[mine] for key, column in now.items()})


def _joined(samples: list[Columns]) -> Columns:
    if not samples:
        kinds = {"row": np.uint32, "at_s": np.float64, **_RIG}
        return {name: np.zeros(0, dtype=kind) for name, kind in kinds.items()}
    return {name: np.concatenate([one[name] for one in samples]) for name in samples[0]}


def _who(names: list[str]) -> Columns:
    return {"row": np.arange(len(names), dtype=np.uint32), "rig": np.array(names, dtype=object)}


def _columns(seconds: list[Second]) -> Columns:
    names = ("at_s", "metered_w", "hash_ghs", *_SITE)
    table = np.array(seconds, dtype=float).reshape(len(seconds), len(names))
    return {name: np.ascontiguousarray(table[:, n]) for n, name in enumerate(names)}


def _after(written: Columns, now: Columns) -> Columns:
    """What is on the disk, then what is not yet."""
    if not written:
        return now
    return {name: np.concatenate((written[name], column)) for name, column in now.items()}
