"""[meter] and [[meters]]: what is metered, and where."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import Host, Seconds
from supervisor.sections.modbus import ModbusConfig
from supervisor.settings import Section

SITE, FREQUENCY = "site", "frequency"  # names that mean something
SUNSPEC = "sunspec"  # the map that is found in the meter itself
OWN = "[meter]"  # what the gateway of that section is called

_Unit = Annotated[int, Meta(ge=0, le=255, description="the Modbus unit, 0 to 255")]
_Map = Annotated[
    str, Meta(min_length=1, description='a register map: a name, a path, or "sunspec"')
]


class MeterConfig(Section, frozen=True, kw_only=True):
    """The Modbus TCP meter of the whole site.  map: of supervisor/meters, or a path."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 502
    unit: _Unit = 1
    map: _Map
    poll_s: Seconds = 1.0
    stale_s: Seconds = 5.0


class MeterKeys(Section, frozen=True, kw_only=True):
    """One of several meters, behind a gateway of [[modbus]].

    name: says what it measures.  The grid's frequency comes from the one called so, else
    from the site's.
    """

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=32,
            description='"site", "auxiliary", "frequency", or a feeder by its name',
        ),
    ]
    gateway: Annotated[str, Meta(min_length=1, description="the name of one of [[modbus]]")]
    unit: _Unit = 1
    map: _Map
    flipped: Annotated[bool, Meta(description="true when it counts export as positive")] = False
    poll_s: Seconds = 1.0
    stale_s: Seconds = 5.0


def all_meters(meter: MeterConfig | None, meters: tuple[MeterKeys, ...]) -> tuple[MeterKeys, ...]:
    """Every meter there is, that of the whole site first."""
    if meter is None:
        return tuple(sorted(meters, key=lambda keys: keys.name != SITE))
    site = MeterKeys(
        name=SITE,
        gateway=OWN,
        unit=meter.unit,
        map=meter.map,
        poll_s=meter.poll_s,
        stale_s=meter.stale_s,
    )
    return (site, *meters)


def own_gateway(meter: MeterConfig | None) -> tuple[ModbusConfig, ...]:
    """The connection of [meter], which names no gateway."""
    if meter is None:
        return ()
    return (ModbusConfig(name=OWN, host=meter.host, port=meter.port, gap_ms=0.0),)


def nonsense(meters: tuple[MeterKeys, ...], gateways: set[str]) -> Iterator[tuple[str, str]]:
    """meters: as from all_meters()."""
    names = [keys.name for keys in meters]
    for keys in meters:
        if names.count(keys.name) > 1:
            yield "meters.name", f"two meters are called {keys.name}; [meter] is called {SITE}"
        if keys.gateway not in gateways:
            yield "meters.gateway", f"{keys.gateway} is none of [[modbus]]"
