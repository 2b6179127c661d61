"""Rigs with somebody else's firmware: what each is told, and what it must be counted with.

Such a rig hears no broadcast and holds no lease: it does what it was last told, for ever,
and nothing ends it.  So its ladder is held here, an order goes out when the position has
crossed one of its steps, and it is counted by what is measured, never by what it answered:

    told down   counted at the level before until it is measured at the one it was told
    told up     counted at the level told from the first moment; one that wakes may come back
                as it was made, so at its top until it is measured where it was told
    not heard   counted at its top for as long as it is not heard: a lost rig costs its watts

Pure: one Miner is one rig; looks and the time go in, orders come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SLACK, SLACK_W = 1.08, 60  # what is measured may be above its level by so much
NEAR = 0.85  # of a level: measured that much, it has arrived


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds.  A fall must last fall_s and a rise rise_s before anything is ordered; a rise
    comes dwell_s after the last change; an order not obeyed is repeated every repeat_s, and
    said to be disobeyed after obey_s; not heard for silent_s is lost."""

    fall_s: float = 2.0
    rise_s: float = 30.0
    dwell_s: float = 300.0
    repeat_s: float = 30.0
    obey_s: float = 180.0
    silent_s: float = 30.0


class Miner:
    """levels_w: watts of the whole rig by level, from 0, asleep."""

    def __init__(self, levels_w: Sequence[int], rules: Rules, now_s: float) -> None:
        self.levels_w, self.rules = tuple(levels_w), rules
        self.told: int | None = None  # None until it was first heard
        self.power_w = self.levels_w[0]
        self.heard_s = -float("inf")
        self._worst_w = self.levels_w[-1]  # until it has arrived where it was told
        self._arrived = False
        self._ordered_s = -float("inf")
        self._changed_s = now_s  # of what was before we came we know nothing: a dwell begins
        self._aim, self._aim_s = -1, now_s
        self._rose_to, self._rose_s = 0, -float("inf")  # the last order to draw more

    @property
    def top(self) -> int:
        return len(self.levels_w) - 1

    def lost(self, now_s: float) -> bool:
        return now_s - self.heard_s > self.rules.silent_s

    def disobeys(self, now_s: float) -> bool:
        """Told long ago, and still not where it was told."""
        return not self._arrived and now_s - self._changed_s > self.rules.obey_s

    @property
    def arrived(self) -> bool:
        return self._arrived

    def hear(self, now_s: float, power_w: int) -> None:
        """What it draws, as measured now."""
        self.heard_s, self.power_w = now_s, power_w
        if self.told is None:  # it is taken as it is found
            self.told = self.level_of(power_w)
        self._arrived = self._is_there(power_w) and not self._may_rise(now_s)
        if self._arrived:
            self._worst_w = self.levels_w[self.told]
            if self.told == self._rose_to and now_s - self._rose_s >= self.rules.rise_s:
                self._rose_to = 0  # obeyed: nothing of it is on its way any more
        elif power_w > self._most_w(self.told):  # also one that somebody else has woken
            self._worst_w = max(self._worst_w, self.levels_w[self.level_of(power_w)])

    def _may_rise(self, now_s: float) -> bool:
        """Told less since, but an order to draw more may still be obeyed, late."""
        assert self.told is not None
        return self.told < self._rose_to and now_s - self._rose_s < self.rules.obey_s

    def level_of(self, power_w: int) -> int:
        """The lowest level whose power this can be."""
        for level in range(self.top):
            if power_w <= self._most_w(level):
                return level
        return self.top

    def _most_w(self, level: int) -> float:
        return self.levels_w[level] * SLACK + SLACK_W

    def _is_there(self, power_w: int) -> bool:
        assert self.told is not None
        least_w = NEAR * self.levels_w[self.told] if self.told else 0
        return least_w <= power_w <= self._most_w(self.told)

    def could_w(self, now_s: float) -> int:
        """The most it may draw now, by all that is known."""
        if self.told is None or self.lost(now_s):
            return max(self.levels_w[-1], self.power_w)
        return max(self._worst_w, self.levels_w[self.told], self.power_w)

    def step(self, now_s: float, aim: int) -> int | None:
        """The level to order now; None for nothing.  aim: what its ladder admits."""
        if aim != self._aim:
            self._aim, self._aim_s = aim, now_s
        if self.told is None or self.lost(now_s):
            return None
        if self._due(now_s, aim):
            return self._order(now_s, aim)
        late = now_s - self._ordered_s >= self.rules.repeat_s
        # one that is still on its way up is given the time to wake
        waking = self.power_w < self.levels_w[self.told] and not self.disobeys(now_s)
        if not self._arrived and late and not waking:
            return self._said(now_s, self.told)
        return None

    def _due(self, now_s: float, aim: int) -> bool:
        assert self.told is not None
        lasted_s = now_s - self._aim_s
        if aim < self.told:
            return lasted_s >= self.rules.fall_s
        dwelt = now_s - self._changed_s >= self.rules.dwell_s
        return aim > self.told and lasted_s >= self.rules.rise_s and dwelt

    def _order(self, now_s: float, level: int) -> int:
        assert self.told is not None
        before_w, wakes = self.could_w(now_s), not self.told
        self._worst_w = max(before_w, self.levels_w[-1] if wakes else self.levels_w[level])
        if level > self.told:
            self._rose_to = level
        self.told, self._arrived, self._changed_s = level, False, now_s
        return self._said(now_s, level)

    def _said(self, now_s: float, level: int) -> int:
        """An order goes out, the first time or again."""
        self._ordered_s = now_s
        if level == self._rose_to:
            self._rose_s = now_s
        return level
