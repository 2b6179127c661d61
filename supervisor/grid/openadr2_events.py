"""OpenADR 2.0b events as words: SIMPLE levels and LOAD_DISPATCH set-points in watts.

Events come as openleadr's dictionaries.  Priority 1 is the most urgent and 0 means none,
as the 2.0b profile has it.  Between intervals of an event there are no gaps; the event
ends with its active period.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from supervisor.envelope import Kind
from supervisor.loss import FOREVER, stagger_s
from supervisor.plan import LAST, Word

SCALES = {"none": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3}
KINDS: dict[str, Kind] = {"setpoint": "setpoint", "delta": "delta", "multiplier": "delta"}
GONE = ("cancelled", "completed")


class EventError(ValueError):
    """An event that cannot be followed; the text names it and what would be right."""


@dataclass(frozen=True, slots=True)
class Means:
    """limit_w: the site's own.  drawn_w: what was asked when an event was first heard."""

    site: str
    limit_w: int
    levels_pct: tuple[int, ...]
    drawn_w: Callable[[str], int]


def words(event: Mapping[str, Any], means: Means) -> list[Word]:
    """Of one event, none when it is over or cancelled.  Raises EventError and nothing else."""
    try:
        return _words(event, means)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, EventError):
            raise
        raise EventError(f"{called(event)}: {type(error).__name__} {error}") from None


def called(event: Mapping[str, Any]) -> str:
    return f"event {str(_descriptor(event).get('event_id', '?'))[:60]}"


def _descriptor(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found = event.get("event_descriptor") if isinstance(event, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _words(event: Mapping[str, Any], means: Means) -> list[Word]:
    descriptor = _descriptor(event)
    if descriptor.get("event_status") in GONE:
        return []
    period = event["active_period"]
    start_s = _start_s(period, descriptor, means.site)
    length = period.get("duration")
    end_s = start_s + length.total_seconds() if length else FOREVER
    urgent = int(descriptor.get("priority") or 0)
    made = []
    for signal in event["event_signals"]:
        if rows := _rows(event, signal, start_s, means):
            name = f"{called(event)} {signal['signal_name']}"
            kind = KINDS.get(str(signal.get("signal_type")), "level")
            made.append(Word(name, tuple(rows), end_s, urgent if urgent else LAST, kind))
    return made


def _start_s(period: Mapping[str, Any], descriptor: Mapping[str, Any], site: str) -> float:
    """With this site's own part of the tolerance, after the start."""
    start: datetime = period["dtstart"]
    tolerance = period.get("tolerance") or {}
    after = (tolerance.get("tolerate") or {}).get("startafter") if tolerance else None
    shift_s = 0.0
    if isinstance(after, timedelta):
        shift_s = stagger_s(site, str(descriptor.get("event_id")), after.total_seconds())
    return start.timestamp() + shift_s


def _rows(
    event: Mapping[str, Any], signal: Mapping[str, Any], start_s: float, means: Means
) -> list[tuple[float, int]]:
    name, kind = signal["signal_name"], signal.get("signal_type")
    if name in ("SIMPLE", "simple"):
        convert = _level(event, means)
    elif name == "LOAD_DISPATCH":
        convert = _dispatch(event, signal, str(kind), means)
    else:
        return []  # a price, a storage set-point: somebody else's
    rows, at_s = [], start_s
    for interval in signal["intervals"]:
        rows.append((at_s, convert(interval["signal_payload"])))
        length = interval.get("duration")
        at_s += length.total_seconds() if length else 0.0
    return rows


def _level(event: Mapping[str, Any], means: Means) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if value not in range(len(means.levels_pct)):
            raise EventError(f"{called(event)}: SIMPLE is {str(value)[:20]}; it is 0 to 3")
        return means.limit_w * means.levels_pct[int(value)] // 100

    return convert


def _dispatch(
    event: Mapping[str, Any], signal: Mapping[str, Any], kind: str, means: Means
) -> Callable[[Any], int]:
    """setpoint: watts; delta: from where the site was; multiplier: of where it was."""
    scale = _scale(event, signal)
    began_w = means.drawn_w(str(_descriptor(event).get("event_id")))

    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EventError(f"{called(event)}: LOAD_DISPATCH has no number in its payload")
        w = {
            "setpoint": value * scale,
            "delta": began_w + value * scale,
            "multiplier": began_w * value,
        }.get(kind)
        if w is None:
            raise EventError(
                f"{called(event)}: LOAD_DISPATCH is a {kind[:20]}; setpoint, delta and multiplier"
                " are followed"
            )
        if w < 0 and kind == "setpoint":
            raise EventError(f"{called(event)}: the set-point is {value:g}; import is 0 or more")
        return round(min(max(w, 0), 10e9))

    return convert


def _scale(event: Mapping[str, Any], signal: Mapping[str, Any]) -> float:
    """Watts a unit: kW when the event says nothing."""
    measurement = signal.get("measurement")
    if measurement is None:
        return 1e3
    found = getattr(measurement, "scale", None) or (
        measurement.get("scale") if isinstance(measurement, Mapping) else None
    )
    if found not in SCALES:
        raise EventError(f"{called(event)}: scale {str(found)[:20]!r} of its measurement")
    return SCALES[found]
