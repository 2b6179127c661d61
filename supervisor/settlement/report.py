"""The report of a time: what was asked and when, what the meter did, a verdict for every rule."""

import math

import msgspec
import numpy as np

from supervisor.settlement import rules
from supervisor.settlement.baselines import BaselineError, pre_event_w
from supervisor.settlement.record import Basis, Record, Word
from supervisor.settlement.rules import Verdict
from supervisor.settlement.series import Floats, Series, mwh

FORM = 1


class Event(msgspec.Struct, frozen=True):
    """One instruction to draw less, and what it was worth.

    baseline_w: the mean of up to 15 minutes before it.  delivered_mwh: what was drawn below
    the baseline while it held.
    """

    at_s: int
    until_s: int
    from_w: int
    to_w: int
    baseline_w: int | None
    delivered_mwh: float | None


class Seconds(msgspec.Struct, frozen=True):
    """Second by second, in whole watts; None where nothing is known."""

    from_s: int
    asked_w: list[int | None]
    limit_w: list[int | None]
    metered_w: list[int | None]


class Report(msgspec.Struct, frozen=True):
    """Times are Unix seconds.  on_record_pct: of the seconds, with a meter reading."""

    form: int
    site: str
    from_s: int
    to_s: int
    capacity_w: int
    drawn_mwh: float
    asked_mwh: float
    on_record_pct: float
    events: list[Event]
    verdicts: list[Verdict]
    words: list[Word]
    basis: Basis
    seconds: Seconds


def report_of(site: str, record: Record) -> Report:
    series = record.series
    falls = rules.falls(series)
    verdicts = [
        *rules.tracking(series, record.capacity_w),
        rules.overshoot(series, record.capacity_w),
        *(one for fall in falls for one in rules.delivery(series, fall)),
    ]
    return Report(
        form=FORM,
        site=site,
        from_s=series.from_s,
        to_s=series.from_s + len(series),
        capacity_w=record.capacity_w,
        drawn_mwh=round(mwh(series.metered_w), 4),
        asked_mwh=round(mwh(series.asked_w), 4),
        on_record_pct=round(100 * float(np.isfinite(series.metered_w).mean()), 2),
        events=[event_of(series, fall) for fall in falls],
        verdicts=verdicts,
        words=record.words,
        basis=record.basis,
        seconds=Seconds(
            series.from_s,
            whole(series.asked_w),
            whole(series.limit_w),
            whole(series.metered_w),
        ),
    )


def event_of(series: Series, fall: rules.Fall) -> Event:
    during = series.cut(fall.at_s, fall.until_s).metered_w
    try:
        baseline_w: float | None = pre_event_w(series, fall.at_s)
    except BaselineError:
        baseline_w = None
    delivered = None if baseline_w is None else round(mwh(baseline_w - during), 4)
    return Event(
        at_s=fall.at_s,
        until_s=fall.until_s,
        from_w=round(fall.from_w),
        to_w=round(fall.to_w),
        baseline_w=None if baseline_w is None else round(baseline_w),
        delivered_mwh=delivered,
    )


def whole(w: Floats) -> list[int | None]:
    return [None if math.isnan(one) else round(one) for one in w.tolist()]


def broken(report: Report) -> list[Verdict]:
    return [one for one in report.verdicts if one.outcome == rules.BROKEN]
