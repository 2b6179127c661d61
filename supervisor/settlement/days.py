"""Whole days of the meter, hour by hour: what ten like days are chosen from.

Alike are working days, and weekends; a day with an instruction to draw less, or with an hour of
which less than half is on record, is none of them.  Holidays are not known here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from supervisor.settlement import rules
from supervisor.settlement.series import Series
from supervisor.settlement.terms import DAY_S, HOUR_S, Terms

BACK = 45  # days looked back for like ones
LIKE = 10
KNOWN = 0.5  # of an hour must be on record for its mean to count


@dataclass(frozen=True, slots=True)
class Day:
    """start_s: its midnight.  hours_w: the means of its hours, NaN where too little is known."""

    start_s: int
    weekend: bool
    hours_w: tuple[float, ...]
    instructed: bool

    @property
    def whole(self) -> bool:
        return bool(np.isfinite(self.hours_w).all())


def day_of(series: Series, terms: Terms) -> Day:
    """series: from a midnight to the next."""
    hours = series.metered_w.reshape(-1, HOUR_S)
    known = np.isfinite(hours)
    enough = known.mean(axis=1) >= KNOWN
    means = np.where(known, hours, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    hours_w = tuple(float(w) for w in np.where(enough, means, np.nan))
    return Day(series.from_s, is_weekend(series.from_s, terms), hours_w, bool(rules.falls(series)))


def is_weekend(day_s: int, terms: Terms) -> bool:
    days = (day_s + round(terms.utc_offset_h * HOUR_S)) // DAY_S
    return (days + 3) % 7 >= 5  # the first of January 1970 was a Thursday


def gathered(read: Callable[[int], Day | None], from_s: int, to_s: int, terms: Terms) -> list[Day]:
    """The days of a report, and those before it as far as ten like ones need; oldest first.

    read(day_s): one of them, None where nothing is on record.
    """
    first_s, last_s = terms.day_s(from_s), terms.day_s(to_s - 1)
    own = [day for at_s in range(first_s, last_s + 1, DAY_S) if (day := read(at_s))]
    kinds = {is_weekend(at_s, terms) for at_s in range(first_s, last_s + 1, DAY_S)}
    before: list[Day] = []
    for back in range(1, BACK + 1):
        if all(len([day for day in before if fits(day, kind)]) >= LIKE for kind in kinds):
            break
        if day := read(first_s - back * DAY_S):
            before.insert(0, day)
    return before + own


def fits(day: Day, weekend: bool) -> bool:
    return day.whole and not day.instructed and day.weekend == weekend
