"""What leases given out may still hold: the account that keeps the site below its budget.

A rig obeys the last budget it has heard until that lease ends.  So the worst it may draw
is the highest of what every budget still on lease admits it, on the ladder of that
budget's epoch.
"""

from collections import deque

import numpy as np

from supervisor.line import Line
from supervisor.merit import Floats

SLACK_S = 1.0  # a lease runs from when it is heard
OFF_SLACK_S = 2.0  # beyond a lease, before a rig that was cut off is surely off


class Leases:
    """lease_s: how long a budget holds."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._given: deque[tuple[float, int]] = deque()
        self.old_w: Floats | None = None  # by rig, on the ladders of the former epoch
        self._old_until_s = 0.0

    def give(self, now_s: float, admit_w: int) -> None:
        """This position is broadcast now."""
        self._given.append((now_s, admit_w))
        while self._given[0][0] < now_s - self._lease_s:
            self._given.popleft()
        if now_s >= self._old_until_s:
            self.old_w = None

    def change(self, old: Line, rigs: int, admit_w: int, now_s: float) -> None:
        """Another epoch is broadcast from now on; leases on the old line run out."""
        self.old_w = old.admitted_by_rig(self.highest_w(admit_w), rigs)
        self._old_until_s = now_s + self._lease_s + SLACK_S
        self._given.clear()

    def highest_w(self, admit_w: int) -> int:
        """The highest position on lease; admit_w when none is."""
        return max((w for _, w in self._given), default=admit_w)

    def worst_w(self, admitted_w: Floats) -> Floats:
        """By rig: the higher of what it is admitted and what an old lease lets it draw."""
        if self.old_w is None:
            return admitted_w
        return np.maximum(admitted_w, np.pad(self.old_w, (0, len(admitted_w) - len(self.old_w))))
