"""What the site has besides rigs on MQTT: meters, fans and pumps, rigs on Modbus lines, and
rigs with somebody else's firmware."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.kept import Keeper
from supervisor.lasting import Source
from supervisor.modbus import gateways_of
from supervisor.site import Site
from supervisor.sources import drives, meter, rigs_modbus, stock


@dataclass(frozen=True)
class Devices:
    """sources: to be run.  keeper.publish(send) is what the site must publish with.

    measures: for alarms, a value by what it is about.
    """

    keeper: Keeper
    sources: Sequence[Source]
    measures: Mapping[str, Callable[[], dict[str, float]]]


def devices_of(
    config: Config, inbox: Inbox, site: Site, leads: Callable[[], bool] = lambda: True
) -> Devices:
    """All of them, as the settings name them; told something only while this supervisor leads.

    Raises MapError and SecretError."""
    gateways, keeper = gateways_of(config.all_gateways), Keeper(config.site.name, leads=leads)
    sources: list[Source] = [
        gateways,
        *meter.meters_of(config, inbox, gateways),
        *rigs_modbus.lines_of(config, inbox, gateways, keeper),
        *stock.rigs_of(config, inbox, keeper, site, time.monotonic),
    ]
    measures = {}
    if facility := drives.drives_of(config, inbox, gateways, site, leads):
        sources.append(facility)
        measures["drive.unproven_s"] = facility.unproven_s
    return Devices(keeper, sources, measures)
