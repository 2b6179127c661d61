"""[meter]: the meter of the whole site."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import Host, Seconds
from supervisor.settings import Section


class MeterConfig(Section, frozen=True, kw_only=True):
    """The Modbus TCP meter of the whole site.  map: of supervisor/meters, or a path."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 502
    unit: Annotated[int, Meta(ge=0, le=255, description="the Modbus unit, 0 to 255")] = 1
    map: Annotated[str, Meta(min_length=1, description="a register map: a name or a path")]
    poll_s: Seconds = 1.0
    stale_s: Seconds = 5.0
