"""A recorded fall of the grid's frequency against a modelled site: what is shed, and when.

Twice: a sample as often as the series has one, and a sample every 100 ms on straight lines
between them, as a meter on the fast path would have read it.  After the series, and what is
missing of it, the frequency is put back to nominal so that the way back is seen too.
"""

import csv
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hil.playback import Playback
from supervisor.frequency import Droop, Response
from supervisor.inbox import Sample
from supervisor.merit import Floats

FAST_S = 0.1
MARK_HZ = 49.5  # by when it should be done
SETTLE_S = 60.0  # at nominal before the series, to bring the site up
LULL_S = 120.0  # of a series before its fall that are played; the rest says nothing
DROOP = Droop()


class SeriesError(ValueError):
    """Not a frequency series; the text names the file and what is missing."""


def command(
    series: Annotated[
        Path | None, typer.Option(help="CSV with a column named ...frequency or hz")
    ] = None,
    rigs: Annotated[int, typer.Option(min=10, max=200_000)] = 2000,
    every: Annotated[float, typer.Option(min=0.02, help="seconds between its rows")] = 2.0,
) -> dict[str, Any]:
    """Without a series: a slow sag, a cliff and a slow return, made up."""
    hz = made_up() if series is None else read(series)
    told: dict[str, Any] = {"rigs": rigs, "rows": len(hz), "lowest_hz": round(float(hz.min()), 3)}
    for name, sample_s in (("recorded", every), ("fast", FAST_S)):
        result = play(rigs, hz, every, sample_s)
        told |= {f"{name}_{key}": value for key, value in result.items()}
    return told


def made_up() -> Floats:
    """A sag over a minute, a cliff within 4 s, half a minute below, and a return; every 2 s."""
    sag, cliff = np.linspace(50.0, 49.9, 30), np.array([49.9, 48.6, 47.5])
    return np.concatenate(
        (np.full(30, 50.0), sag, cliff, np.full(15, 47.4), np.linspace(47.4, 50, 30))
    )


def read(path: Path) -> Floats:
    """The frequency column of a CSV file.  Raises SeriesError."""
    with path.open(newline="") as file:
        rows = csv.reader(file)
        header = [name.strip().lower() for name in next(rows, [])]
        columns = [n for n, name in enumerate(header) if "frequency" in name or name == "hz"]
        if not columns:
            raise SeriesError(f"{path}: no column named frequency or hz")
        try:
            hz = np.array([float(row[columns[0]]) for row in rows if row])
        except (ValueError, IndexError):
            raise SeriesError(
                f"{path}: column {header[columns[0]]}: a number in every row"
            ) from None
    known = np.flatnonzero(np.isfinite(hz))  # an analyser that lost the phase writes nan
    if len(known) < 2:
        raise SeriesError(f"{path}: at least two rows with a number")
    filled: Floats = np.interp(np.arange(len(hz)), known, hz[known])
    return filled


def from_the_fall(hz: Floats, every_s: float) -> Floats:
    """The series from a little before it leaves the dead band for good."""
    outside = np.flatnonzero(hz < MARK_HZ)
    first = int(outside[0]) if len(outside) else 0
    return hz[max(0, first - int(LULL_S / every_s)) :]


class Grid:
    """The frequency at a time: nominal, then the series, then nominal again."""

    def __init__(self, hz: Floats, every_s: float) -> None:
        self._hz, self._every_s = hz, every_s
        self.end_s = SETTLE_S + every_s * (len(hz) - 1)

    def at(self, now_s: float) -> float:
        if not SETTLE_S <= now_s <= self.end_s:
            return DROOP.nominal_hz
        row = (now_s - SETTLE_S) / self._every_s
        return float(np.interp(row, np.arange(len(self._hz)), self._hz))


def play(rigs: int, hz: Floats, every_s: float, sample_s: float) -> dict[str, Any]:
    """What happened, in keys."""
    grid, response = Grid(from_the_fall(hz, every_s), every_s), Response(DROOP)
    site = Playback(rigs)
    full_w, asked_w = int(site.able_w), 0.0
    back_s = DROOP.recovery_s + 6000 / DROOP.restore_pct_per_min + LULL_S
    rows: list[tuple[float, float, float, float]] = []  # when, Hz, share, metered
    spent_ms: list[float] = []
    sampled_s, now_s, sample = -np.inf, 0.0, Sample(DROOP.nominal_hz, 0.0)
    while now_s < grid.end_s + back_s:
        low = min(grid.at(now_s), grid.at(now_s + 1)) < DROOP.edge_hz
        step_s = FAST_S if low else 1.0
        if now_s - sampled_s >= sample_s - 1e-6:
            sample, sampled_s = Sample(grid.at(now_s), now_s), now_s
        began, share = time.perf_counter(), response.share
        said = response.entry(sample, now_s, site.truth.floor_w, asked_w)
        limit_w = full_w if said is None else min(full_w, said.limit_w(now_s) or 0)
        site.step(now_s, step_s, limit_w)
        if response.share < share:
            spent_ms.append(site.decided_ms(began))
        assert site.decision is not None
        asked_w = float(site.decision.asked_w)
        now_s += step_s
        rows.append((now_s, grid.at(now_s), response.share, float(site.metered_w)))
    return told(np.array(rows), spent_ms, grid.end_s)


def told(rows: Floats, spent_ms: list[float], end_s: float) -> dict[str, Any]:
    """Keys out of (when, Hz, share, metered)."""
    at_s, hz, share, metered = rows.T
    before = metered[at_s < SETTLE_S].max()
    fell = np.flatnonzero(share < 1.0)
    if not len(fell):
        return {"first_shed_hz": None}
    below = np.flatnonzero(hz < MARK_HZ)
    mark = int(below[0]) if len(below) else len(rows) - 1
    back = np.flatnonzero((at_s > end_s) & (share > share[fell[0] :].min()))
    rises = metered[at_s > end_s]
    return {
        "first_shed_hz": round(float(hz[fell[0]]), 3),
        "full_mw": round(float(before) / 1e6, 3),
        "ordered_off_before_49_5_pct": round(100 * (1 - float(share[max(0, mark - 1)])), 1),
        "shed_mw_before_49_5": round(float(before - metered[max(0, mark - 1)]) / 1e6, 3),
        "all_asleep_s_after_49_5": first_s(at_s, mark, metered <= metered.min() + 0.02 * before),
        "sample_to_position_ms_max": round(max(spent_ms, default=0.0), 2),
        "back_begins_s": round(float(at_s[back[0]] - end_s), 1) if len(back) else None,
        "back_half_s": first_s(at_s, int(np.searchsorted(at_s, end_s)), metered > before / 2),
        "back_all_s": first_s(at_s, int(np.searchsorted(at_s, end_s)), metered > 0.97 * before),
        "back_drops_mw_max": round(float((np.maximum.accumulate(rises) - rises).max()) / 1e6, 3),
    }


def first_s(at_s: Floats, start: int, true: Any) -> float | None:
    """Seconds from a row to the first at or after it where something is true."""
    rows = np.flatnonzero(true[start:])
    return round(float(at_s[start + rows[0]] - at_s[start]), 1) if len(rows) else None
