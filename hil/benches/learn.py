"""How soon each model's power is known when its word is wrong: from the site meter alone."""

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import typer

from hil.models import MODELS, Model
from hil.playback import Playback

ROW_S = 60.0  # the signal moves so often: without that, models cannot be told apart
MARKS_S = (0, 60, 300, 900, 1800, 3600)
GOOD = 0.02


def command(
    rigs: Annotated[int, typer.Option(min=50, max=200_000)] = 1000,
    wrong_pct: Annotated[float, typer.Option(min=0.0, max=30.0)] = 20.0,
    minutes: Annotated[float, typer.Option(min=2.0, max=600.0)] = 60.0,
    seed: Annotated[int, typer.Option()] = 1,
) -> dict[str, Any]:
    """Every model off by wrong_pct, up and down in turn; a signal that moves every minute."""
    return play(rigs, wrong_pct / 100, int(minutes * 60), seed)


def misreporting(share: float) -> tuple[Model, ...]:
    """The models, every second of them drawing more than it says and the others less."""
    signs = (1 if number % 2 == 0 else -1 for number in range(len(MODELS)))
    return tuple(replace(m, report_error=s * share) for m, s in zip(MODELS, signs, strict=True))


def play(rigs: int, share: float, seconds: int, seed: int) -> dict[str, Any]:
    """Errors at MARKS_S, and from when on every model is within GOOD."""
    site = Playback(rigs, seed, models=misreporting(share))
    random, able_w = np.random.default_rng(seed), site.able_w
    truth = np.array([1 + m.report_error for m in site.fleet.models])
    told: dict[str, Any] = {"rigs": rigs, "models": len(truth), "wrong_pct": share * 100}
    weights = np.bincount(site.fleet.group, minlength=len(truth)) / rigs
    limit_w, bad_s = 0.0, 0
    for second in range(seconds + 1):
        if second % ROW_S == 0:
            limit_w = float(random.uniform(0.3, 1.0)) * able_w
        site.step(float(second), 1.0, int(limit_w))
        off = np.abs(site.dispatcher.learner.factors / truth - 1)
        if float(off.max()) > GOOD:
            bad_s = second
        if second in MARKS_S:
            told[f"error_pct_{second}s"] = round(float(off @ weights) * 100, 2)
            told[f"error_pct_max_{second}s"] = round(float(off.max()) * 100, 2)
    report = site.score.report()
    return told | {
        "all_within_2_pct_from_s": bad_s + 1 if bad_s < seconds else None,
        "tracking_error_pct": report["tracking_error_pct"],
        "overshoot_s": report["overshoot_s"],
    }
