"""What the site may import: all signals and limits, settled into one number.

Each source holds at most one entry.  An entry is a schedule of watts with an end; past its
end, or when its source was lost (see loss.py), it says its default.  The active limit is
the minimum over all entries, and the reason is whose minimum it is: an emergency overrides
because it is the lowest, and nothing can be raised above anybody's word.  With nobody
speaking at all the site's own default holds: boot is failsafe.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from supervisor.loss import FOREVER, Loss
from supervisor.units import age

__all__ = ["FOREVER", "Entry", "Envelope", "Kind", "settle"]

# how it was said; what it comes to is a limit, all the same
Kind = Literal["limit", "setpoint", "delta", "level", "emergency"]
EMERGENCY: Kind = "emergency"

TRUST = Loss()  # of a source that said itself how long


@dataclass(frozen=True, slots=True)
class Entry:
    """One source's word.  Times are Unix seconds, power is site import in watts.

    schedule: (from_s, w) rows, times rising; a row holds until the next one.
    until_s: the end of what was said.  heard_s, loss: how long it is trusted unheard.
    default_w: what holds after either end, or before the first row; None = no limit.
    kind: nobody is excused from an emergency.  bound: the site's own, such as what its fans
    can cool; it lowers what is allowed and never stands in for a signal.  up_w_per_s: how
    fast what it allows rises from row to row; None: at once.  It falls at once, always.
    """

    source: str
    schedule: tuple[tuple[float, int], ...]
    until_s: float = FOREVER
    heard_s: float = 0.0
    loss: Loss = TRUST
    default_w: int | None = None
    seq: int = 0
    because: str = ""
    kind: Kind = "limit"
    bound: bool = False
    up_w_per_s: float | None = None

    @property
    def emergency(self) -> bool:
        return self.kind == EMERGENCY

    def limit_w(self, now_s: float) -> int | None:
        """The watts this entry allows now; None when it says nothing."""
        if not self.schedule or now_s < self.schedule[0][0]:
            return self.default_w
        end_s = self.end_s
        if now_s < end_s:
            return self._row_w(now_s)
        if self.default_w is None or not self._lost:
            return self.default_w
        last_w = self._row_w(end_s, before=True)
        return self.loss.fallen_w(last_w, self.default_w, now_s - end_s)

    @property
    def end_s(self) -> float:
        """When its schedule stops to count, as far as is known now."""
        return self.loss.end_s(self.heard_s, self.until_s)

    @property
    def silent_from_s(self) -> float:
        return self.heard_s + self.loss.after_s

    @property
    def _lost(self) -> bool:
        """Whether its source was silent already when it ended: a word said to end is no loss."""
        return self.silent_from_s <= self.end_s

    def _row_w(self, at_s: float, before: bool = False) -> int:
        """The row of a moment, or of just before it."""
        at_s = self.loss.frozen_s(self.heard_s, at_s)
        find = bisect_left if before else bisect_right
        last = max(0, find(self.schedule, at_s, key=_from_s) - 1)
        if self.up_w_per_s is None:
            return self.schedule[last][1]
        return self._risen_w(self.schedule[: last + 1], at_s)

    def _risen_w(self, rows: Sequence[tuple[float, int]], at_s: float) -> int:
        """The last of the rows, as far as a rise has come by then."""
        now_w = float(rows[0][1])
        for (from_s, w), (until_s, _) in pairwise([*rows, (at_s, 0)]):
            now_w = min(w, now_w + (self.up_w_per_s or 0.0) * max(0.0, until_s - from_s))
        return int(now_w)

    def says_the_same(self, other: "Entry") -> bool:
        """Whether the other is no news beside this one, however much later it was heard."""
        heard = replace(other, heard_s=self.heard_s, seq=self.seq, because=self.because)
        return heard == self

    def over(self, now_s: float) -> bool:
        """Whether its end has passed, or its source was lost."""
        return now_s >= self.end_s

    def silent(self, now_s: float) -> bool:
        return now_s >= self.silent_from_s

    def why(self, now_s: float) -> str:
        """In words for a person."""
        if not self.over(now_s):
            held = f", held: silent for {age(now_s - self.heard_s)}" if self.silent(now_s) else ""
            return (self.because or "its schedule") + held
        if not self._lost:
            return "its default, since its word is over"
        return f"its default, since it is silent for {age(now_s - self.heard_s)}"

    def changes(self, after_s: float) -> list[tuple[float, int]]:
        """The rows still ahead, as (when, watts)."""
        return [row for row in self.schedule if after_s < row[0] < self.until_s]


def _from_s(row: tuple[float, int]) -> float:
    return row[0]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The active limit, who set it and why, in words for a person."""

    limit_w: int
    source: str
    because: str


def settle(
    entries: Iterable[Entry],
    own_limit_w: int,
    default_w: int,
    now_s: float,
    excused: Mapping[str, float] | None = None,
) -> Envelope:
    """The minimum over everybody who says something.

    own_limit_w: breaker and feeders, always in force.  default_w: what the site
    allows itself when no entry says anything.  On equal words the first one named wins.
    excused: sources whose default does not count until a time, by a person's word; what a
    source says while it is heard always counts, and so does an emergency.
    """
    said = [
        (limit_w, entry)
        for entry in entries
        if (limit_w := entry.limit_w(now_s)) is not None and not _excused(entry, now_s, excused)
    ]
    limit_w, entry = min(said, key=lambda pair: pair[0], default=(default_w, None))
    nobody = all(entry.bound for _, entry in said)
    if entry is None or (nobody and default_w <= limit_w):
        return Envelope(min(default_w, own_limit_w), "site", "no signal: the site's default")
    if own_limit_w < limit_w:
        return Envelope(own_limit_w, "site", "the site's own limit")
    return Envelope(limit_w, entry.source, entry.why(now_s))


def _excused(entry: Entry, now_s: float, excused: Mapping[str, float] | None) -> bool:
    if not excused or entry.emergency or entry.bound or not entry.over(now_s):
        return False
    return now_s < excused.get(entry.source, 0.0)
