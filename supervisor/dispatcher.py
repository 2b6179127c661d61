"""One tick of the site: what was measured, what is asked, where the position goes.

    measure -> reconcile what is in flight -> envelope -> ramp -> position -> lease account

Values in, a Decision out; no clock, no sockets.  The same code runs the live site,
the demo and a month's replay.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from supervisor import line as lines
from supervisor.fleet import NEVER, Fleet
from supervisor.learn import Learner
from supervisor.line import Curve, Line
from supervisor.merit import Floats, Ints
from supervisor.position import Outlook, highest
from supervisor.ramp import UpRamp, physical_up_w_per_s

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
UNSURE_S = 1.0  # how much earlier than it says a rig may draw its first watt


@dataclass(frozen=True, slots=True)
class Means:
    """What the site has and promised.  All power in watts of site import."""

    auxiliary_w: int = 0
    margin: float = 0.0  # of the budget, kept free on top of everything else
    up_w_per_s: float | None = None  # None: as steep as the rigs can
    lease_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided, and everything it rests on."""

    at_s: float
    epoch: int
    limit_w: int
    floor_w: int
    capacity_w: int
    asked_w: int
    budget_w: int  # for all rigs together, above their floor
    admit_w: int
    expected_w: int  # at the meter, now
    committed_w: int  # at the meter, the worst
    metered_w: int | None
    in_flight: int
    up_w_per_s: float


@dataclass(frozen=True, slots=True)
class Before:
    """Where the last supervisor left off.  highest_w: of its positions still on lease."""

    now_s: float
    admit_w: int
    highest_w: int
    asked_w: float


class Dispatcher:
    """Keeps the line, the position and what is in flight; decides once a tick."""

    def __init__(self, fleet: Fleet, means: Means, epoch: int = 0) -> None:
        self.fleet, self.means = fleet, means
        self.line = lines.empty(epoch)
        self.admit_w = 0
        self.learner = Learner()
        self._fitted = (0, 0.0)
        self._ramp = UpRamp()
        self._recent: deque[tuple[float, int]] = deque()
        self._old_w: Floats | None = None  # after a change of epoch: old leases by rig
        self._old_until_s = 0.0
        self._before_s: float | None = None
        self._meter_s = -1e9
        self._stir_w = 0.0
        self._climbing_w = 0.0  # admitted to rigs that are between their first watt and their aim
        self._marked_w = -1
        self._floor_w = 0
        self._first_w: Ints = np.zeros(0, dtype=np.int64)
        self._capped: list[Curve] = []
        self._built: tuple[Line, int, int] = (self.line, -1, -1)
        self._flying: Ints = np.zeros(0, dtype=np.int64)
        self._full: list[Curve] = []
        self._now: list[Curve] = []
        self._parts: list[lines.Part] = []
        self._top_w = np.zeros(0)
        self._share = np.zeros(0)

    # ---- ladders

    def take_line(self, line: Line, now_s: float) -> None:
        """Run on this line from now on; old leases stay in the account until they end."""
        if len(self.line.rig) and line.epoch != self.line.epoch:
            self._old_w = self._admitted(self.line, self._recent_w())
            self._old_until_s = now_s + self.means.lease_s + 1.0
            self._recent.clear()
        self.line = line

    def resume(self, line: Line, before: Before) -> None:
        """Take over from a supervisor that is gone: its rigs may all be running."""
        self.line, self.admit_w, self._ramp.asked_w = line, before.admit_w, before.asked_w
        self._recent.append((before.now_s, before.highest_w))
        self.fleet.count(np.unique(line.rig), NEVER)
        first = line.wakes & (line.end_w <= before.admit_w)
        self.fleet.admitted_s[line.rig[first]] = NEVER

    @property
    def settled(self) -> bool:
        """Whether hardly anybody is on the way up."""
        return self._climbing_w <= SETTLED * float(self._top_w.sum())

    def recall(self, learned: dict[str, list[object]]) -> None:
        """What a former supervisor learned of this fleet's models."""
        self._rebuild(0.0)
        self.learner.recall(learned)

    def admitted_by_rig(self) -> Floats:
        """Watts above its floor that each rig is admitted now, as listed."""
        return self._admitted(self.line, self.admit_w) * self.fleet.counted

    def _admitted(self, line: Line, position_w: float) -> Floats:
        """Watts admitted by rig at a position, as listed."""
        done = line.end_w <= position_w
        into = np.clip(position_w - line.start_w, 0, None) * ~line.wakes
        taken = np.where(done, line.end_w - line.start_w, into)
        by_rig = np.bincount(line.rig, weights=taken, minlength=len(self.fleet))
        return by_rig.astype(float)

    # ---- the tick

    def tick(self, now_s: float, limit_w: int, metered_w: int | None) -> Decision:
        """One decision.  metered_w: a reading newer than the last tick, or None."""
        elapsed_s = 0.0 if self._before_s is None else max(0.0, now_s - self._before_s)
        self._before_s = now_s
        self._rebuild(now_s)
        outlook = Outlook(self._now, self._full, self.learner)
        floor_w, capacity_w = self._means_w(outlook)
        self._measure(outlook, now_s, elapsed_s, metered_w, floor_w)
        up_w_per_s = self.means.up_w_per_s or self._physical_up(capacity_w, floor_w)
        asked = self._ramp.step(
            limit_w,
            floor_w,
            capacity_w,
            up_w_per_s=up_w_per_s,
            elapsed_s=elapsed_s,
            lead_s=float(self.fleet.wake_s.min()) if len(self.fleet) else 0.0,
        )
        keep_w = KEEP * (capacity_w - floor_w) + self._stale_w(outlook, now_s)
        budget_w = max(0, int((limit_w - floor_w) * (1 - self.means.margin)))
        self._place(
            outlook,
            budget_w - keep_w,
            asked.ahead_w - floor_w - keep_w,
            asked.now_w - floor_w - keep_w,
            BAND * (capacity_w - floor_w),
        )
        self._account(now_s)
        return Decision(
            at_s=now_s,
            epoch=self.line.epoch,
            limit_w=limit_w,
            floor_w=floor_w,
            capacity_w=capacity_w,
            asked_w=int(asked.now_w),
            budget_w=budget_w,
            admit_w=self.admit_w,
            expected_w=floor_w + self._likely_w(outlook),
            committed_w=floor_w + self._committed_w(),
            metered_w=metered_w,
            in_flight=len(self._flying),
            up_w_per_s=up_w_per_s,
        )

    def _means_w(self, outlook: Outlook) -> tuple[int, int]:
        """(floor, capacity) of the site in watts at the meter."""
        floor_w = self.means.auxiliary_w + self._floor_w
        capped = np.array([c.at(self.line.length_w) for c in self._capped])
        return floor_w, floor_w + max(0, int(self.learner.likely_w(capped)))

    def _physical_up(self, capacity_w: int, floor_w: int) -> float:
        slowest_s = self.fleet.wake_s + self._top_w / self.fleet.up_w_per_s
        return physical_up_w_per_s(capacity_w, floor_w, float(slowest_s.max(initial=1.0)))

    def _likely_w(self, outlook: Outlook) -> int:
        return int(self.learner.likely_w(outlook.expected(self.admit_w)))

    # ---- what is in flight

    def _rebuild(self, now_s: float) -> None:
        """Weigh the line anew if who counts changed, or somebody is on the way up."""
        key = (self.line, len(self.fleet), self.fleet.version)
        if key != self._built:
            if key[:2] != self._built[:2]:
                self._lay_out()
            self._built = key
            self._floor_w = int(self.fleet.floor_w.sum())
            counted = self.fleet.counted.astype(float)
            self._full = [Curve(p, counted) for p in self._parts]
            self._capped = [Curve(p, counted, self.fleet.cap_level) for p in self._parts]
            self._mark(now_s)
        elif not len(self._flying):
            return
        self._climb(now_s)

    def _lay_out(self) -> None:
        """What follows from the line alone."""
        fleet, line = self.fleet, self.line
        self._parts = lines.parts(line, fleet.group, len(fleet.models))
        rows = np.arange(len(fleet))
        top_w = fleet.points.watts[rows, fleet.top_level] - fleet.floor_w
        self._top_w = top_w.astype(float)
        self._first_w = np.full(len(fleet), np.iinfo(np.int64).max)
        self._first_w[line.rig[line.wakes]] = line.end_w[line.wakes]
        self._grow_learner()

    def _grow_learner(self) -> None:
        top_w = float(sum(p.end_w.sum() - p.start_w.sum() for p in self._parts))
        models, (known, fitted_w) = len(self.fleet.models), self._fitted
        if models != known or not 0.8 * fitted_w <= top_w <= 1.25 * fitted_w:
            self.learner.fit(models, FIXED_SD * top_w, METER_SD * max(1.0, top_w))
            self._fitted = (models, top_w)

    def _mark(self, now_s: float) -> None:
        """Note who has just been admitted to wake, and who no longer is."""
        fleet = self.fleet
        self._marked_w = self.admit_w
        admitted = fleet.counted & (self._first_w <= self.admit_w)
        woken = admitted & np.isinf(fleet.admitted_s)
        fleet.admitted_s[woken] = now_s
        fleet.admitted_s[~admitted] = np.inf
        self._flying = np.union1d(self._flying, np.flatnonzero(woken))

    def _climb(self, now_s: float) -> None:
        """How far each waking rig has come, 0..1 of what it is admitted."""
        fleet, self._climbing_w = self.fleet, 0.0
        share = fleet.counted.astype(float)
        rows = self._flying[np.isfinite(fleet.admitted_s[self._flying])]
        if len(rows):
            admitted_w = self._admitted(self.line, self.admit_w)[rows]
            up_s = now_s - fleet.admitted_s[rows] - fleet.wake_s[rows]
            climbed = np.clip(up_s * fleet.up_w_per_s[rows] / np.maximum(admitted_w, 1.0), 0, 1)
            share[rows] = share[rows] * climbed
            on_the_way = (climbed < 1) & (up_s > -UNSURE_S)
            self._climbing_w = float(admitted_w[on_the_way].sum())
            rows = rows[climbed < 1]
        self._flying = rows
        self._share = share
        self._now = [Curve(p, share, fleet.cap_level) for p in self._parts]

    # ---- the meter

    def _measure(
        self, outlook: Outlook, now_s: float, elapsed_s: float, metered_w: int | None, floor_w: int
    ) -> None:
        self.learner.elapse(elapsed_s)
        self._stir_w *= float(np.exp(-elapsed_s / SETTLE_S))
        if metered_w is None or not len(self.learner.factors):
            return
        doubt_w = UNSURE * (self._stir_w + self._climbing_w)
        if self.learner.observe(outlook.expected(self.admit_w), metered_w - floor_w, doubt_w):
            self._meter_s = now_s

    def _stale_w(self, outlook: Outlook, now_s: float) -> float:
        """Margin for flying blind."""
        blind_s = min(1e6, max(0.0, now_s - self._meter_s - STALE_S))
        share = min(STALE_MOST, blind_s * STALE_W_PER_S)
        return share * max(0.0, outlook.now_w(self.admit_w)) if share else 0.0

    # ---- the position

    def _place(
        self, outlook: Outlook, budget_w: float, ahead_w: float, goal_w: float, band_w: float
    ) -> None:
        most_w = min(budget_w, ahead_w)
        near_w = outlook.now_w(self.admit_w) - goal_w
        if abs(near_w) <= band_w and self._full_w(outlook, self.admit_w, most_w) <= most_w:
            return

        def fits(position_w: float) -> bool:
            return (
                outlook.now_w(position_w) <= goal_w
                and self._full_w(outlook, position_w, most_w) <= most_w
            )

        before_w, self.admit_w = self.admit_w, highest(fits, self.line.length_w, self.admit_w)
        self._stir_w += abs(self.admit_w - before_w)

    def _full_w(self, outlook: Outlook, position_w: float, most_w: float = 0.0) -> float:
        """Worst draw at a position.

        After a change of epoch a rig may still run on its old lease, so it counts with the
        higher of both.  What old leases alone exceed most_w by cannot be undone, only ended.
        """
        new_w = outlook.full_w(position_w)
        if self._old_w is None:
            return new_w
        excess_w = max(0.0, self._merged_w(0) - most_w)
        return max(new_w, self._merged_w(position_w) - excess_w)

    def _merged_w(self, position_w: float) -> float:
        assert self._old_w is not None
        new_w = self._admitted(self.line, position_w)
        old_w = np.pad(self._old_w, (0, len(new_w) - len(self._old_w)))
        worst_w = np.maximum(new_w, old_w) * self.fleet.counted
        by_model = np.bincount(self.fleet.group, weights=worst_w, minlength=len(self._parts))
        return self.learner.worst_w(by_model.astype(float))

    # ---- leases

    def _account(self, now_s: float) -> None:
        self._recent.append((now_s, self.admit_w))
        while self._recent[0][0] < now_s - self.means.lease_s:
            self._recent.popleft()
        if now_s >= self._old_until_s:
            self._old_w = None
        if self.admit_w != self._marked_w:
            self._mark(now_s)

    def _recent_w(self) -> int:
        """The highest position any lease still running can hold."""
        return max((w for _, w in self._recent), default=self.admit_w)

    def _committed_w(self) -> int:
        outlook = Outlook(self._now, self._full, self.learner)
        return max(0, int(self._full_w(outlook, self._recent_w(), float("inf"))))
