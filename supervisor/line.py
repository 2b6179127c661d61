"""The merit order dealt out: which watts of it belong to whom.

Steps lie on the line end to end in merit order; a rig that joins later gets its
steps at the end, until ladders are dealt again.  A curve answers "how much would
be drawn with the position here", for any weight given to each rig.
"""

from dataclasses import dataclass

import numpy as np

from protocols.ladder import Step
from supervisor.merit import Bools, Floats, Ints, Order, Points, Steps, steps_of
from supervisor.tree import Branches


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Steps by rising start_w; no two overlap.  wakes: this step is a rig's first."""

    epoch: int
    rig: Ints
    from_level: Ints
    level: Ints
    start_w: Ints
    end_w: Ints
    wakes: Bools

    @property
    def length_w(self) -> int:
        return int(self.end_w[-1]) if len(self.end_w) else 0

    def ladder(self, rig: int) -> tuple[Step, ...]:
        """One rig's steps, rising."""
        mine = np.flatnonzero(self.rig == rig)
        columns = (self.level[mine], self.start_w[mine], self.end_w[mine])
        return tuple(Step(*row) for row in zip(*(c.tolist() for c in columns), strict=True))

    def admitted_by_rig(self, position_w: float, rigs: int) -> Floats:
        """Watts admitted at a position to each of so many rigs, as listed."""
        done = int(self.end_w.searchsorted(position_w, "right"))
        width_w = self.end_w[:done] - self.start_w[:done]
        by_rig = np.bincount(self.rig[:done], weights=width_w, minlength=rigs).astype(float)
        if done < len(self.rig) and not self.wakes[done]:
            by_rig[self.rig[done]] += max(0.0, position_w - float(self.start_w[done]))
        return by_rig

    def ladders(self, rigs: list[int] | None = None) -> dict[int, tuple[Step, ...]]:
        """The steps of these rigs, or of everybody."""
        out: dict[int, list[Step]] = {}
        mine = slice(None) if rigs is None else np.isin(self.rig, rigs)
        columns = (self.rig[mine], self.level[mine], self.start_w[mine], self.end_w[mine])
        rows = zip(*(c.tolist() for c in columns), strict=True)
        for rig, level, start_w, end_w in rows:
            out.setdefault(rig, []).append(Step(level, start_w, end_w))
        return {rig: tuple(steps) for rig, steps in out.items()}


def empty(epoch: int) -> Line:
    none = np.zeros(0, dtype=np.int64)
    return Line(epoch, none, none, none, none, none, none.astype(bool))


def deal(
    points: Points,
    members: Ints,
    epoch: int,
    wished: Order | None = None,
    branches: Branches | None = None,
    centre_w: int = 0,
    band_w: int = 0,
) -> Line:
    """Ladders for these rigs (rows of points), from nothing.

    wished: what comes before gain.  branches: what feeders carry; steps beyond are left out.
    band_w: on both sides of centre_w, so many watts are made of frequency steps as far as
    there are any; what a signal moves within the band then wakes and sleeps nobody.
    """
    chosen = Points(points.watts[members], points.ghs[members])
    own = None if wished is None else wished.of(members)
    steps = _carried(steps_of(chosen, own), members, branches)
    if band_w:
        steps = banded(steps, centre_w, band_w, None if own is None else own.priority)
    return _laid(epoch, steps, members, 0)


def _carried(steps: Steps, members: Ints, branches: Branches | None) -> Steps:
    if branches is None:
        return steps
    return _picked(steps, np.flatnonzero(branches.keeps(members[steps.rig], steps.width_w)))


def _picked(steps: Steps, rows: Ints) -> Steps:
    columns = (steps.rig, steps.from_level, steps.level, steps.width_w, steps.gain)
    return Steps(*(column[rows] for column in columns))  # type: ignore[arg-type]


def banded(steps: Steps, centre_w: int, band_w: int, priority: Ints | None = None) -> Steps:
    """The same steps with frequency steps nearest to the centre.

    The same steps lie below the centre as before, so that at the centre nothing changes.
    A rig's own order is kept: below, its last steps move up; above, its next ones move down.
    Of several priorities (by rig) only the one the centre lies in has a band.
    """
    below = np.cumsum(steps.width_w) <= centre_w
    tunes = steps.from_level > 0
    if priority is not None and len(steps.rig):
        of_step = priority[steps.rig]
        tunes &= of_step == of_step[min(int(below.sum()), len(of_step) - 1)]
    awake = np.unique(steps.rig[below & (steps.from_level == 0)])
    sinks = np.flatnonzero(below & tunes)[::-1]
    sinks = sinks[np.cumsum(steps.width_w[sinks]) <= band_w][::-1]
    rises = np.flatnonzero(~below & tunes & np.isin(steps.rig, awake))
    rises = rises[np.cumsum(steps.width_w[rises]) <= band_w]
    near = np.zeros(len(steps.rig), dtype=bool)
    near[sinks] = near[rises] = True
    order = np.concatenate(
        (np.flatnonzero(below & ~near), sinks, rises, np.flatnonzero(~below & ~near))
    )
    return _picked(steps, order)


def extend(line: Line, points: Points, members: Ints, branches: Branches | None = None) -> Line:
    """The same line with more rigs at its end; nobody else's ladder changes."""
    chosen = Points(points.watts[members], points.ghs[members])
    left = branches and branches.less(line.admitted_by_rig(line.length_w, len(points.watts)))
    steps = _carried(steps_of(chosen), members, left)
    tail = _laid(line.epoch, steps, members, line.length_w)
    columns = ("rig", "from_level", "level", "start_w", "end_w", "wakes")
    joined = [np.concatenate((getattr(line, c), getattr(tail, c))) for c in columns]
    return Line(line.epoch, *joined)


def _laid(epoch: int, steps: Steps, members: Ints, from_w: int) -> Line:
    end_w = from_w + np.cumsum(steps.width_w)
    start_w = end_w - steps.width_w
    return Line(
        epoch,
        members[steps.rig],
        steps.from_level,
        steps.level,
        start_w,
        end_w,
        steps.from_level == 0,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of one group of rigs (a model) on the line, ready to be weighed."""

    rig: Ints
    level: Ints
    start_w: Ints
    end_w: Ints
    wakes: Bools


def parts(line: Line, group: Ints, groups: int) -> list[Part]:
    """The line split by group[rig]."""
    of_step = group[line.rig] if len(line.rig) else line.rig
    split = []
    for number in range(groups):
        mine = np.flatnonzero(of_step == number)
        split.append(
            Part(
                line.rig[mine],
                line.level[mine],
                line.start_w[mine],
                line.end_w[mine],
                line.wakes[mine],
            )
        )
    return split


class Curve:
    """Watts drawn by one part at a position, each rig counted by its weight 0..1.

    cap: the highest level each rig can hold; steps beyond it draw nothing.
    """

    __slots__ = ("_part", "_sum_w", "_weight")

    def __init__(self, part: Part, weight: Floats, cap: Ints | None = None) -> None:
        share = weight[part.rig]
        if cap is not None:
            share = share * (part.level <= cap[part.rig])
        self._part, self._weight = part, share
        self._sum_w = np.concatenate(([0.0], np.cumsum(share * (part.end_w - part.start_w))))

    def at(self, position_w: float) -> float:
        done = int(self._part.end_w.searchsorted(position_w, "right"))
        drawn_w = float(self._sum_w[done])
        if done < len(self._weight) and not self._part.wakes[done]:
            into_w = position_w - float(self._part.start_w[done])
            drawn_w += max(0.0, into_w) * float(self._weight[done])
        return drawn_w
