"""The terms a report settles by: which baseline, how wide the band, how soon a step must be off.

They are part of the report and under its signature, so that who checks it judges by the same.
"""

import csv
import io
import math

import msgspec

PRE_EVENT, TEN_IN_TEN, REFERENCE = "pre-event", "10-in-10", "reference"
BASELINES = (PRE_EVENT, TEN_IN_TEN, REFERENCE)
TRACKING, OVERSHOOT, DELIVERY = "tracking", "overshoot", "delivery"
RULES = (TRACKING, OVERSHOOT, DELIVERY)
DAY_S, HOUR_S = 86_400, 3600
WINDOW_MOST_S = 4 * HOUR_S


class TermsError(ValueError):
    """No report can be settled by these; the text names the term and what would be right."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """baseline: one of BASELINES.  window_s: of pre-event, so long before the instruction.

    reference_w: of the reference, import agreed for each hour of the day, 24 of them or one for
    all.  utc_offset_h: the clock that days and hours go by.  band_pct, band_w: how far a mean
    may be off what was asked, the wider of both; band_w no wider than band_pct of capacity.
    within_s: 95 % of a fall must be off the meter.  rules: those that are judged, of RULES.
    """

    baseline: str = PRE_EVENT
    window_s: int = 900
    reference_w: tuple[int, ...] = ()
    utc_offset_h: float = 0.0
    band_pct: float = 3.0
    band_w: int = 3_000_000
    within_s: int = 300
    rules: tuple[str, ...] = RULES

    def day_s(self, at_s: float) -> int:
        """The midnight before a moment, by the clock of the terms."""
        offset_s = round(self.utc_offset_h * HOUR_S)
        return int((at_s + offset_s) // DAY_S * DAY_S - offset_s)

    def hour(self, at_s: float) -> int:
        return int((at_s - self.day_s(at_s)) // HOUR_S)


def reference_of(text: str) -> tuple[int, ...]:
    """The reference of a CSV file: hour,mw with a row for each hour.  Raises TermsError."""
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or set(rows[0]) != {"hour", "mw"}:
        raise TermsError("its header is not hour,mw")
    try:
        found = {int(row["hour"]): round(float(row["mw"]) * 1e6) for row in rows}
    except (TypeError, ValueError, OverflowError) as error:
        raise TermsError(f"a row is no hour and megawatts: {error}") from None
    if sorted(found) != list(range(24)) or len(rows) != 24:
        raise TermsError(f"{len(rows)} rows; one for each hour, 0 to 23")
    return tuple(found[hour] for hour in range(24))


def checked(terms: Terms) -> Terms:
    """The same.  Raises TermsError."""
    for wrong in _wrongs(terms):
        raise TermsError(wrong)
    return terms


def _wrongs(terms: Terms) -> list[str]:
    found = []
    if terms.baseline not in BASELINES:
        found.append(f"baseline {terms.baseline!r}; there are {', '.join(BASELINES)}")
    if unknown := [one for one in terms.rules if one not in RULES]:
        found.append(f"rule {unknown[0]!r}; there are {', '.join(RULES)}")
    if terms.baseline == REFERENCE and len(terms.reference_w) not in (1, 24):
        found.append(
            f"the reference has {len(terms.reference_w)} powers; one, or one for each hour of a day"
        )
    if any(w < 0 for w in terms.reference_w):
        found.append("the reference is import, 0 or more")
    for name, value, least, most in (
        ("window", terms.window_s, 1, WINDOW_MOST_S),
        ("UTC offset", terms.utc_offset_h, -14, 14),
        ("band in per cent", terms.band_pct, 0, 100),
        ("band in watts", terms.band_w, 0, 10**10),
        ("time for 95 %", terms.within_s, 1, DAY_S),
    ):
        if not (math.isfinite(value) and least <= value <= most):
            found.append(f"{name} is {value:g}; it is {least:g} to {most:g}")
    return found
