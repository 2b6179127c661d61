"""Telemetry of a whole site: what a beat pays for it, its size on disk, how fast it is read."""

import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import typer

from hil.benches.brokers import rss_mb
from hil.benches.ingest import fleet_of
from supervisor.fleet import RUNNING, Fleet
from supervisor.history import History
from supervisor.history_files import DAY_S, FILE_S, KINDS, Files

BEGIN_S = 1_800_000_000.0 // FILE_S * FILE_S
SAMPLE_S = 10.0
KEEP_DAYS = {"rigs": 7, "rolled": 400, "site": 400}
MADE = ("limit_w", "asked_w", "budget_w", "admit_w", "expected_w", "committed_w", "capacity_w")


def command(
    rigs: Annotated[int, typer.Option(min=10, max=60_000)] = 28_571,
    hours: Annotated[float, typer.Option(min=0.2, max=48)] = 1.0,
) -> dict[str, Any]:
    """Rigs whose every figure wanders as real ones do: watts by 0.4 %, heat by 0.2 K, fans by 30
    rpm, a level now and then.  Bytes are of a full day, from the files of so many hours."""
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        clock = Clock()
        fleet = fleet_of(rigs)
        history = History(_site(fleet), Files(Path(folder), KEEP_DAYS), SAMPLE_S, clock)  # type: ignore[arg-type]
        looked_ms, cpu_s = _live(history, fleet, clock, hours)
        return _report(history, rigs, hours, looked_ms, cpu_s)


class Clock:
    now_s = BEGIN_S

    def __call__(self) -> float:
        return self.now_s


def _site(fleet: Fleet) -> SimpleNamespace:
    return SimpleNamespace(
        fleet=fleet,
        decision=SimpleNamespace(**dict.fromkeys(MADE, 62_000_000)),
        inbox=SimpleNamespace(meter=SimpleNamespace(w=62_000_000, at_s=0.0)),
        config=SimpleNamespace(stale_s=5.0),
    )


def _live(history: History, fleet: Fleet, clock: Clock, hours: float) -> tuple[list[float], float]:
    """(milliseconds of every look, CPU of all the process in the looks and the writing)."""
    dice, looked_ms, cpu_s = np.random.default_rng(1), [], 0.0
    base = dice.integers(1000, 3500, len(fleet))
    fleet.state[:] = RUNNING
    for second in range(int(hours * 3600)):
        clock.now_s = BEGIN_S + second
        if second % int(SAMPLE_S) == 0:
            _wander(fleet, base, dice)
        fleet.heard_s[:] = second
        history._site.inbox.meter.w = int(62e6 + 1e5 * dice.standard_normal())  # type: ignore[union-attr,misc]
        history._site.inbox.meter.at_s = float(second)  # type: ignore[union-attr,misc]
        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        history.look(float(second))
        looked_ms.append((time.perf_counter() - begun_s) * 1000)
        while history._waiting.qsize():  # a real site has ten minutes
            time.sleep(0.005)
        cpu_s += time.process_time() - begun_cpu_s
    history.close()
    return looked_ms, cpu_s


def _wander(fleet: Fleet, base: Any, dice: Any) -> None:
    rigs = len(fleet)
    moved = dice.random(rigs) < 0.01
    base[moved] = dice.integers(1000, 3500, int(moved.sum()))
    fleet.level[:] = base // 450
    fleet.power_w[:] = base * (1 + 0.004 * dice.standard_normal(rigs))
    fleet.hash_ghs[:] = base * 62 * (1 + 0.01 * dice.standard_normal(rigs))
    fleet.hot_dc[:] = 450 + base // 20 + dice.integers(-2, 3, rigs)
    fleet.fan_rpm[:] = 3000 + base + dice.integers(-30, 31, rigs)


def _report(
    history: History, rigs: int, hours: float, looked_ms: list[float], cpu_s: float
) -> dict[str, Any]:
    days = hours * 3600 / DAY_S
    size = {kind: total / days for kind, total in history.files.bytes().items()}
    kept_gb = sum(size[kind] * KEEP_DAYS[kind] for kind in KINDS) / 1e9
    ended_s = BEGIN_S + hours * 3600
    return {
        "rigs": rigs,
        "bytes_per_rig_day": round(size["rigs"] / rigs),
        "bytes_per_rig_day_rolled": round(size["rolled"] / rigs),
        "site_mb_per_day": round(size["site"] / 1e6, 2),
        "kept_gb": round(kept_gb, 1),
        "look_ms_median": round(float(np.median(looked_ms)), 3),
        "look_ms_max": round(max(looked_ms), 2),
        "cpu_pct_of_a_core": round(100 * cpu_s / (hours * 3600), 3),
        "query_rig_ms": _query_ms(lambda: history.rig("rig-00042", BEGIN_S, ended_s)),
        "query_rig_rolled_ms": _query_ms(lambda: history.rig("rig-00042", BEGIN_S, ended_s, True)),
        "query_site_ms": _query_ms(lambda: history.site(BEGIN_S, ended_s)),
        "rows_lost": history.lost + history.failed,
        "supervisor_rss_mb": rss_mb(None),
    }


def _query_ms(query: Any) -> float:
    spent = []
    for _ in range(5):
        begun_s = time.perf_counter()
        assert len(query()["at_s"])
        spent.append((time.perf_counter() - begun_s) * 1000)
    return round(float(np.median(spent)), 1)
