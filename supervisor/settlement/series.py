"""One number a second: what was asked, allowed and metered, with its gaps left as gaps."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HOLD_S = 5  # a reading stands for so long when no other comes; then there is none


@dataclass(frozen=True, slots=True)
class Series:
    """Whole seconds from from_s on, in watts of site import; NaN where nothing is known."""

    from_s: int
    asked_w: Floats
    limit_w: Floats
    metered_w: Floats

    def __len__(self) -> int:
        return len(self.asked_w)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """The seconds in which both is known, what was asked and what was drawn."""
        return np.isfinite(self.asked_w) & np.isfinite(self.metered_w)

    def index(self, at_s: float) -> int:
        """The place of a moment, held inside."""
        return int(min(max(0, at_s - self.from_s), len(self)))

    def cut(self, from_s: float, to_s: float) -> "Series":
        low, high = self.index(from_s), self.index(to_s)
        return Series(
            self.from_s + low, self.asked_w[low:high], self.limit_w[low:high],
            self.metered_w[low:high],
        )  # fmt: skip


def mwh(w: Floats) -> float:
    """Energy of one value a second; gaps count as nothing."""
    return float(np.nansum(w)) / 3.6e9


def mean(w: Floats) -> float:
    """The mean of what is known; NaN when nothing is."""
    known = w[np.isfinite(w)]
    return float(known.mean()) if len(known) else float("nan")


def by_second(
    rows: Iterable[tuple[float, float | None]], from_s: int, to_s: int, hold_s: float
) -> Floats:
    """Values with their times, rising, as one a second; each stands until the next, hold_s at
    most.  None: nothing was read then, the value before goes on.
    """
    found = [(at_s, value) for at_s, value in rows if value is not None]
    if not found:
        return np.full(to_s - from_s, np.nan)
    at_s = np.array([one[0] for one in found])
    values = np.array([one[1] for one in found], dtype=float)
    seconds = np.arange(from_s, to_s) + 1.0  # a second is what had been heard by its end
    last = np.searchsorted(at_s, seconds, side="right") - 1
    fresh = (last >= 0) & (seconds - at_s[last] <= hold_s + 1)
    return np.where(fresh, values[last], np.nan)
