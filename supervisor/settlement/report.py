"""The report of a time: what was asked and when, what the meter did, a verdict for every rule."""

import math

import msgspec
import numpy as np

from supervisor.settlement import rules
from supervisor.settlement.baselines import BaselineError, above_reference_mwh, event_w
from supervisor.settlement.record import Basis, Record, Word
from supervisor.settlement.rules import Verdict
from supervisor.settlement.series import Floats, Series, mwh
from supervisor.settlement.terms import DELIVERY, OVERSHOOT, REFERENCE, TRACKING, Terms

FORM = 2


class Event(msgspec.Struct, frozen=True):
    """One instruction to draw less, and what it was worth by the terms.

    baseline_w: the mean of the baseline while it held; None, and why, where there is none.
    delivered_mwh: what was drawn below the baseline.
    """

    at_s: int
    until_s: int
    from_w: int
    to_w: int
    baseline_w: int | None
    delivered_mwh: float | None
    why: str = ""


class Seconds(msgspec.Struct, frozen=True):
    """Second by second, in whole watts; None where nothing is known."""

    from_s: int
    asked_w: list[int | None]
    limit_w: list[int | None]
    metered_w: list[int | None]


class Report(msgspec.Struct, frozen=True):
    """Times are Unix seconds.  on_record_pct: of the seconds, with a meter reading.

    above_reference_mwh: where the terms have a reference.
    """

    form: int
    site: str
    terms: Terms
    from_s: int
    to_s: int
    capacity_w: int
    drawn_mwh: float
    asked_mwh: float
    on_record_pct: float
    above_reference_mwh: float | None
    events: list[Event]
    verdicts: list[Verdict]
    words: list[Word]
    basis: Basis
    seconds: Seconds


def report_of(site: str, record: Record, terms: Terms | None = None) -> Report:
    terms, series = terms or Terms(), record.series
    falls = rules.falls(series)
    above_mwh = (
        round(above_reference_mwh(series, terms), 4) if terms.baseline == REFERENCE else None
    )
    return Report(
        form=FORM,
        site=site,
        terms=terms,
        from_s=series.from_s,
        to_s=series.from_s + len(series),
        capacity_w=record.capacity_w,
        drawn_mwh=round(mwh(series.metered_w), 4),
        asked_mwh=round(mwh(series.asked_w), 4),
        on_record_pct=round(100 * float(np.isfinite(series.metered_w).mean()), 2),
        above_reference_mwh=above_mwh,
        events=[event_of(record, fall, terms) for fall in falls],
        verdicts=verdicts(series, record.capacity_w, falls, terms),
        words=record.words,
        basis=record.basis,
        seconds=Seconds(
            series.from_s,
            whole(series.asked_w),
            whole(series.limit_w),
            whole(series.metered_w),
        ),
    )


def verdicts(
    series: Series, capacity_w: int, falls: list[rules.Fall], terms: Terms
) -> list[Verdict]:
    """Of the rules that the terms name."""
    found: list[Verdict] = []
    if TRACKING in terms.rules:
        found += rules.tracking(series, capacity_w, terms)
    if OVERSHOOT in terms.rules:
        found.append(rules.overshoot(series, capacity_w))
    if DELIVERY in terms.rules:
        found += [one for fall in falls for one in rules.delivery(series, fall, terms)]
    return found


def event_of(record: Record, fall: rules.Fall, terms: Terms) -> Event:
    during_w = record.series.cut(fall.at_s, fall.until_s).metered_w
    baseline_w: Floats | None = None
    why = ""
    try:
        baseline_w = event_w(record.series, fall, record.days, terms)
    except BaselineError as error:
        why = str(error)
    return Event(
        at_s=fall.at_s,
        until_s=fall.until_s,
        from_w=round(fall.from_w),
        to_w=round(fall.to_w),
        baseline_w=None if baseline_w is None else round(float(baseline_w.mean())),
        delivered_mwh=None if baseline_w is None else round(mwh(baseline_w - during_w), 4),
        why=why,
    )


def whole(w: Floats) -> list[int | None]:
    return [None if math.isnan(one) else round(one) for one in w.tolist()]


def broken(report: Report) -> list[Verdict]:
    return [one for one in report.verdicts if one.outcome == rules.BROKEN]
