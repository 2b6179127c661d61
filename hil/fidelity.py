"""The fleet model against the firmware: one signal played on both, second by second.

    signal -- bench: K rigs with the real firmware --> watts --.
        '---- fleet model: K rigs of the same points -> watts --'--> errors

A sample is inside a ramp from a change of the signal until the model holds, and two seconds
more; errors are shares of what the firmware draws, or of its first point's watts below that.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.bench import Bench
from hil.fleet import FAR_W, STEPS, ModelFleet
from hil.models import MODELS, Model

STEP_S = 0.05  # of the model; samples are a second apart
AFTER_S = 2
SETTLE_S = 35.0  # after joining: the fans of a boot have come down
HELD_S = (8, 15, 30, 60, 240)
# seconds, level, part of the step to the next one
Signal = Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: int
    firmware_w: float
    model_w: float
    ramp: bool
    error: float  # of the firmware's


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest errors of a run, as shares."""

    holding: Sample
    ramp: Sample

    def __str__(self) -> str:
        return "; ".join(
            f"{what} {abs(s.error) * 100:.2f} % at {s.at_s} s"
            f" ({s.firmware_w:.0f} W, model {s.model_w:.0f} W)"
            for what, s in (("holding", self.holding), ("inside ramps", self.ramp))
        )


def compare(signal: Signal, seconds: int, rigs: int = 3, seed: int = 0) -> list[Sample]:
    """Both played; one sample a second."""
    with Bench(seed=seed) as bench:
        names = [f"rig-{n}" for n in range(rigs)]
        firmware_w = _played(bench, names, signal, seconds)
        hello, ladder = bench.site.heard(names[0]).hello, bench.site.ladder(names[0])
    model_w, moving = _modelled(model_of(hello), ladder, signal, seconds, rigs)
    least_w = rigs * hello["points"][0][0]
    ramp = [any(moving[max(0, n - AFTER_S) : n + 1]) for n in range(seconds)]
    return [
        Sample(n + 1, was, is_, ramp[n], (is_ - was) / max(was, least_w))
        for n, (was, is_) in enumerate(zip(firmware_w, model_w, strict=True))
    ]


def random_signal(levels: int, changes: int, seed: int) -> tuple[list[tuple[int, int, int]], int]:
    """Levels and fractions as they come, some held for minutes; and when it ends, in seconds."""
    dice, at_s, signal = random.Random(seed), 3, []
    for _ in range(changes):
        level = dice.randrange(levels + 1)
        part_pm = dice.choice((0, dice.randrange(1000))) if 0 < level < levels else 0
        signal.append((at_s, level, part_pm))
        at_s += dice.choice(HELD_S)
    return signal, at_s


def worst(samples: list[Sample]) -> Worst:
    holding = max((s for s in samples if not s.ramp), key=lambda s: abs(s.error))
    return Worst(holding, max((s for s in samples if s.ramp), key=lambda s: abs(s.error)))


def model_of(hello: dict[str, Any]) -> Model:
    """The S21 Pro of the fleet model, with what this firmware says of its points."""
    base = next(model for model in MODELS if model.chips == hello["chips"])
    points = tuple((watts, ghs) for watts, ghs in hello["points"])
    return replace(base, floor_w=hello["floor_w"], points=points, part=1.0)


def position_w(ladder: list[list[int]], level: int, part_pm: int) -> int:
    """Where on the merit order that is."""
    if not level:
        return 0
    inside_w = (ladder[level][2] - ladder[level][1]) * part_pm // 1000 if part_pm else 0
    return ladder[level - 1][2] + inside_w


def _played(bench: Bench, names: list[str], signal: Signal, seconds: int) -> list[float]:
    rigs = [bench.rig(name) for name in names]
    heard = [bench.site.heard(name) for name in names]
    bench.run_until(lambda: all(one.joined for one in heard), 60, "all joined")
    bench.site.budget(0)
    bench.run(SETTLE_S)
    ladder = bench.site.ladder(names[0])
    began_s, watts = bench.now_s, []
    for at_s, level, part_pm in signal:
        where_w = position_w(ladder, level, part_pm)
        bench.at(began_s + at_s, lambda w=where_w: bench.site.budget(w))  # type: ignore[misc]
    for _ in range(seconds):
        bench.run(1.0)
        watts.append(sum(rig.power_w for rig in rigs))
    return watts


def _modelled(
    model: Model, ladder: list[list[int]], signal: Signal, seconds: int, rigs: int
) -> tuple[list[float], list[bool]]:
    """(watts, whether any rig was on the move) in every second."""
    fleet, rows = ModelFleet(rigs, models=(model,), alike=True, warms=True), np.arange(rigs)
    padded = [*ladder, *[[0, FAR_W, FAR_W]] * (STEPS - len(ladder))]
    level, start_w, end_w = (np.array([column] * rigs) for column in zip(*padded, strict=True))
    fleet.hold(rows, start_w, end_w, level)
    due = {at_s: position_w(ladder, step, part_pm) for at_s, step, part_pm in signal}
    watts, moved = [], []
    for second in range(seconds):
        if second in due:
            fleet.admit(due[second], rows)
        moving = second in due
        for _ in range(round(1 / STEP_S)):
            fleet.step(STEP_S)
            moving = moving or fleet.moving
        watts.append(fleet.drawn_w)
        moved.append(moving)
    return watts, moved
