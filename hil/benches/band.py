"""What the frequency band saves in sleeps, and what it costs, against pure merit order.

The same signal is played three times to the same modelled site: by pure merit order, with
rests only (nobody just sent to sleep is woken at once), and as the supervisor does it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.playback import Playback, play
from supervisor.policy import Policy
from supervisor.sources.signal_csv import Series, read

MERIT = Policy(min_on_s=0.0, min_off_s=0.0)
MIDDLE, SWING = 0.65, 0.05  # of capacity: where the made-up signal lies, and how far it swings
LAST_S, ROW_S = 3600.0, 4.0


def command(
    signal: Annotated[Path | None, typer.Option(help="CSV, as surplus replay reads it")] = None,
    rigs: Annotated[int, typer.Option(min=10, max=200_000)] = 2000,
    hours: Annotated[float, typer.Option(min=0.05, help="of the signal, from its start")] = 1000.0,
    step: Annotated[float, typer.Option(min=0.2, max=60.0)] = 1.0,
) -> dict[str, Any]:
    """Without a signal: one hour of 5 % up and 5 % down of capacity, changing every 4 s."""
    if signal is None:
        return compare(agc(rigs), rigs, step, foreseen=False)
    return compare(first_hours(read(signal), hours), rigs, step)


def agc(rigs: int, last_s: float = LAST_S) -> Series:
    """Up and down every ROW_S, after half a minute to settle."""
    able_w = Playback(rigs).able_w
    rows = int(last_s / ROW_S)
    shares = [MIDDLE + (SWING if number % 2 else -SWING) for number in range(rows)]
    return Series(
        tuple(ROW_S * number for number in range(rows)),
        tuple(int(share * able_w) for share in shares),
        ROW_S,
    )


def first_hours(series: Series, hours: float) -> Series:
    end_s = series.times_s[0] + hours * 3600
    kept = sum(at_s < end_s for at_s in series.times_s)
    return replace(series, times_s=series.times_s[:kept], w=series.w[:kept])


def compare(series: Series, rigs: int, step_s: float, foreseen: bool = True) -> dict[str, Any]:
    """The keys of each way of playing it, and what the last costs against the first."""
    merit = play(series, rigs, step_s, banded=False, policy=MERIT, foreseen=foreseen)
    rests = play(series, rigs, step_s, banded=False, foreseen=foreseen)
    ours = play(series, rigs, step_s, foreseen=foreseen)
    hash_lost = 1 - ours["hashrate_ths_mean"] / max(1e-9, merit["hashrate_ths_mean"])
    told: dict[str, Any] = {"rigs": rigs, "simulated_s": ours["simulated_s"]}
    for name, result in (("merit", merit), ("rests", rests), ("band", ours)):
        for key in ("sleeps_per_rig_day", "energy_mwh", "tracking_error_pct", "overshoot_s"):
            told[f"{name}_{key}"] = result[key]
    return told | {
        "energy_lost_pct": round(100 * (1 - ours["energy_mwh"] / merit["energy_mwh"]), 3),
        "hashrate_lost_pct": round(100 * hash_lost, 3),
        "errors": sum(result["errors"] for result in (merit, rests, ours)),
    }
