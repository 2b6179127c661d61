"""What a site would have drawn without the instruction, by the methods that settle bills.

Each is a pure function of mean powers in watts.  Which one holds is a matter of the
contract; none is better in itself.
"""

from collections.abc import Sequence

import numpy as np

from supervisor.settlement.series import Floats, Series, mean

ADJUST_LOW, ADJUST_HIGH = 0.8, 1.2  # of CAISO's same-day adjustment
LIKE_DAYS = 10
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
    if len(like_days) < LIKE_DAYS:
        raise BaselineError(f"{len(like_days)} like days are known; ten are needed")
    profile = np.array(like_days[-LIKE_DAYS:], dtype=float).mean(axis=0)
    factor = same_day_factor(profile, adjust, np.array(today_w, dtype=float))
    return [float(w) for w in profile * factor]


def same_day_factor(profile: Floats, adjust: slice, today_w: Floats) -> float:
    """How much more the site drew today than on the like days, before the event."""
    usual_w, drawn_w = profile[adjust].mean(), today_w[adjust].mean()
    if not usual_w > 0 or not np.isfinite(drawn_w):
        return 1.0
    return float(min(ADJUST_HIGH, max(ADJUST_LOW, drawn_w / usual_w)))


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
