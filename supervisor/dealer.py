"""Lays out lines: merit order, as the policy wishes and the feeders carry it."""

import numpy as np

from supervisor import line as lines
from supervisor import policy as policies
from supervisor.fleet import Fleet
from supervisor.learn import FACTOR_SD, SURE, Learner
from supervisor.line import Line
from supervisor.merit import Bools, Floats, Ints, Points
from supervisor.policy import Policy
from supervisor.tree import NOWHERE, Branches, Tree, branches
from supervisor.wear import Wear

OTHERWISE = 0.03  # of a rig's power: what is known of it has changed so much: deal again


class Dealer:
    """tree: what feeders carry; None where nothing but the site has a limit."""

    def __init__(
        self, fleet: Fleet, policy: Policy, tree: Tree | None, wear: Wear, learner: Learner
    ) -> None:
        self.fleet, self.policy, self.tree = fleet, policy, tree
        self.branches: Branches | None = None  # as they were at the last dealing
        self._wear, self._learner = wear, learner

    def deal(
        self, rows: Ints, epoch: int, now_s: float, centre_w: int = 0, band_w: int = 0
    ) -> Line:
        """Ladders for these rigs; those in maintenance get none."""
        self.branches = self._branches()
        rows = rows[~self.out(now_s)[rows]]
        wished = policies.order(self.policy, self._wear.wish(now_s))
        return lines.deal(
            self._points(), rows, epoch, wished, self.branches, centre_w=centre_w, band_w=band_w
        )

    def extend(self, line: Line, rows: Ints) -> Line:
        """Newcomers at the end, as far as the feeders carry them."""
        if self.branches is not None:
            self.branches = self._branches()
        return lines.extend(line, self.fleet.points, rows, self.branches)

    def _points(self) -> Points:
        """No more columns than the rigs have levels."""
        levels = int(self.fleet.top_level.max(initial=0)) + 1
        return Points(self.fleet.points.watts[:, :levels], self.fleet.points.ghs[:, :levels])

    def out(self, now_s: float) -> Bools:
        """Rigs in maintenance."""
        return self.fleet.out_until_s > now_s

    @property
    def outdated(self) -> bool:
        """Whether feeders were filled by what is no longer believed of the rigs' power."""
        if self.branches is None:
            return False
        was = self.branches.weight
        return bool((np.abs(self._weight()[: len(was)] / was - 1) > OTHERWISE).any())

    def carries(self, new_w: Floats, least_w: Floats) -> bool:
        """Whether every feeder carries this, by rig.  What it could not undo is not held
        against it: least_w, what old leases alone may draw."""
        if self.branches is None:
            return True
        most_w = np.maximum(self.branches.room_w, self.branches.below(least_w))
        return bool((self.branches.below(new_w) <= most_w + 0.5).all())

    def _weight(self) -> Floats:
        """Real watts per listed one of each rig, at worst."""
        if not len(self._learner.factors):
            return np.full(len(self.fleet), 1 + SURE * FACTOR_SD)
        weight: Floats = self._learner.worst_factors[self.fleet.group]
        return weight

    def _branches(self) -> Branches | None:
        fleet = self.fleet
        if self.tree is None or not (fleet.node != NOWHERE).any():
            return None
        return branches(self.tree, fleet.node, fleet.floor_w, self._weight())
