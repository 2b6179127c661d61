"""Who is on the way up, and how far: what rigs will draw now, against what they may draw.

    admitted --wake_s--> first watt --up_w_per_s--> all it is admitted
    admitted more, or less, while awake --up_w_per_s, or DOWN_W_PER_S--> all it is admitted

Rigs are believed to keep the times of their hello; one that does not says so, or the
meter does.  One that says it sleeps, though it has been admitted, has not begun: what it
was sent was lost on the way.  Weighs the line three ways: as things are now, at every
rig's cap, and in full.
"""

import numpy as np

from supervisor import line as lines
from supervisor.fleet import ASLEEP, Fleet
from supervisor.line import Curve, Line, Part
from supervisor.merit import Floats, Ints
from supervisor.wear import Wear

DOWN_W_PER_S = 1400.0  # of a rig that goes to a lower frequency; sleep is at once
AT_ONCE_S = 2.0  # who wakes faster may draw before the next beat
EARLY_S = 1.0  # how much earlier than it says a rig may draw its first watt
HEARD_S = 3.0  # so long after it was admitted, a rig's word that it sleeps is about now


class Flight:
    """Call weigh() before the curves are used, mark() when the position has moved."""

    def __init__(self, fleet: Fleet, wear: Wear) -> None:
        self.fleet, self.wear = fleet, wear
        self.parts: list[Part] = []
        self.now: list[Curve] = []  # wakers only as far as they have come
        self.capped: list[Curve] = []  # everybody counted, at most at their cap
        self.full: list[Curve] = []  # everybody counted doing all that is admitted
        self.rows: Ints = np.zeros(0, dtype=np.int64)  # rigs on the way
        self.climbing_w = 0.0  # admitted to rigs that are between their first watt and their aim
        self.drawn_w: Floats = np.zeros(0)  # by rig, above its floor: what it draws now, as listed
        self.floor_w = 0
        self.top_w: Floats = np.zeros(0)  # of each rig, above its floor
        self._first_w: Ints = np.zeros(0, dtype=np.int64)
        self._idle: Ints = np.zeros(0, dtype=np.int64)  # admitted, and they say they sleep
        self._built: tuple[Line, int, int] | None = None
        self._marked_w = -1
        self._turned = False  # somebody has been woken or sent to sleep
        self._aim_w: Floats = np.zeros(0)
        self._moving: Ints = np.zeros(0, dtype=np.int64)  # rigs that draw what they do not aim at
        self._moved_s = 0.0

    @property
    def slowest_s(self) -> float:
        """From admitted to top level, of the slowest rig."""
        return float((self.fleet.wake_s + self.top_w / self.fleet.up_w_per_s).max(initial=1.0))

    @property
    def quickest_s(self) -> float:
        """From admitted to the first watt, of the quickest rig."""
        return float(self.fleet.wake_s.min()) if len(self.fleet) else 0.0

    def weigh(self, line: Line, admit_w: int, now_s: float) -> bool:
        """Make the curves anew where anything changed.  True when the line was laid out anew."""
        fleet = self.fleet
        self._hold_idle(now_s)
        self._move(now_s)
        key = (line, len(fleet), fleet.version)
        laid_out = self._built is None or key[:2] != self._built[:2]
        if key != self._built:
            if laid_out:
                self._lay_out(line)
            self._built = key
            self.floor_w = int(fleet.floor_w.sum())
            counted = fleet.counted.astype(float)
            held = fleet.held_level if (fleet.held_level < fleet.top_level).any() else None
            self.full = [Curve(part, counted, held) for part in self.parts]
            if (fleet.cap_level < fleet.top_level).any():
                self.capped = [Curve(part, counted, fleet.cap_level) for part in self.parts]
            else:
                self.capped = self.full
            self._marked_w = -1
            self.mark(admit_w, now_s)
        elif not len(self.rows) and not self._turned:
            return False
        self._climb(line, admit_w, now_s)
        return laid_out

    def _lay_out(self, line: Line) -> None:
        """What follows from the line alone."""
        fleet, rows = self.fleet, np.arange(len(self.fleet))
        self.parts = lines.parts(line, fleet.group, len(fleet.models))
        top_w = fleet.points.watts[rows, fleet.top_level] - fleet.floor_w
        self.top_w = top_w.astype(float)
        self._first_w = np.full(len(fleet), np.iinfo(np.int64).max)
        self._first_w[line.rig[line.wakes]] = line.end_w[line.wakes]

    def mark(self, admit_w: int, now_s: float) -> None:
        """Note who has just been admitted to wake, and who no longer is."""
        if admit_w == self._marked_w:
            return
        fleet, self._marked_w = self.fleet, admit_w
        admitted = fleet.counted & (self._first_w <= admit_w)
        asleep = np.isinf(fleet.admitted_s)
        woken, slept = np.flatnonzero(admitted & asleep), np.flatnonzero(~admitted & ~asleep)
        fleet.admitted_s[woken], fleet.admitted_s[slept] = now_s, np.inf
        self._turned |= bool(len(woken) or len(slept))
        self.wear.woke(woken, now_s)
        self.wear.slept(slept, now_s)
        self.rows = np.union1d(self.rows, woken)
        self._aim(admit_w, now_s)

    def _aim(self, admit_w: int, now_s: float) -> None:
        """What every rig is on its way to from now on."""
        assert self._built is not None
        fleet, known = self.fleet, len(self.drawn_w)
        admitted_w = self._built[0].admitted_by_rig(admit_w, len(fleet)) * fleet.counted
        cap_w = fleet.points.watts[np.arange(len(fleet)), fleet.cap_level] - fleet.floor_w
        self._aim_w = np.minimum(admitted_w, cap_w)
        up_s = now_s - fleet.admitted_s - fleet.wake_s
        there = self._aim_w * (up_s * fleet.up_w_per_s >= self._aim_w)  # all along, as far as known
        self.drawn_w = np.append(self.drawn_w, there[known:])
        self._moving = np.flatnonzero(self.drawn_w != self._aim_w)

    def soon(self, now_s: float) -> list[Curve]:
        """Everybody who may draw before long doing all that is admitted; who sleeps, or is far
        from its first watt, nothing yet."""
        fleet = self.fleet
        up_s = now_s - fleet.admitted_s - fleet.wake_s
        awake = (up_s > -EARLY_S) | (fleet.wake_s <= AT_ONCE_S)
        share = (fleet.counted & awake).astype(float)
        return [Curve(part, share) for part in self.parts]

    def _move(self, now_s: float) -> None:
        """Everybody on as far as they come by now."""
        fleet, rows = self.fleet, self._moving
        seconds, self._moved_s = max(0.0, now_s - self._moved_s), now_s
        if not len(rows):
            return
        aim_w, was_w = self._aim_w[rows], self.drawn_w[rows]
        awake_s = np.clip(now_s - fleet.admitted_s[rows] - fleet.wake_s[rows], 0.0, seconds)
        highest_w = was_w + fleet.up_w_per_s[rows] * awake_s
        lowest_w = np.where(aim_w > 0, was_w - DOWN_W_PER_S * seconds, 0.0)
        self.drawn_w[rows] = np.clip(aim_w, lowest_w, highest_w)
        self._moving = rows[self.drawn_w[rows] != aim_w]

    def drawn_by_model(self) -> Floats:
        """Listed watts drawn now above the floor, by model."""
        models = len(self.fleet.models)
        by_model = np.bincount(self.fleet.group, weights=self.drawn_w, minlength=models)
        return by_model.astype(float)

    def _hold_idle(self, now_s: float) -> None:
        """The time of those that have not begun runs from now, until they say otherwise."""
        fleet = self.fleet
        asleep = fleet.counted & np.isfinite(fleet.admitted_s) & (fleet.state <= ASLEEP)
        late = np.flatnonzero(asleep & (fleet.heard_s > fleet.admitted_s + HEARD_S))
        if len(late) or len(self._idle):
            self._idle = np.union1d(self._idle[asleep[self._idle]], late)
            fleet.admitted_s[self._idle] = now_s
            self.rows = np.union1d(self.rows, self._idle)

    def _climb(self, line: Line, admit_w: int, now_s: float) -> None:
        """How far each waking rig has come, 0..1 of what it is admitted; who sleeps, and takes
        its time to wake, would draw nothing at first."""
        fleet, self.climbing_w, self._turned = self.fleet, 0.0, False
        rows = self.rows = self.rows[np.isfinite(fleet.admitted_s[self.rows])]
        asleep = fleet.counted & np.isinf(fleet.admitted_s) & (fleet.wake_s > AT_ONCE_S)
        if not len(rows) and not asleep.any():
            self.now = self.capped
            return
        share = (fleet.counted & ~asleep).astype(float)
        admitted_w = line.admitted_by_rig(admit_w, len(fleet))[rows]
        up_s = now_s - fleet.admitted_s[rows] - fleet.wake_s[rows]
        climbed = np.clip(up_s * fleet.up_w_per_s[rows] / np.maximum(admitted_w, 1.0), 0, 1)
        share[rows] = share[rows] * climbed
        on_the_way = (climbed < 1) & (up_s > -EARLY_S)
        self.climbing_w = float(admitted_w[on_the_way].sum())
        self.rows = rows[climbed < 1]
        self.now = [Curve(part, share, fleet.cap_level) for part in self.parts]
