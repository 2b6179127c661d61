"""How far the fleet model is from the firmware, on random signals, second by second."""

from typing import Annotated, Any

import typer

from hil import fidelity
from hil.rig import NoMicroPython, find_micropython

LEVELS = 8  # of the S21 Pro's board file


def command(
    rigs: Annotated[int, typer.Option(min=1, max=20)] = 1,
    signals: Annotated[int, typer.Option(min=1, max=100, help="each with its own seed")] = 2,
    changes: Annotated[int, typer.Option(min=2, max=200, help="of each signal")] = 12,
) -> dict[str, Any]:
    """The largest of all samples, in per cent of what the firmware draws; see hil/fidelity.py."""
    try:
        find_micropython()
    except NoMicroPython as error:
        raise ModuleNotFoundError(str(error)) from None
    samples = []
    for seed in range(signals):
        signal, seconds = fidelity.random_signal(LEVELS, changes, seed)
        samples += fidelity.compare(signal, seconds, rigs, seed)
    worst = fidelity.worst(samples)
    return {
        "rigs": rigs,
        "samples": len(samples),
        "samples_in_ramps": sum(sample.ramp for sample in samples),
        "error_holding_pct_max": round(100 * abs(worst.holding.error), 2),
        "error_in_ramps_pct_max": round(100 * abs(worst.ramp.error), 2),
    }
