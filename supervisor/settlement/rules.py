"""The rules a site is judged by: following, falling, holding.

Each takes a Series and gives a Verdict: what was measured, what was wanted, and whether it
was kept.  Where the record has gaps the verdict says so instead of passing.
"""

from dataclasses import dataclass

import numpy as np

from supervisor.settlement.series import Series, mean
from supervisor.settlement.terms import Terms

WINDOW_S = 300
TERMS = Terms()
DELIVERED, TOO_MUCH = 0.95, 1.5  # of an instruction: at least, at most, until it is recalled
SHOWN = 0.5  # of a window must be on record for it to count
NOTICED_W = 0.005  # of the highest asked: a smaller fall is no instruction

KEPT, BROKEN, UNKNOWN = "kept", "broken", "not enough on record"


@dataclass(frozen=True, slots=True)
class Fall:
    """An instruction to draw less, from its second until the next one."""

    at_s: int
    until_s: int
    from_w: float
    to_w: float

    @property
    def step_w(self) -> float:
        return self.from_w - self.to_w


@dataclass(frozen=True, slots=True)
class Verdict:
    """at_s: the moment it is about; None for the whole time.  measured: a number, or None."""

    rule: str
    wanted: str
    measured: float | None
    unit: str
    outcome: str
    at_s: int | None = None


def verdict(
    rule: str, wanted: str, measured: float, unit: str, kept: bool, at_s: int | None = None
) -> Verdict:
    if not np.isfinite(measured):
        return Verdict(rule, wanted, None, unit, UNKNOWN, at_s)
    return Verdict(rule, wanted, round(float(measured), 3), unit, KEPT if kept else BROKEN, at_s)


def tracking(series: Series, capacity_w: float, terms: Terms = TERMS) -> list[Verdict]:
    """The five-minute means against what was asked: ERCOT's set-point deviation, 3 % or 3 MW.

    For a site smaller than that the band is 3 % of its capacity, or it would judge nothing.
    """
    band, pct = terms.band_pct / 100, terms.band_pct
    wanted = f"all 5 min windows within {pct:g} % or {terms.band_w / 1e6:g} MW"
    most = f"{pct:g} % of capacity at most"
    errors_w, bands_w = [], []
    for low in range(0, len(series), WINDOW_S):
        part = series.cut(series.from_s + low, series.from_s + low + WINDOW_S)
        known = part.known
        if known.sum() < SHOWN * WINDOW_S:
            continue
        asked_w = part.asked_w[known].mean()
        errors_w.append(abs(part.metered_w[known].mean() - asked_w))
        bands_w.append(max(band * asked_w, min(terms.band_w, band * capacity_w)))
    if not errors_w:
        return [verdict("tracking", wanted, np.nan, "%", False)]
    within = 100 * float(np.mean(np.array(errors_w) <= np.array(bands_w)))
    worst = 100 * max(errors_w) / capacity_w
    mean_pct = 100 * float(np.mean(errors_w)) / capacity_w
    return [
        verdict("tracking", wanted, within, "%", within == 100),
        verdict("tracking error, mean", most, mean_pct, "%", mean_pct <= pct),
        verdict("tracking error, worst", most, worst, "%", worst <= pct),
    ]


def falls(series: Series) -> list[Fall]:
    """The instructions to draw less: every second in which the limit falls noticeably.

    Steps within a minute of each other are one instruction, judged from its first.
    """
    limit_w = np.minimum(series.limit_w, _ceiling_w(series))
    least_w = NOTICED_W * (np.nanmax(limit_w) if np.isfinite(limit_w).any() else 0.0)
    steps = np.flatnonzero(np.diff(limit_w) < -max(1.0, least_w)) + 1
    found: list[Fall] = []
    for at in steps.tolist():
        if found and at - found[-1].at_s < 60:
            first = found.pop()
            found.append(Fall(first.at_s, at, first.from_w, float(limit_w[at])))
        else:
            found.append(Fall(at, at, float(limit_w[at - 1]), float(limit_w[at])))
    return [_until(fall, limit_w, series.from_s) for fall in found]


def _ceiling_w(series: Series) -> float:
    """What the site can draw: a limit above it instructs nothing."""
    return float(np.nanmax(series.asked_w)) if np.isfinite(series.asked_w).any() else np.inf


def _until(fall: Fall, limit_w: np.ndarray, from_s: int) -> Fall:
    """It holds while the limit stays where it was put."""
    after = limit_w[fall.until_s :]
    moved = np.flatnonzero(~(np.abs(after - fall.to_w) <= 0.02 * fall.step_w))
    end = fall.until_s + (int(moved[0]) if len(moved) else len(after))
    return Fall(from_s + fall.at_s, from_s + end, fall.from_w, fall.to_w)


def delivery(series: Series, fall: Fall, terms: Terms = TERMS) -> list[Verdict]:
    """How soon 95 % of the step was off the meter, and whether it stayed off.

    The step is from what the meter said before it, whatever baseline energy is settled by.
    """
    allowed_s = terms.within_s
    before_w = mean(series.cut(fall.at_s - terms.window_s, fall.at_s).metered_w)
    during = series.cut(fall.at_s, fall.until_s)
    step_w = before_w - fall.to_w
    if not np.isfinite(step_w) or step_w <= 0:
        return []  # the site drew no more than the new limit: nothing was to be delivered
    share = (before_w - during.metered_w) / step_w
    reached = np.flatnonzero(share >= DELIVERED)
    known = np.isfinite(share)
    if not known.any():
        return [verdict("95 % of a fall", f"in {allowed_s:g} s", np.nan, "s", False, fall.at_s)]
    if not len(reached):
        return [Verdict("95 % of a fall", f"in {allowed_s:g} s", None, "s", BROKEN, fall.at_s)]
    took_s = float(reached[0])
    held = share[reached[0] :][known[reached[0] :]]
    return [
        verdict(
            "95 % of a fall", f"in {allowed_s:g} s", took_s, "s", took_s <= allowed_s, fall.at_s
        ),
        verdict(
            "held until recalled",
            "95 to 150 % of the instruction",
            100 * float(held.min()),
            "%",
            bool(held.min() >= DELIVERED and held.max() <= TOO_MUCH),
            fall.at_s,
        ),
    ]


def overshoot(series: Series, capacity_w: float) -> Verdict:
    """Seconds above what was asked by more than 0.5 % of capacity, outside 5 s after a fall."""
    known = series.known
    if not known.any():
        return verdict("above what was asked", "0 s", np.nan, "s", False)
    above = known & (series.metered_w > series.asked_w + 0.005 * capacity_w)
    fell = np.flatnonzero(np.diff(series.asked_w) < 0) + 1
    for at in fell.tolist():
        above[at : at + 5] = False
    seconds = float(above.sum())
    return verdict(
        "above what was asked", "0 s beyond 0.5 % of capacity", seconds, "s", not seconds
    )
