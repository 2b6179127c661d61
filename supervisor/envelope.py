"""What the site may import: all signals and limits, settled into one number.

Each source holds at most one entry.  An entry is a schedule of watts with an end;
past its end, or when its source has gone silent, it says its default.  The active
limit is the minimum over all entries, and the reason is whose minimum it is.
With nobody speaking at all the site's own default holds: boot is failsafe.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Entry:
    """One source's word.  Times are Unix seconds, power is site import in watts.

    schedule: (from_s, w) rows, times rising; a row holds until the next one.
    until_s: the end of what was said.  heard_s + silence_s: the end of trust.
    default_w: what holds after either end, or before the first row; None = no limit.
    """

    source: str
    schedule: tuple[tuple[float, int], ...]
    until_s: float = FOREVER
    heard_s: float = 0.0
    silence_s: float = FOREVER
    default_w: int | None = None
    seq: int = 0
    because: str = ""

    def limit_w(self, now_s: float) -> int | None:
        """The watts this entry allows now; None when it says nothing."""
        if self.over(now_s) or not self.schedule or now_s < self.schedule[0][0]:
            return self.default_w
        return next(w for from_s, w in reversed(self.schedule) if from_s <= now_s)

    def over(self, now_s: float) -> bool:
        """Whether its end has passed, or its source has been silent too long."""
        return now_s >= self.until_s or now_s - self.heard_s >= self.silence_s

    def changes(self, after_s: float) -> list[tuple[float, int]]:
        """The rows still ahead, as (when, watts)."""
        return [row for row in self.schedule if after_s < row[0] < self.until_s]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The active limit, who set it and why, in words for a person."""

    limit_w: int
    source: str
    because: str


def settle(entries: Iterable[Entry], own_limit_w: int, default_w: int, now_s: float) -> Envelope:
    """The minimum over everybody who says something.

    own_limit_w: breaker and feeders, always in force.  default_w: what the site
    allows itself when no entry says anything.  On equal words the first one named wins.
    """
    said = [(limit_w, entry) for entry in entries if (limit_w := entry.limit_w(now_s)) is not None]
    if not said:
        return Envelope(min(default_w, own_limit_w), "site", "no signal: the site's default")
    limit_w, entry = min(said, key=lambda pair: pair[0])
    if own_limit_w < limit_w:
        return Envelope(own_limit_w, "site", "the site's own limit")
    why = "its default, since it is silent or over" if entry.over(now_s) else entry.because
    return Envelope(limit_w, entry.source, why or "its schedule")
