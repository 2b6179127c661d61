"""A day of a whole site on a simulated clock, and everything that goes wrong in it.

5 % of the rigs misbehave all day: some fail to wake, some draw more than they say, some
draw less, some break down, some cannot be reached for a minute now and then
the site meter says nothing for ten minutes, twice
the broker is started again: nobody hears anything for seconds, an eighth for a lease
the supervisor is killed, and followed by one that knows what the ledger knew
the grid calls an emergency three times, without a word before
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.bridge import Bridge
from hil.fleet import FAILS_TO_WAKE, RUNNING
from hil.playback import Playback, known
from supervisor import memory
from supervisor.dispatcher import Before, Decision, Dispatcher
from supervisor.lookahead import Profile
from supervisor.merit import Floats, Ints
from supervisor.sources.signal_csv import Series

BAD = 0.05  # of the rigs
ROW_S = 300.0
EMERGENCIES = ((0.21, 0.0), (0.52, 0.3), (0.83, 0.0))  # when in the day, what is left
EMERGENCY_S, STALE_S = 600.0, 600.0
STALE = (0.31, 0.66)
BROKER, BROKER_S, BACK_S = 0.41, 3.0, 8.0  # when, how long it is away, the latest comes back after
KILL, KILL_S = 0.61, 6.0
NOTICED_S = 3.0  # until the broker says that a connection is gone
AWAY_S, AWAY_EVERY_S, BREAKS_EVERY_S = 60.0, 3600.0, 1800.0


class Reach(Bridge):
    """A bridge over which some rigs cannot be reached for a while, and run out their lease."""

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        rigs = len(self.rigs.names)
        self.away_s: Floats = np.full(rigs, np.inf)  # since when each cannot be reached
        self.back_s: Floats = np.full(rigs, np.inf)  # when it can be again
        self.lapsed = np.zeros(rigs, dtype=bool)
        self._epoch_then: Ints = np.zeros(rigs, dtype=np.int64)

    def cut(self, rows: Ints, now_s: float, back_s: Floats) -> None:
        """These hear nothing from now until then."""
        rows, back_s = rows[np.isinf(self.away_s[rows])], back_s[np.isinf(self.away_s[rows])]
        self.away_s[rows], self.back_s[rows] = now_s, back_s
        self._epoch_then[rows] = self.dispatcher.line.epoch

    def _hearing(self, rows: Ints) -> Ints:
        return rows[np.isinf(self.away_s[rows])]

    def tick(
        self, now_s: float, limit_w: int, metered_w: int | None, ahead: Profile = ()
    ) -> Decision:
        self.elapse(now_s)
        fleet, lease_s = self.dispatcher.fleet, self.dispatcher.means.lease_s
        off = fleet.surely_off(now_s, lease_s + 2.0)
        if len(off):
            fleet.uncount(off)
        return super().tick(now_s, limit_w, metered_w, ahead)

    def elapse(self, now_s: float) -> None:
        """Leases end, with or without a supervisor; connections come back."""
        fleet, lease_s = self.dispatcher.fleet, self.dispatcher.means.lease_s
        gone = np.isfinite(self.away_s)
        if not gone.any():
            return
        ends = np.flatnonzero(gone & ~self.lapsed & (self.away_s + lease_s <= now_s))
        self.lapsed[ends] = True
        self.rigs.drop(ends)
        seen = np.flatnonzero(gone & (self.away_s + NOTICED_S <= now_s))
        fleet.down_s[seen] = np.minimum(fleet.down_s[seen], now_s)
        back = np.flatnonzero(gone & (self.back_s <= now_s))
        self._come_back(back, now_s)

    def _come_back(self, rows: Ints, now_s: float) -> None:
        """Who still holds its lease goes on; who does not joins again."""
        fleet = self.dispatcher.fleet
        fleet.down_s[rows], fleet.heard_s[rows] = np.inf, now_s
        anew = rows[self.lapsed[rows] | (self._epoch_then[rows] != self.dispatcher.line.epoch)]
        goes_on = np.setdiff1d(rows, anew)
        self.away_s[rows] = self.back_s[rows] = np.inf
        self.lapsed[rows] = False
        self.rigs.drop(anew)
        fleet.admitted_s[anew] = np.inf
        self.rigs.admit(self.dispatcher.admit_w, goes_on)
        for row in anew.tolist():
            wait_s = 0.0 if fleet.counted[row] else self.dispatcher.means.lease_s
            self._waiting[row] = now_s + wait_s
        fleet.count(anew, now_s)


@dataclass(frozen=True, slots=True)
class Bad:
    """The rigs that misbehave, by how."""

    away: Ints
    breaks: Ints


class Day:
    """step() once a second; report() at the end."""

    def __init__(self, rigs: int, hours: float, seed: int = 1) -> None:
        self.length_s = hours * 3600.0
        self._random = np.random.default_rng(seed)
        self.site = Playback(rigs, seed)
        self.bridge = Reach(self.site.fleet, self.site.dispatcher, True)
        self.site.bridge = self.bridge
        self.bridge.deal(0.0)
        self.series = self._signal()
        self.bad = self._misbehave(rigs)
        self._killed_s: float | None = None
        self._recent: list[Decision] = []
        self.seen: dict[str, int] = {}

    def _signal(self) -> Series:
        """What is spare: up by noon and down again, with clouds; every five minutes."""
        rows = max(2, int(self.length_s / ROW_S))
        sun = np.sin(np.linspace(0.15, np.pi - 0.15, rows)) ** 0.7
        clouds = 0.25 * self._random.random(rows) * (self._random.random(rows) < 0.6)
        able_w = self.site.able_w
        watts = tuple(int(w) for w in np.clip(sun - clouds, 0.1, 1.0) * able_w)
        return Series(tuple(ROW_S * row for row in range(rows)), watts, ROW_S)

    def _misbehave(self, rigs: int) -> Bad:
        rows = self._random.permutation(rigs)[: max(5, int(BAD * rigs))]
        lazy, more, less, away, breaks = np.array_split(rows, 5)
        fleet = self.site.fleet
        fails: Floats = np.full(rigs, FAILS_TO_WAKE)
        fails[lazy] = 0.5
        fleet.fails_to_wake = fails
        fleet.factor[more] *= 1.15
        fleet.factor[less] *= 0.7
        return Bad(away, breaks)

    # ---- one second

    def step(self, now_s: float) -> None:
        """Something may happen; then the site decides, moves and is metered."""
        self._happen(now_s)
        limit_w, ahead = known(self.series, now_s)
        for part, left in EMERGENCIES:
            if 0 <= now_s - part * self.length_s < self._of(EMERGENCY_S):
                limit_w = min(limit_w, int(left * self.site.able_w))
                ahead = ((0.0, limit_w),)
        if self._killed_s is not None and now_s - self._killed_s < KILL_S:
            self.bridge.elapse(now_s)
            self.site.drift(now_s, 1.0, limit_w)
            return
        if self._killed_s is not None:
            self._follow(now_s)
        self.site.step(now_s, 1.0, limit_w, ahead)
        assert self.site.decision is not None
        self._recent = [*self._recent[-20:], self.site.decision]

    def _of(self, seconds: float) -> float:
        """Faults are shorter in a short day."""
        return min(seconds, 0.02 * self.length_s)

    def _happen(self, now_s: float) -> None:
        fleet, random = self.site.fleet, self._random
        away = self.bad.away[random.random(len(self.bad.away)) < 1 / AWAY_EVERY_S]
        if len(away):
            self.bridge.cut(away, now_s, np.full(len(away), now_s + AWAY_S))
        breaks = self.bad.breaks[random.random(len(self.bad.breaks)) < 1 / BREAKS_EVERY_S]
        breaks = breaks[fleet.state[breaks] == RUNNING]
        if len(breaks):
            fleet.fail(breaks)
        if any(0 <= now_s - part * self.length_s < self._of(STALE_S) for part in STALE):
            self.site.lose_reading()
            self._count("meter_stale_s")
        if 0 <= now_s - BROKER * self.length_s < 1:
            everybody = np.arange(len(fleet.names))
            pause_s = BROKER_S + BACK_S * random.random(len(everybody))
            self.bridge.cut(everybody, now_s, now_s + pause_s)
            self._count("broker_restarts")
        if 0 <= now_s - KILL * self.length_s < 1:
            self._killed_s = now_s
            self._count("supervisors_killed")

    def _count(self, name: str) -> None:
        self.seen[name] = self.seen.get(name, 0) + 1

    def _follow(self, now_s: float) -> None:
        """Another supervisor, from what the ledger has."""
        old, self._killed_s = self.site.dispatcher, None
        blob = memory.pack(old.fleet, old.line)
        fleet, line = memory.unpack(old.line.epoch, blob)
        heir = Dispatcher(fleet, old.means, old.line.epoch)
        highest_w = max(made.admit_w for made in self._recent)
        asked_w = float(self._recent[-1].asked_w)
        heir.resume(line, Before(now_s, self._recent[-1].admit_w, highest_w, asked_w))
        heir.recall(old.learner.keep())
        fleet.uncount(
            np.flatnonzero(~old.fleet.counted)
        )  # as they say themselves when they are heard
        self.site.dispatcher = self.bridge.dispatcher = heir

    def play(self) -> dict[str, Any]:
        """The whole day; the keys of a replay, and what befell the site."""
        for second in range(int(self.length_s)):
            self.step(float(second))
        return self.site.report(self.length_s) | self.seen | {"emergencies": len(EMERGENCIES)}
