"""What each rig has been through: starts, turns at sleeping, wakes that failed.

Counts fade, so that a rig mended last week is as good as any.  A wake has failed when the
rig is not running well after it should be; one that was sent back to sleep meanwhile has
not been tried.
"""

import numpy as np

from supervisor.fleet import FAULT, RUNNING, Fleet
from supervisor.merit import Bools, Ints
from supervisor.policy import DAY_S, Wish

GRACE_S = 15.0  # beyond its own time to wake
FADE_S = 3 * DAY_S  # of failures
EVERY_S = 1.0  # shares fade in strides: they need no more


class Wear:
    """Writes the columns tried, failed, starts, on_share and changed_s of the fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._trying: Ints = np.zeros(0, dtype=np.int64)
        self._faded_s: float | None = None

    @property
    def awake(self) -> Bools:
        """Rigs admitted to be awake."""
        return self.fleet.counted & np.isfinite(self.fleet.admitted_s)

    def woke(self, rows: Ints, now_s: float) -> None:
        """These have just been admitted to wake."""
        fleet = self.fleet
        fleet.starts[rows] += 1
        fleet.changed_s[rows] = now_s
        self._trying = np.union1d(self._trying, rows)

    def slept(self, rows: Ints, now_s: float) -> None:
        """These no longer are."""
        self.fleet.changed_s[rows] = now_s

    def elapse(self, now_s: float) -> None:
        """Let counts fade, and judge the wakes whose time has come."""
        if self._faded_s is None or now_s < self._faded_s:
            self._faded_s = now_s
        seconds = now_s - self._faded_s
        if seconds < EVERY_S:
            return
        self._faded_s = now_s
        fleet, day, long = self.fleet, np.exp(-seconds / DAY_S), np.exp(-seconds / FADE_S)
        fleet.starts *= day
        fleet.on_share += (self.awake - fleet.on_share) * (1 - day)
        fleet.tried *= long
        fleet.failed *= long
        if len(self._trying):
            self._judge(now_s)

    def _judge(self, now_s: float) -> None:
        fleet, rows = self.fleet, self._trying
        sent_back = fleet.counted[rows] & np.isinf(fleet.admitted_s[rows])
        rows = rows[~sent_back]
        broke = ~fleet.counted[rows] | (fleet.state[rows] == FAULT)
        due = broke | (fleet.admitted_s[rows] + fleet.wake_s[rows] + GRACE_S < now_s)
        done = rows[due]
        fleet.tried[done] += 1
        heard = fleet.heard_s[done] > fleet.changed_s[done]
        fleet.failed[done] += broke[due] | (heard & (fleet.state[done] != RUNNING))
        self._trying = rows[~due]

    def wish(self, now_s: float) -> Wish:
        """What the policy is to know of every rig."""
        fleet = self.fleet
        return Wish(
            priority=fleet.priority,
            awake=self.awake,
            changed_s=now_s - fleet.changed_s,
            starts=fleet.starts,
            on_share=fleet.on_share,
            tried=fleet.tried,
            failed=fleet.failed,
        )
