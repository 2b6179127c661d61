"""[signal.sunspec]: a Modbus TCP server that control rooms write to."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, Host, Port
from supervisor.settings import Section


class SunspecConfig(Section, frozen=True, kw_only=True):
    """Off until it is there; on loopback until another address is named."""

    host: Host = "127.0.0.1"
    port: Port = 502
    unit: Annotated[int, Meta(ge=1, le=247, description="of the SunSpec map, 1 to 247")] = 1
    plain_unit: Annotated[int, Meta(ge=1, le=247, description="of the plain map, 1 to 247")] = 2
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="until it is written to, and at a timer's end")
    ] = 0.0
    revert_s: Annotated[
        float, Meta(ge=1, le=604_800, description="a set-point's timer where none was written")
    ] = 300.0
    heartbeat_s: Annotated[
        float, Meta(ge=0, le=86_400, description="ControllerHb must change so often; 0: need not")
    ] = 0.0
