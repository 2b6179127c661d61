"""Several meters against each other, and against what rigs report: which of them lies, and how.

    site = auxiliary + the feeders        a feeder = what the rigs below it report

Rigs are off by up to a fifth, so against them only gross faults show; meters against meters
show a few percent.  A fault must show in CONFIRM readings in a row before it is believed; it is
over as soon as a reading is good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from supervisor.inbox import SITE_METER, Reading
from supervisor.merit import Ints
from supervisor.tree import Tree

AUXILIARY = "auxiliary"
OK, STALE, FROZEN, FLIPPED, SCALED, OFF = "ok", "stale", "frozen", "flipped", "scaled", "off"
CONFIRM = 3
NEAR = 0.35  # of what is expected from rigs: more is no error of theirs
CLOSE = 0.05  # of what other meters add up to
LEAST = 0.02  # of what the site can draw: below it nothing is told apart
FROZEN_S = 15.0  # the same number to the watt for so long, while rigs have moved
MOVED = 0.03  # of what is expected: what counts as moved
SCALES = (0.001, 0.01, 0.1, 1 / 3, 0.5, 2.0, 3.0, 10.0, 100.0, 1000.0)  # decimals, phases, CTs
SCALE_NEAR = 0.15


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a meter says and what is thought of it.  factor: of SCALED, by what it is wrong."""

    fault: str
    w: int
    expected_w: float
    factor: float = 1.0

    def __str__(self) -> str:
        by = f" by {self.factor:g}" if self.fault == SCALED else ""
        return f"{self.fault}{by}: {self.w} W where {self.expected_w:.0f} W are expected"


@dataclass(frozen=True, slots=True)
class Expected:
    """By meter, what is below it by other accounts.  near: how far these may be off."""

    w: float
    near: float


def reported_w(
    power_w: Ints, node: Ints, tree: Tree | None, meters: Iterable[str]
) -> dict[str, float]:
    """What rigs say they draw, of the whole site and below each feeder that has a meter."""
    told = {SITE_METER: float(power_w.sum())}
    if tree is not None:
        below_w = dict(zip(tree.paths, tree.sums(node, power_w.astype(float)), strict=True))
        told |= {name: float(below_w[name]) for name in meters if below_w.get(name, 0.0) > 0}
    return told


def expected(
    readings: Mapping[str, Reading], reported_w: Mapping[str, float], auxiliary_w: float
) -> dict[str, Expected]:
    """What each meter should say.

    reported_w: by feeder, and by SITE_METER of all rigs, what they report with what is known of
    their errors.  auxiliary_w: the settings' word, used where nobody meters it.
    """
    aside = readings.get(AUXILIARY)
    aside_w = aside.w if aside is not None else auxiliary_w
    feeders = [name for name in reported_w if name != SITE_METER]
    told = {name: Expected(reported_w[name], NEAR) for name in feeders}
    told[SITE_METER] = Expected(reported_w.get(SITE_METER, 0.0) + aside_w, NEAR)
    if feeders and all(name in readings for name in feeders):
        metered_w = sum(readings[name].w for name in feeders) + aside_w
        if abs(metered_w - told[SITE_METER].w) <= NEAR * told[SITE_METER].w:
            told[SITE_METER] = Expected(float(metered_w), CLOSE)
    return told


def judge(w: int, should: Expected, least_w: float) -> tuple[str, float]:
    """(fault, factor) of one number against what it should be; OK where nothing can be told."""
    if should.w < least_w and abs(w) < 2 * least_w:
        return OK, 1.0
    ratio = w / max(should.w, least_w)
    if abs(ratio - 1) <= should.near:
        return OK, 1.0
    if abs(ratio + 1) <= max(should.near, NEAR):
        return FLIPPED, -1.0
    scale = min(SCALES, key=lambda factor: abs(ratio / factor - 1))
    if abs(ratio / scale - 1) <= SCALE_NEAR:
        return SCALED, scale
    return OFF, ratio


class Balance:
    """Call look() once a beat; verdicts by meter.  stale_s: from when a reading is none."""

    def __init__(self, stale_s: float, capacity_w: float) -> None:
        self.stale_s, self.capacity_w = stale_s, capacity_w
        self.verdicts: dict[str, Verdict] = {}
        self._doubts: dict[str, tuple[str, int]] = {}  # fault, and how often in a row
        self._same: dict[str, tuple[int, float, float]] = {}  # w, since when, expected then
        self._seen_s: dict[str, float] = {}

    def look(
        self,
        readings: Mapping[str, Reading],
        reported_w: Mapping[str, float],
        auxiliary_w: float,
        now_s: float,
    ) -> dict[str, Verdict]:
        """What is thought of every meter now."""
        fresh = {n: r for n, r in readings.items() if now_s - r.at_s <= self.stale_s}
        should = expected(fresh, reported_w, auxiliary_w)
        for name, reading in readings.items():
            aim = should.get(name, Expected(float(reading.w), 1.0))
            if name not in fresh:
                self.verdicts[name] = Verdict(STALE, reading.w, aim.w)
            elif self._seen_s.get(name) != reading.at_s:
                self._seen_s[name] = reading.at_s
                self.verdicts[name] = self._weigh(reading, aim)
        return self.verdicts

    def site_w(self, readings: Mapping[str, Reading]) -> Reading | None:
        """The site's power to go by: its own meter's, else the sum of all others when they
        are well, else nothing."""
        well = {n: r for n, r in readings.items() if self._fault(n) == OK}
        if SITE_METER in well or SITE_METER not in readings:
            return well.get(SITE_METER)
        parts = [reading for name, reading in readings.items() if name != SITE_METER]
        if AUXILIARY not in well or len(parts) < 2 or any(p.name not in well for p in parts):
            return None
        oldest_s = min(part.at_s for part in parts)
        return Reading(SITE_METER, sum(part.w for part in parts), oldest_s)

    def _fault(self, name: str) -> str:
        return self.verdicts[name].fault if name in self.verdicts else OK

    def _weigh(self, reading: Reading, should: Expected) -> Verdict:
        name, least_w = reading.name, LEAST * self.capacity_w
        fault, factor = judge(reading.w, should, least_w)
        if self._stands_still(reading, should):
            fault, factor = FROZEN, 1.0
        before, times = self._doubts.get(name, (OK, 0))
        times = times + 1 if fault == before else 1
        self._doubts[name] = (fault, times)
        if fault not in (OK, FROZEN) and times < CONFIRM:
            fault, factor = OK, 1.0
        return Verdict(fault, reading.w, should.w, factor)

    def _stands_still(self, reading: Reading, should: Expected) -> bool:
        """Whether it says the same as ever, though what is below it has moved."""
        w, since_s, then_w = self._same.get(reading.name, (None, 0.0, 0.0))
        if w != reading.w:
            self._same[reading.name] = (reading.w, reading.at_s, should.w)
            return False
        moved = abs(should.w - then_w) > MOVED * max(abs(then_w), LEAST * self.capacity_w)
        return moved and reading.at_s - since_s >= FROZEN_S
