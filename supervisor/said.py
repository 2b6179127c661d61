"""What is said to the site, as people see it: each source in brief and in full."""

import math

from supervisor.envelope import Entry
from supervisor.view import SCHEDULE_MAX, SignalDetail, SignalView


def brief(entry: Entry, now_s: float) -> SignalView:
    return SignalView(
        source=entry.source,
        limit_w=entry.limit_w(now_s),
        age_s=now_s - entry.heard_s,
        until_s=_finite(entry.until_s),
        over=entry.over(now_s),
        because=entry.because,
    )


def full(entry: Entry, now_s: float, holds: bool) -> SignalDetail:
    return SignalDetail(
        source=entry.source,
        health=health(entry, now_s),
        limit_w=entry.limit_w(now_s),
        holds=holds,
        heard_s=entry.heard_s,
        age_s=now_s - entry.heard_s,
        seq=entry.seq,
        until_s=_finite(entry.until_s),
        silent_from_s=_finite(entry.silent_from_s),
        default_w=entry.default_w,
        because=entry.because,
        kind=entry.kind,
        loss=entry.loss.policy,
        schedule=entry.changes(now_s)[:SCHEDULE_MAX],
    )


def health(entry: Entry, now_s: float) -> str:
    """fresh; silent: not heard for too long; over: past the end of its word."""
    if entry.silent(now_s):
        return "silent"
    return "over" if entry.over(now_s) else "fresh"


def _finite(at_s: float) -> float | None:
    return at_s if math.isfinite(at_s) else None
