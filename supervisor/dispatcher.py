"""One tick of the site: what was measured, what is asked, where the position goes.

    measure -> reconcile what is in flight -> envelope -> ramp -> position -> lease account

Values in, a Decision out; no clock, no sockets.  The same code runs the live site,
the demo and a month's replay.
"""

from dataclasses import dataclass

import numpy as np

from supervisor import line as lines
from supervisor import lookahead
from supervisor.dealer import Dealer
from supervisor.dwell import Dwell
from supervisor.fleet import NEVER, Fleet
from supervisor.flight import EARLY_S, Flight
from supervisor.learn import Learner
from supervisor.leases import Leases
from supervisor.line import Line
from supervisor.lookahead import Profile
from supervisor.merit import Floats
from supervisor.policy import Policy
from supervisor.position import Outlook, highest
from supervisor.ramp import UpRamp, physical_up_w_per_s
from supervisor.tree import Tree
from supervisor.wear import Wear

KEEP = 0.0015  # of capacity: how far below what is asked we aim
BAND = 0.001  # of capacity: closer than this, the position stays where it is
STALE_S = 5.0  # a meter reading older than this is no reading
STALE_W_PER_S = 0.0005  # of what is drawn: margin added for every second without a meter
STALE_MOST = 0.05
METER_SD = 0.001  # of capacity
FIXED_SD = 0.003  # of capacity: what the auxiliary load may be off
SETTLE_S = 4.0  # how long a change of position goes on showing at the meter
SETTLED = 0.02  # of all rigs' watts: less on the way up than this
UNSURE = 0.3  # of what is in flight: how wrong we may be about it


@dataclass(frozen=True, slots=True)
class Means:
    """What the site has and promised.  All power in watts of site import."""

    auxiliary_w: int = 0
    margin: float = 0.0  # of the budget, kept free on top of everything else
    up_w_per_s: float | None = None  # None: as steep as the rigs can
    down_w_per_s: float | None = None  # of falls that are announced; None: just in time
    lease_s: float = 10.0
    held_w: int | None = None  # by rigs without a lease, see slow.py; None: there are none


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided, and everything it rests on."""

    at_s: float
    epoch: int
    limit_w: int
    floor_w: int
    capacity_w: int
    asked_w: int
    budget_w: int  # for all rigs together, above their floor, once those it wakes are awake
    admit_w: int
    expected_w: int  # at the meter, now
    committed_w: int  # at the meter, the worst
    metered_w: int | None
    in_flight: int
    up_w_per_s: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the position must keep, above the floor: see position.py.

    soon_w: of all that are awake, while others are woken for a rise that is known.
    """

    most_w: float
    goal_w: float
    soon_w: float | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """Where the last supervisor left off.  highest_w: of its positions still on lease."""

    now_s: float
    admit_w: int
    highest_w: int
    asked_w: float


class Dispatcher:
    """Keeps the line and the position; decides once a tick."""

    def __init__(
        self,
        fleet: Fleet,
        means: Means,
        epoch: int = 0,
        policy: Policy | None = None,
        tree: Tree | None = None,
    ) -> None:
        policy = policy or Policy()
        self.fleet, self.means = fleet, means
        self.line = lines.empty(epoch)
        self.admit_w = self.free_w = 0
        self.wear, self.learner = Wear(fleet), Learner()
        self.flight = Flight(fleet, self.wear)
        self.dealer = Dealer(fleet, policy, tree, self.wear, self.learner)
        self.leases = Leases(means.lease_s)
        self._dwell = Dwell(policy.min_off_s)
        self._ramp = UpRamp()
        self._fitted = (0, 0.0)
        self._before_s: float | None = None
        self._meter_s = NEVER
        self._stir_w = 0.0

    # ---- ladders

    def take_line(self, line: Line, now_s: float) -> None:
        """Run on this line from now on; old leases stay in the account until they end."""
        if len(self.line.rig) and line.epoch != self.line.epoch:
            self.leases.change(self.line, len(self.fleet), self.admit_w, now_s)
            self._dwell.forget()
        self.line = line

    def resume(self, line: Line, before: Before) -> None:
        """Take over from a supervisor that is gone: its rigs may all be running."""
        self.line, self.admit_w, self._ramp.asked_w = line, before.admit_w, before.asked_w
        self.leases.give(before.now_s, before.highest_w)
        self.fleet.count(np.unique(line.rig), NEVER)
        first = line.wakes & (line.end_w <= before.admit_w)
        self.fleet.admitted_s[line.rig[first]] = NEVER

    def recall(self, learned: dict[str, list[object]]) -> None:
        """What a former supervisor learned of this fleet's models."""
        self._weigh(0.0)
        self.learner.recall(learned)

    @property
    def settled(self) -> bool:
        """Whether hardly anybody is on the way up."""
        return self.flight.climbing_w <= SETTLED * float(self.flight.top_w.sum())

    def admitted_by_rig(self) -> Floats:
        """Watts above its floor that each rig is admitted now, as listed."""
        return self.line.admitted_by_rig(self.admit_w, len(self.fleet)) * self.fleet.counted

    # ---- the tick

    def tick(
        self, now_s: float, limit_w: int, metered_w: int | None, ahead: Profile = ()
    ) -> Decision:
        """One decision.

        metered_w: a reading newer than the last tick, or None.  ahead: the envelope from now
        on, as far as it is known; limit_w for ever when left out.
        """
        ahead = ahead or ((0.0, limit_w),)
        limit_w = lookahead.fallen_w(ahead, self.means.down_w_per_s)
        elapsed_s = 0.0 if self._before_s is None else max(0.0, now_s - self._before_s)
        self._before_s = now_s
        outlook = self._weigh(now_s)
        floor_w, capacity_w = self._means_w()
        self._measure(now_s, elapsed_s, metered_w, floor_w)
        up_w_per_s = self.means.up_w_per_s or physical_up_w_per_s(
            capacity_w, floor_w, self.flight.slowest_s
        )
        asked_w = self._ramp.step(limit_w, floor_w, capacity_w, up_w_per_s, elapsed_s)
        lead_s = self.flight.quickest_s
        ahead_w = lookahead.risen_w(ahead, asked_w, floor_w, capacity_w, up_w_per_s, lead_s)
        early_s = max(0.0, lead_s - EARLY_S)
        awake_w = max(limit_w, lookahead.lowest_w(ahead, early_s, lead_s + lookahead.FALL_S))
        keep_w = KEEP * (capacity_w - floor_w) + self._stale_w(outlook, now_s)
        budget_w = max(0, int((awake_w - floor_w) * (1 - self.means.margin)))
        bounds = Bounds(
            min(budget_w, ahead_w - floor_w) - keep_w,
            asked_w - floor_w - keep_w,
            None if awake_w <= limit_w else asked_w - floor_w - keep_w,
        )
        self._place(outlook, bounds, BAND * (capacity_w - floor_w), now_s)
        ramping = asked_w < min(limit_w, capacity_w)
        self.free_w = self._free_w(outlook, (asked_w if ramping else limit_w) - floor_w, keep_w)
        self.leases.give(now_s, self.admit_w)
        self.flight.mark(self.admit_w, now_s)
        self.wear.elapse(now_s)
        return Decision(
            at_s=now_s,
            epoch=self.line.epoch,
            limit_w=limit_w,
            floor_w=floor_w,
            capacity_w=capacity_w,
            asked_w=int(asked_w),
            budget_w=budget_w,
            admit_w=self.admit_w,
            expected_w=floor_w + int(self.learner.likely_w(outlook.expected(self.admit_w))),
            committed_w=floor_w + self._committed_w(outlook),
            metered_w=metered_w,
            in_flight=len(self.flight.rows),
            up_w_per_s=up_w_per_s,
        )

    def _weigh(self, now_s: float) -> Outlook:
        """The line as it weighs now."""
        if self.flight.weigh(self.line, self.admit_w, now_s):
            self._fit_learner()
        return Outlook(self.flight.now, self.flight.full, self.learner)

    def _fit_learner(self) -> None:
        """Make room for new models, and for another size of site."""
        top_w = float((self.line.end_w - self.line.start_w).sum())
        models, (known, fitted_w) = len(self.fleet.models), self._fitted
        if models != known or not 0.8 * fitted_w <= top_w <= 1.25 * fitted_w:
            self.learner.fit(models, FIXED_SD * top_w, METER_SD * max(1.0, top_w))
            self._fitted = (models, top_w)

    def _means_w(self) -> tuple[int, int]:
        """(floor, capacity) of the site in watts at the meter."""
        floor_w = self.means.auxiliary_w + (self.means.held_w or 0) + self.flight.floor_w
        capped = np.array([curve.at(self.line.length_w) for curve in self.flight.capped])
        return floor_w, floor_w + max(0, int(self.learner.likely_w(capped)))

    # ---- the meter

    def _measure(self, now_s: float, elapsed_s: float, metered_w: int | None, floor_w: int) -> None:
        self.learner.elapse(elapsed_s)
        self._stir_w *= float(np.exp(-elapsed_s / SETTLE_S))
        if metered_w is None or not len(self.learner.factors):
            return
        doubt_w = UNSURE * (self._stir_w + self.flight.climbing_w)
        drawn_w = self.flight.drawn_by_model()
        if self.learner.observe(drawn_w, metered_w - floor_w, doubt_w):
            self._meter_s = now_s

    def _stale_w(self, outlook: Outlook, now_s: float) -> float:
        """Margin for flying blind."""
        blind_s = min(1e6, max(0.0, now_s - self._meter_s - STALE_S))
        share = min(STALE_MOST, blind_s * STALE_W_PER_S)
        return share * max(0.0, outlook.now_w(self.admit_w)) if share else 0.0

    # ---- the position

    def _place(self, outlook: Outlook, bounds: Bounds, band_w: float, now_s: float) -> None:
        """Move the position only when it has to, or is off by more than the band."""
        most_w, goal_w, soon_w = bounds.most_w, bounds.goal_w, bounds.soon_w
        soon = self.flight.soon(now_s) if soon_w is not None else []

        def keeps(position_w: float) -> bool:
            if soon_w is not None and outlook.worst_w(soon, position_w) > soon_w:
                return False
            return self._full_w(outlook, position_w, most_w) <= most_w and self._carried(position_w)

        near_w = outlook.now_w(self.admit_w) - goal_w
        if abs(near_w) <= band_w and keeps(self.admit_w):
            return
        ceiling_w = max(self.admit_w, self._dwell.ceiling_w(self.line, self.fleet.counted, now_s))
        before_w, self.admit_w = (
            self.admit_w,
            highest(
                lambda at_w: outlook.now_w(at_w) <= goal_w and keeps(at_w), ceiling_w, self.admit_w
            ),
        )
        self._dwell.moved(self.line, before_w, self.admit_w, now_s)
        self._stir_w += abs(self.admit_w - before_w)

    def _free_w(self, outlook: Outlook, allowed_w: float, keep_w: float) -> int:
        """Where the position would be if nothing were held: what rigs without a lease go by, so
        that none of them falls because others of them are slow to."""
        held_w = self.means.held_w
        if held_w is None:
            return self.admit_w
        most_w = (allowed_w + held_w) * (1 - self.means.margin) - keep_w

        def fits(position_w: float) -> bool:
            return outlook.full_w(position_w) <= most_w

        return highest(fits, self.line.length_w, self.admit_w)

    def _carried(self, position_w: float) -> bool:
        """Whether every feeder carries this while leases of two epochs mix; the line alone
        never holds more than they carry."""
        if self.leases.old_w is None or self.dealer.branches is None:
            return True
        admitted_w = self.line.admitted_by_rig(position_w, len(self.fleet))
        worst_w = self.leases.worst_w(admitted_w) * self.fleet.counted
        least_w = self.leases.worst_w(np.zeros(len(self.fleet))) * self.fleet.counted
        return self.dealer.carries(worst_w, least_w)

    def _full_w(self, outlook: Outlook, position_w: float, most_w: float) -> float:
        """Worst draw at a position.

        After a change of epoch a rig may still run on its old lease, so it counts with the
        higher of both.  What old leases alone exceed most_w by cannot be undone, only ended.
        """
        new_w = outlook.full_w(position_w)
        if self.leases.old_w is None:
            return new_w
        excess_w = max(0.0, self._leased_w(0) - most_w)
        return max(new_w, self._leased_w(position_w) - excess_w)

    def _leased_w(self, position_w: float) -> float:
        admitted_w = self.line.admitted_by_rig(position_w, len(self.fleet))
        worst_w = self.leases.worst_w(admitted_w) * self.fleet.counted
        by_model = np.bincount(
            self.fleet.group, weights=worst_w, minlength=len(self.learner.factors)
        )
        return self.learner.worst_w(by_model.astype(float))

    def _committed_w(self, outlook: Outlook) -> int:
        """The worst all rigs can draw now, above their floor."""
        highest_w = self.leases.highest_w(self.admit_w)
        return max(0, int(self._full_w(outlook, highest_w, float("inf"))))
