"""What a VTN is told: reports in OpenADR 3.1's form, from what the site tells everybody.

A value that is not known is left out, and DATA_QUALITY says so.  Power is in kW.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from supervisor.grid.openadr3_events import Asked, Event
from supervisor.grid.told import Told

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


def wanted(event: Event) -> list[Asked]:
    """The reports an event asks for that this site can make."""
    return [one for one in event.report_descriptors or () if one.payload_type in VALUES]


def report(event: Event, ven: str, resource: str, told: Told, period_s: float) -> dict[str, Any]:
    """One report for everything an event asks for, about the time until now."""
    kinds = [one.payload_type for one in wanted(event)]
    if "DATA_QUALITY" not in kinds:
        kinds.append("DATA_QUALITY")
    payloads = [
        {"type": kind, "values": [value]}
        for kind in kinds
        if (value := VALUES[kind](told)) is not None
    ]
    start = datetime.fromtimestamp(told.unix_s - period_s, UTC).isoformat(timespec="milliseconds")
    return {
        "eventID": event.id,
        "programID": event.program_id,  # which version 3.0 insists on
        "clientName": ven,
        "reportName": f"{resource} {event.id}",
        "payloadDescriptors": [_descriptor(kind) for kind in kinds],
        "resources": [
            {
                "resourceName": resource,
                "intervalPeriod": {"start": start, "duration": f"PT{period_s:g}S"},
                "intervals": [{"id": 0, "payloads": payloads}],
            }
        ],
    }


def _descriptor(kind: str) -> dict[str, Any]:
    made = {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": kind}
    if kind in UNITS:
        return made
    return made | {"units": "KW", "readingType": "DIRECT_READ"}
