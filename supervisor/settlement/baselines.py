"""What a site would have drawn without the instruction, by the methods that settle bills.

Each is a pure function of mean powers in watts.  Which one holds is a matter of the
contract, see terms.py; none is better in itself.
"""

from collections.abc import Callable, Sequence

import numpy as np

from supervisor.settlement.days import LIKE, Day, fits, is_weekend
from supervisor.settlement.rules import Fall
from supervisor.settlement.series import Floats, Series, mean
from supervisor.settlement.terms import HOUR_S, PRE_EVENT, TEN_IN_TEN, Terms

ADJUST_LOW, ADJUST_HIGH = 0.8, 1.2  # of CAISO's same-day adjustment
ADJUST_HOURS = (4, 1)  # it is fitted to the hours so long before the event
PRE_EVENT_S = 900  # ERCOT's interval before the instruction


class BaselineError(ValueError):
    """There is no such baseline here; the text says what is missing."""


def pre_event_w(series: Series, event_s: float, window_s: float = PRE_EVENT_S) -> float:
    """The mean of what was metered in the window that ends with the instruction.

    Raises BaselineError when the meter said nothing in it.
    """
    before = series.cut(event_s - window_s, event_s)
    w = mean(before.metered_w)
    if not np.isfinite(w):
        raise BaselineError(f"no meter reading in the {window_s:g} s before the instruction")
    return w


def ten_in_ten_w(
    like_days: Sequence[Sequence[float]], adjust: slice, today_w: Sequence[float]
) -> list[float]:
    """The mean of ten like days without an event, hour by hour, scaled to the day itself.

    like_days: the hours' mean powers of each day, the newest ten are used.  adjust: the hours
    before the event whose mean the baseline is fitted to, by a factor of 0.8 to 1.2.
    today_w: the event day's hours.  Raises BaselineError with fewer than ten days.
    """
    if len(like_days) < LIKE:
        raise BaselineError(f"{len(like_days)} like days are known; ten are needed")
    profile = np.array(like_days[-LIKE:], dtype=float).mean(axis=0)
    factor = same_day_factor(profile, adjust, np.array(today_w, dtype=float))
    return [float(w) for w in profile * factor]


def same_day_factor(profile: Floats, adjust: slice, today_w: Floats) -> float:
    """How much more the site drew today than on the like days, before the event."""
    if not len(profile[adjust]):
        return 1.0
    usual_w, drawn_w = profile[adjust].mean(), today_w[adjust].mean()
    if not usual_w > 0 or not np.isfinite(drawn_w):
        return 1.0
    return float(min(ADJUST_HIGH, max(ADJUST_LOW, drawn_w / usual_w)))


def event_w(series: Series, fall: Fall, days: Sequence[Day], terms: Terms) -> Floats:
    """The baseline of an instruction by its terms, for every second it holds.

    Raises BaselineError.
    """
    seconds = np.arange(fall.at_s, fall.until_s, dtype=float)
    if terms.baseline == PRE_EVENT:
        return np.full(len(seconds), pre_event_w(series, fall.at_s, terms.window_s))
    if terms.baseline == TEN_IN_TEN:
        return by_hour(seconds, lambda day_s: like_w(days, day_s, fall.at_s, terms), terms)
    return by_hour(seconds, lambda day_s: reference_w(terms), terms)


def by_hour(seconds: Floats, hours_w: Callable[[int], Sequence[float]], terms: Terms) -> Floats:
    """Each second the power of its hour.  hours_w(day_s): the 24 of a day."""
    found = np.empty(len(seconds))
    if not len(seconds):
        return found
    for day_s in range(terms.day_s(seconds[0]), int(seconds[-1]) + 1, 24 * HOUR_S):
        mine = (seconds >= day_s) & (seconds < day_s + 24 * HOUR_S)
        hour = ((seconds[mine] - day_s) // HOUR_S).astype(int)
        found[mine] = np.array(hours_w(day_s), dtype=float)[hour]
    return found


def like_w(days: Sequence[Day], day_s: int, event_s: int, terms: Terms) -> list[float]:
    """10-in-10 of one day: its ten newest like days, fitted to the event's own morning.

    An event that began the day before is not fitted anew.
    """
    like = [
        day.hours_w for day in days if day.start_s < day_s and fits(day, is_weekend(day_s, terms))
    ]
    today = next((day.hours_w for day in days if day.start_s == day_s), (np.nan,) * 24)
    hour = terms.hour(event_s) if event_s >= day_s else 0
    fitted = slice(max(0, hour - ADJUST_HOURS[0]), max(0, hour - ADJUST_HOURS[1]))
    return ten_in_ten_w(like, fitted, today)


def reference_w(terms: Terms) -> Sequence[float]:
    """By hour of the day."""
    agreed = terms.reference_w
    return [float(w) for w in (agreed * 24 if len(agreed) == 1 else agreed)]


def above_reference_mwh(series: Series, terms: Terms) -> float:
    """Energy above the agreed reference, hour by hour; gaps count as nothing."""
    seconds = np.arange(series.from_s, series.from_s + len(series), dtype=float)
    agreed_w = by_hour(seconds, lambda day_s: reference_w(terms), terms)
    known = np.isfinite(series.metered_w)
    _, hour = np.unique(
        (seconds + round(terms.utc_offset_h * HOUR_S)) // HOUR_S, return_inverse=True
    )
    per = 3600 * 1e6
    metered = np.bincount(hour, np.where(known, series.metered_w, 0.0)) / per
    agreed = np.bincount(hour, np.where(known, agreed_w, 0.0)) / per
    return incremental_mwh(metered.tolist(), agreed.tolist())


def incremental_mwh(metered_mwh: Sequence[float], reference_mwh: Sequence[float]) -> float:
    """Energy above an agreed reference, period by period; below it counts as none.

    A month's or an hour's reference, as the contract has it.
    """
    if len(metered_mwh) != len(reference_mwh):
        raise BaselineError(
            f"{len(metered_mwh)} periods metered, {len(reference_mwh)} agreed; they must match"
        )
    above = (metered - agreed for metered, agreed in zip(metered_mwh, reference_mwh, strict=True))
    return float(sum(max(0.0, one) for one in above))
