"""A report in words: the lines that the page, the sheet and the PDF all show."""

from datetime import UTC, datetime

from supervisor.settlement.report import Event, Report
from supervisor.settlement.rules import Verdict
from supervisor.settlement.terms import PRE_EVENT, TEN_IN_TEN, Terms
from supervisor.units import age, watts

VERDICTS = ("at", "rule", "wanted", "measured", "outcome")
EVENTS = ("from", "until", "lowered from", "to", "baseline", "delivered")
WORDS = ("at", "source", "said", "limit")


def moment(at_s: float | None) -> str:
    """In UTC: a report crosses borders."""
    if at_s is None:
        return "whole time"
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def facts(report: Report) -> list[tuple[str, str]]:
    return [
        ("site", report.site),
        ("from", moment(report.from_s)),
        ("to", moment(report.to_s)),
        ("capacity", watts(report.capacity_w)),
        ("energy asked", f"{report.asked_mwh:.3f} MWh"),
        ("energy drawn", f"{report.drawn_mwh:.3f} MWh"),
        *_above(report),
        ("baseline", baseline(report.terms)),
        ("metered on record", f"{report.on_record_pct:g} % of the seconds"),
        ("rests on", f"ledger lines {report.basis.first_id} to {report.basis.last_id}"),
        ("SHA-256 of those", report.basis.sha256),
    ]


def baseline(terms: Terms) -> str:
    """Which, and by which terms."""
    if terms.baseline == PRE_EVENT:
        return f"mean of {age(terms.window_s)} before each instruction"
    clock = f"hours of UTC{terms.utc_offset_h:+g}"
    if terms.baseline == TEN_IN_TEN:
        return f"10-in-10: ten like days without an instruction, fitted by a fifth at most; {clock}"
    agreed = sorted(set(terms.reference_w))
    powers = " to ".join(watts(w) for w in (agreed if len(agreed) < 2 else (agreed[0], agreed[-1])))
    return f"agreed reference, {powers}; {clock}"


def _above(report: Report) -> list[tuple[str, str]]:
    above = report.above_reference_mwh
    return [] if above is None else [("energy above the reference", f"{above:.3f} MWh")]


def verdict_row(one: Verdict) -> tuple[str, ...]:
    measured = "nothing" if one.measured is None else f"{one.measured:g} {one.unit}"
    return moment(one.at_s), one.rule, one.wanted, measured, one.outcome


def event_row(one: Event) -> tuple[str, ...]:
    held = f"{moment(one.until_s)} ({age(one.until_s - one.at_s)})"
    delivered = "unknown" if one.delivered_mwh is None else f"{one.delivered_mwh:z.3f} MWh"
    return (
        moment(one.at_s),
        held,
        watts(one.from_w),
        watts(one.to_w),
        one.why or watts(one.baseline_w),
        delivered,
    )


def word_rows(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            moment(one.at_s),
            one.source,
            ("refused: " if one.refused else "") + one.text,
            "" if one.limit_w is None else watts(one.limit_w),
        )
        for one in sorted(report.words, key=lambda one: one.at_s)
    ]


Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def tables(report: Report) -> list[Table]:
    """(title, heads, rows) of all there is to read."""
    return [
        ("Verdicts", VERDICTS, [verdict_row(one) for one in report.verdicts]),
        ("Instructions to draw less", EVENTS, [event_row(one) for one in report.events]),
        ("What was said", WORDS, word_rows(report)),
    ]


def plain(report: Report) -> str:
    """For a terminal."""
    lines = [f"{name:20} {text}" for name, text in facts(report)]
    for title, heads, rows in tables(report):
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines += ["", title, _columns(heads, widths)]
        lines += [_columns(row, widths) for row in rows]
    return "\n".join(lines) + "\n"


def _columns(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
