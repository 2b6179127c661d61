"""What [signal.iec104] and [signal.dnp3] have in common: an outstation a control room orders."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.falling import FallingConfig
from supervisor.sections.kinds import MW_MAX, Host, Port, Seconds


class ScadaConfig(FallingConfig, frozen=True, kw_only=True):
    """Off until it is there; on loopback until another address is named."""

    host: Host = "127.0.0.1"
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="until it is ordered, and after a loss")
    ] = 0.0
    silence_s: Seconds = 60.0
    hold_s: Annotated[
        float, Meta(ge=0, le=86_400, description="how long a lost set-point is held on")
    ] = 60.0
    watchdog: Annotated[
        bool, Meta(description="true: only the watchdog point counts as being heard")
    ] = False


class Iec104Config(ScadaConfig, frozen=True, kw_only=True):
    port: Port = 2404
    address: Annotated[int, Meta(ge=1, le=65534, description="common address, 1 to 65534")] = 1


class Dnp3Config(ScadaConfig, frozen=True, kw_only=True):
    port: Port = 20000
    address: Annotated[int, Meta(ge=0, le=65519, description="of this outstation")] = 10
    master: Annotated[int, Meta(ge=0, le=65519, description="of the master")] = 1
