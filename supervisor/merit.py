"""The merit order: every rig's operating points, cut into steps and ranked.

Of a rig's points only those on the upper concave hull of (watts, hash rate) are
worth passing through; between two of them the gain per watt is constant, and it
falls from step to step, so ranking all steps of all rigs by gain per watt never
puts a rig's later step before its earlier one.  Taking steps in that order until
the watts are spent is the exact optimum but for the one step that does not fit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Points:
    """Operating points of all rigs: row = rig, column = level, column 0 asleep.

    Beyond a rig's last level the columns repeat it.
    """

    watts: Ints
    ghs: Ints


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in merit order, one row each.  gain is GH/s per watt."""

    rig: Ints
    from_level: Ints
    level: Ints
    width_w: Ints
    gain: Floats


@dataclass(frozen=True, slots=True)
class Order:
    """What comes before gain (policy), by rig: the lower priority first, then who is less late.

    handicap: what a rig's gain is multiplied by.
    """

    priority: Ints
    late: Ints
    handicap: Floats

    def of(self, rows: Ints) -> "Order":
        return Order(self.priority[rows], self.late[rows], self.handicap[rows])


def steps_of(points: Points, wished: Order | None = None) -> Steps:
    """All steps, best first.  A rig's own stay in their order, whatever is wished."""
    rows, from_level, level = _hulls(points)
    watts, ghs = points.watts, points.ghs
    width_w = watts[rows, level] - watts[rows, from_level]
    gain = (ghs[rows, level] - ghs[rows, from_level]) / width_w
    key = -gain
    if wished is not None:
        gain, first = _wished(gain, from_level == 0, wished.of(rows))
        key = first - gain / gain.max(initial=1e-9)
    order = np.argsort(key, kind="stable")  # equal gains: everybody's earlier step first
    return Steps(rows[order], from_level[order], level[order], width_w[order], gain[order])


def _wished(gain: Floats, wakes: Bools, by_step: Order) -> tuple[Floats, Floats]:
    """(gain as the policy sees it, what comes before gain).

    What moves a rig forward is about its being awake and so about its first step alone;
    what moves it back takes its later steps along, so its own order stays.
    """
    handicap: Floats = np.where(wakes, by_step.handicap, np.minimum(by_step.handicap, 1.0))
    late: Ints = np.where(wakes, by_step.late, np.maximum(by_step.late, 0))
    first = 4 * by_step.priority + late
    return gain * handicap, first.astype(float)


def _hulls(points: Points) -> tuple[Ints, Ints, Ints]:
    """(rig, level left, level reached) of every hull edge, walking all rigs at once: first
    everybody's first edge, then everybody's second.

    From where a rig stands, the next corner is the point with the best gain per
    watt; of equals the furthest, so that no corner lies inside an edge.
    """
    watts, ghs = points.watts.astype(float), points.ghs.astype(float)
    standing = np.arange(len(watts))
    at = np.zeros(len(watts), dtype=np.int64)
    edges = []
    while len(standing):
        rise_w = watts[standing] - watts[standing, at[standing]][:, None]
        rise_ghs = ghs[standing] - ghs[standing, at[standing]][:, None]
        gain = np.where((rise_w > 0) & (rise_ghs > 0), rise_ghs / np.maximum(rise_w, 1e-9), 0.0)
        best = gain.shape[1] - 1 - np.argmax(gain[:, ::-1], axis=1)
        goes = gain[np.arange(len(standing)), best] > 0
        standing, best = standing[goes], best[goes]
        edges.append((standing, at[standing], best))
        at[standing] = best
    if not edges:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    rows, left, reached = (np.concatenate(column) for column in zip(*edges, strict=True))
    return rows, left, _lowest_equal(points.watts, rows, reached)


def _lowest_equal(watts: Ints, rows: Ints, level: Ints) -> Ints:
    """The rig's own level, where repeated columns made a higher one look the same."""
    lowest: Ints = np.argmax(watts[rows] == watts[rows, level][:, None], axis=1)
    return lowest
