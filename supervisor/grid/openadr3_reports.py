"""What a VTN is told: reports in OpenADR 3.1's form, from what the site tells everybody.

A value that is not known is left out, and DATA_QUALITY says so.  Power is in kW.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from supervisor.grid.openadr3_events import INFINITE, Event, Span
from supervisor.grid.told import Told
from supervisor.loss import FOREVER

_QUALITY = {"ok": "OK", "stale": "MISSING", "missing": "MISSING"}
_SHED_S, _UP_S = 1, 1  # of capability's times: what is there within a minute


def _kw(w: int | None) -> float | None:
    return None if w is None else round(w / 1000, 3)


def _metered_kw(told: Told) -> float | None:
    return _kw(told.metered_w) if told.quality == "ok" else None


def state(told: Told) -> str:
    """One of the specification's operating states."""
    if told.quality != "ok":
        return "IDLE_CRITICAL"
    if told.asked_w <= told.floor_w:
        return "IDLE_CURTAILED"
    return "RUNNING_CURTAILED" if told.limit_w < told.capacity_w else "RUNNING_NORMAL"


VALUES: dict[str, Callable[[Told], float | str | None]] = {
    "USAGE": _metered_kw,
    "DEMAND": _metered_kw,
    "READING": _metered_kw,
    "SETPOINT": lambda told: _kw(told.asked_w),
    "OPERATING_STATE": state,
    "DATA_QUALITY": lambda told: _QUALITY[told.quality],
    "LOAD_SHED_DELTA_AVAILABLE": lambda told: _kw(told.capability.down_w[_SHED_S]),
    "DOWN_REGULATION_AVAILABLE": lambda told: _kw(told.capability.down_w[_SHED_S]),
    "UP_REGULATION_AVAILABLE": lambda told: _kw(told.capability.up_w[_UP_S]),
    "IMPORT_RESERVATION_CAPACITY": lambda told: _kw(told.capacity_w),
}
UNITS = {"OPERATING_STATE": None, "DATA_QUALITY": None}
FORECAST, FORESEEN = "FORECAST", ("USAGE", "DEMAND")
SPANS_MAX = 100  # intervals of a forecast


def wanted(event: Event) -> list[str]:
    """The kinds of readings an event asks for that this site can make."""
    asked = event.report_descriptors or ()
    return [
        one.payload_type
        for one in asked
        if one.payload_type in VALUES and one.reading_type != FORECAST
    ]


def foretold(event: Event) -> list[str]:
    """The kinds it asks a forecast of: what the site would draw because of it."""
    asked = event.report_descriptors or ()
    return [
        one.payload_type
        for one in asked
        if one.payload_type in FORESEEN and one.reading_type == FORECAST
    ]


def report(event: Event, ven: str, resource: str, told: Told, period_s: float) -> dict[str, Any]:
    """One report for all readings an event asks for, about the time until now."""
    kinds = wanted(event)
    if "DATA_QUALITY" not in kinds:
        kinds.append("DATA_QUALITY")
    payloads = [
        {"type": kind, "values": [value]}
        for kind in kinds
        if (value := VALUES[kind](told)) is not None
    ]
    part = _interval(0, told.unix_s - period_s, period_s, payloads)
    return _report(event, ven, resource, kinds, [part], "DIRECT_READ")


def forecast(
    event: Event, ven: str, resource: str, spans: Sequence[Span], drawn_w: Callable[[float], int]
) -> dict[str, Any]:
    """What the site will draw in an event's intervals.  drawn_w(at_s): as far as it is known."""
    kinds = foretold(event)
    parts = [
        _interval(
            number,
            span.from_s,
            span.until_s - span.from_s,
            [{"type": kind, "values": [_kw(drawn_w(span.from_s))]} for kind in kinds],
        )
        for number, span in enumerate(spans[:SPANS_MAX])
    ]
    return _report(event, ven, resource, kinds, parts, FORECAST)


def _report(
    event: Event,
    ven: str,
    resource: str,
    kinds: list[str],
    intervals: list[dict[str, Any]],
    reading: str,
) -> dict[str, Any]:
    return {
        "eventID": event.id,
        "programID": event.program_id,  # which version 3.0 insists on
        "clientName": ven,
        "reportName": f"{resource} {event.id} {reading}",
        "payloadDescriptors": [_descriptor(kind, reading) for kind in kinds],
        "resources": [{"resourceName": resource, "intervals": intervals}],
    }


def _interval(
    number: int, from_s: float, length_s: float, payloads: list[dict[str, Any]]
) -> dict[str, Any]:
    start = datetime.fromtimestamp(from_s, UTC).isoformat(timespec="milliseconds")
    length = f"PT{length_s:.12g}S" if length_s < FOREVER else INFINITE
    period = {"start": start, "duration": length}
    return {"id": number, "intervalPeriod": period, "payloads": payloads}


def _descriptor(kind: str, reading: str) -> dict[str, Any]:
    made = {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": kind}
    if kind in UNITS:
        return made
    return made | {"units": "KW", "readingType": reading}
