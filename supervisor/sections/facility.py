"""[facility] and [[drives]]: the fans and pumps that rigs must not run without."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from supervisor.sections.kinds import Seconds
from supervisor.settings import Section


class FacilityConfig(Section, frozen=True, kw_only=True):
    """How airflow is proven, and how long a drive is left running."""

    steady_s: Seconds = 5.0
    fresh_s: Seconds = 4.0
    shed_s: Seconds = 10.0
    failed_s: Seconds = 30.0
    cool_down_s: Seconds = 180.0
    stage_s: Seconds = 10.0
    reassert_s: Seconds = 30.0
    poll_s: Seconds = 1.0


class DriveKeys(Section, frozen=True, kw_only=True):
    """One fan or pump.  map: of supervisor/drives, or a path."""

    name: Annotated[str, Meta(min_length=1, max_length=32, description="1 to 32 characters")]
    gateway: Annotated[str, Meta(min_length=1, description="the name of one of [[modbus]]")]
    unit: Annotated[int, Meta(ge=0, le=255, description="the Modbus unit, 0 to 255")] = 1
    map: Annotated[str, Meta(min_length=1, description="a map of a drive: a name or a path")]
    carries_mw: Annotated[float, Meta(gt=0, le=10_000, description="load it can cool, in MW")]
    zone: Annotated[str, Meta(max_length=32, description="the hall it is in")] = ""
    speed_pct: Annotated[float, Meta(gt=0, le=200, description="percent, up to 200")] = 100.0
    proof: Annotated[
        Literal["speed", "current", "pressure"],
        Meta(description='"speed", "current" or "pressure"'),
    ] = "speed"
    proof_min: Annotated[float, Meta(gt=0, description="in %, A or Pa; above 0")] = 80.0


def nonsense(
    facility: FacilityConfig, drives: tuple[DriveKeys, ...], gateways: set[str]
) -> Iterator[tuple[str, str]]:
    names = [keys.name for keys in drives]
    for keys in drives:
        if names.count(keys.name) > 1:
            yield "drives.name", f"two drives are called {keys.name}"
        if keys.gateway not in gateways:
            yield "drives.gateway", f"{keys.gateway} is none of [[modbus]]"
    if facility.shed_s < facility.fresh_s:
        yield "facility.shed_s", f"must be at least facility.fresh_s, {facility.fresh_s:g}"
    if facility.fresh_s < 2 * facility.poll_s:
        yield "facility.fresh_s", f"must be at least two polls, {2 * facility.poll_s:g}"
