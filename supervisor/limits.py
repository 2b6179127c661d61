"""How often somebody may ask: buckets that fill with time.  No clock of its own."""

from dataclasses import dataclass

NAMES_MAX = 10_000  # callers and addresses remembered; the longest unheard are forgotten


@dataclass(frozen=True, slots=True)
class Limit:
    """So many a second, and so many at once after a pause."""

    per_s: float
    burst: float


class Buckets:
    """One bucket a name."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._left: dict[str, tuple[float, float]] = {}  # name -> (what is left, at_s)

    def wait_s(self, name: str, now_s: float) -> float:
        """Take one from a bucket: 0 when there was one, else the seconds until there is."""
        left, at_s = self._left.pop(name, (self.limit.burst, now_s))
        left = min(self.limit.burst, left + max(0.0, now_s - at_s) * self.limit.per_s)
        short = max(0.0, 1.0 - left)
        self._left[name] = (left if short else left - 1.0, now_s)
        while len(self._left) > NAMES_MAX:
            del self._left[next(iter(self._left))]
        return short / self.limit.per_s
