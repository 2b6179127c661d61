"""OpenADR 3.1 events as words: what each interval of each event allows, in watts.

    IMPORT_CAPACITY_LIMIT          a limit, kW
    IMPORT_CAPACITY_SUBSCRIPTION   what holds when no limit does, and after a loss (8.10.1)
    IMPORT_CAPACITY_RESERVATION    so much more than the subscription, kW
    DISPATCH_SETPOINT              a set-point: a limit to a load that follows surplus
    DISPATCH_SETPOINT_RELATIVE, CONTROL_SETPOINT   the same, from where the site was at its start
    SIMPLE                         0 to 3, a table of the site's
    ALERT_GRID_EMERGENCY           everything asleep

Power is in kW unless the event's payload descriptor says PERCENT (of the site's own limit).
Facts: OpenADR 3.1 Definition and User Guide.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from supervisor.envelope import Kind
from supervisor.loss import FOREVER, stagger_s
from supervisor.plan import LAST, Word

RELATIVE = ("DISPATCH_SETPOINT_RELATIVE", "CONTROL_SETPOINT")
SIMPLE, EMERGENCY = "SIMPLE", "ALERT_GRID_EMERGENCY"
SUBSCRIPTION, RESERVATION = "IMPORT_CAPACITY_SUBSCRIPTION", "IMPORT_CAPACITY_RESERVATION"
KINDS: dict[str, Kind] = {
    "IMPORT_CAPACITY_LIMIT": "limit",
    SUBSCRIPTION: "limit",
    RESERVATION: "limit",
    "DISPATCH_SETPOINT": "setpoint",
    **dict.fromkeys(RELATIVE, "delta"),
    SIMPLE: "level",
    EMERGENCY: "emergency",
}
LEVELS_PCT = (100, 70, 30, 0)
ROUNDS_MAX = 2_000  # of intervals that an event's duration repeats
WORDS_MAX = 5_000  # intervals with something to follow
CAPACITY_MAX = 200  # of them with a capacity: each is summed with each
INFINITE = "P9999Y"


class EventError(ValueError):
    """An event that cannot be followed; the text names it, the key, and what would be right."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Unknown keys are somebody else's and are passed over, as the specification asks."""


class Period(_Part, frozen=True):
    start: str = ""
    duration: str | None = None
    randomize_start: str | None = None


class Values(_Part, frozen=True):
    type: str
    values: list[Any] = []


class Interval(_Part, frozen=True):
    id: int
    payloads: list[Values]
    interval_period: Period | None = None


class Descriptor(_Part, frozen=True):
    payload_type: str
    units: str | None = None


class Asked(_Part, frozen=True):
    """A report descriptor: what the VTN wants to be told."""

    payload_type: str
    reading_type: str | None = None
    units: str | None = None
    frequency: int = -1
    repeat: int = 1


class Event(_Part, frozen=True):
    id: str
    program_id: str = msgspec.field(name="programID")
    event_name: str | None = None
    priority: int | None = None
    duration: str | None = None
    interval_period: Period | None = None
    intervals: list[Interval] | None = None
    payload_descriptors: list[Descriptor] | None = None
    report_descriptors: list[Asked] | None = None

    @property
    def called(self) -> str:
        return f"event {self.event_name or self.id}"


@dataclass(frozen=True, slots=True)
class Means:
    """What events are read with.  limit_w: the site's own.  drawn_w: what the site was asked
    to draw when an event began to hold, by its name; see RELATIVE."""

    site: str
    limit_w: int
    levels_pct: tuple[int, ...] = LEVELS_PCT
    drawn_w: Callable[[str], int] = lambda name: 0


@dataclass(frozen=True, slots=True)
class Span:
    """One interval in time, with its payloads."""

    from_s: float
    until_s: float
    payloads: Sequence[Values]


def decode(payload: bytes) -> list[Event]:
    """The events of an answer, each that is one; raises EventError when the answer is no list."""
    try:
        return msgspec.json.decode(payload, type=list[Event])
    except (msgspec.DecodeError, RecursionError) as error:
        raise EventError(f"the VTN's answer is no list of events: {error}") from None


def words(event: Event, seen_s: float, means: Means) -> list[Word]:
    """Of one event, none when it was cancelled.  seen_s: when it was first heard: its "now".

    Raises EventError.
    """
    rows: dict[str, list[tuple[float, float, int]]] = {}
    for span in spans(event, seen_s, means.site):
        for payload in span.payloads:
            if payload.type in KINDS:
                w = _watts(event, payload, means)
                rows.setdefault(payload.type, []).append((span.from_s, span.until_s, w))
    priority = LAST if event.priority is None else event.priority
    return [
        Word(f"{event.called} {kind}", ((from_s, w),), until_s, priority, KINDS[kind])
        for kind, parts in rows.items()
        for from_s, until_s, w in parts
    ]


def capacity_words(found: Sequence[Word]) -> list[Word]:
    """Subscriptions with the reservations on top of them, urgent to nobody.

    Raises EventError.
    """
    bases = [word for word in found if word.name.endswith(SUBSCRIPTION)]
    extras = [word for word in found if word.name.endswith(RESERVATION)]
    if len(bases) + len(extras) > CAPACITY_MAX:
        raise EventError(
            f"{len(bases) + len(extras)} intervals with a capacity; the most is {CAPACITY_MAX}"
        )
    made = []
    for base in bases:
        edges = {base.rows[0][0], *(edge for extra in extras for edge in _ends(extra))}
        inside = sorted(at_s for at_s in edges if base.rows[0][0] <= at_s < base.until_s)
        rows = tuple(
            (at_s, base.rows[0][1] + sum(extra.limit_w(at_s) or 0 for extra in extras))
            for at_s in inside
        )
        made.append(Word(base.name, rows, base.until_s, LAST + 1))
    return made


def limit_words(found: Sequence[Word]) -> list[Word]:
    """All but the capacities."""
    return [word for word in found if not word.name.endswith((SUBSCRIPTION, RESERVATION))]


def _ends(word: Word) -> tuple[float, float]:
    return word.rows[0][0], word.until_s


def spans(event: Event, seen_s: float, site: str) -> list[Span]:
    """The intervals in time: one after the other, each with its own period or the event's."""
    default = event.interval_period or Period()
    shift_s = _random_s(event, default, site)
    at_s = _start_s(event, default.start, seen_s) + shift_s
    begin_s, found = at_s, []
    if len(event.intervals or ()) > WORDS_MAX:
        raise EventError(f"{event.called}: over {WORDS_MAX} intervals")
    for interval in event.intervals or ():
        own = interval.interval_period
        if own is not None and own.start:
            at_s = _start_s(event, own.start, seen_s) + _random_s(event, own, site)
        length_s = _length_s(event, own.duration if own and own.duration else default.duration)
        if length_s > 0 and at_s < FOREVER:
            found.append(Span(at_s, at_s + length_s, interval.payloads))
        at_s += length_s
    return _looped(event, found, begin_s, at_s)


def _looped(event: Event, once: list[Span], begin_s: float, end_s: float) -> list[Span]:
    """An event longer than its intervals repeats them; a shorter one cuts them."""
    if event.duration is None or not once:
        return once
    round_s, until_s = end_s - begin_s, begin_s + _length_s(event, event.duration)
    found, shift_s = list(once), round_s
    while begin_s + shift_s < until_s < FOREVER and 0 < round_s < FOREVER:
        if shift_s / round_s > ROUNDS_MAX or len(found) > WORDS_MAX:
            raise EventError(
                f"{event.called}: duration repeats its intervals over {ROUNDS_MAX} times, or to"
                f" over {WORDS_MAX}"
            )
        found += [Span(s.from_s + shift_s, s.until_s + shift_s, s.payloads) for s in once]
        shift_s += round_s
    return [
        Span(span.from_s, min(span.until_s, until_s), span.payloads)
        for span in found
        if span.from_s < until_s
    ]


def _start_s(event: Event, text: str, seen_s: float) -> float:
    if not text or text.startswith("0001-01-01"):
        return seen_s
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EventError(f"{event.called}: start is {text[:40]!r}, no date and time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _length_s(event: Event, text: str | None) -> float:
    if text is None or text.startswith(INFINITE):
        return FOREVER
    try:
        length_s = msgspec.convert(text, timedelta, strict=False).total_seconds()
    except (msgspec.ValidationError, OverflowError):
        raise EventError(f"{event.called}: duration is {text[:40]!r}; PT15M would be one") from None
    if length_s < 0:
        raise EventError(f"{event.called}: duration {text[:40]!r} is negative")
    return length_s


def _random_s(event: Event, period: Period, site: str) -> float:
    """This site's own part of randomizeStart, before or after; the same at every look."""
    if period.randomize_start is None:
        return 0.0
    range_s = _length_s(event, period.randomize_start)
    if range_s == FOREVER:
        raise EventError(f"{event.called}: randomizeStart has no end")
    return stagger_s(site, event.id, 2 * range_s) - range_s


def _watts(event: Event, payload: Values, means: Means) -> int:
    if payload.type == EMERGENCY:
        return 0
    value = payload.values[0] if payload.values else None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise EventError(f"{event.called}: {payload.type} has no number in values")
    if payload.type == SIMPLE:
        if value not in range(len(means.levels_pct)):
            raise EventError(
                f"{event.called}: SIMPLE is {value:g}; 0 to {len(means.levels_pct) - 1}"
            )
        return means.limit_w * means.levels_pct[int(value)] // 100
    relative_w = means.drawn_w(event.id) if payload.type in RELATIVE else 0
    w = relative_w + value * _unit_w(event, payload.type, means)
    if payload.type not in RELATIVE and w < 0:
        raise EventError(f"{event.called}: {payload.type} is {value:g}; import is 0 or more")
    return round(min(max(w, 0), 10e9))


def _unit_w(event: Event, kind: str, means: Means) -> float:
    units = next(
        (one.units for one in event.payload_descriptors or () if one.payload_type == kind), None
    )
    if units in (None, "KW"):
        return 1000.0
    if units == "PERCENT":
        return means.limit_w / 100
    raise EventError(f"{event.called}: {kind} is in {units}; KW or PERCENT would be right")
