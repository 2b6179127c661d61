"""What [signal.iec104] and [signal.dnp3] have in common: an outstation a control room orders."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, Host, Seconds
from supervisor.settings import Section

_Port = Annotated[int, Meta(ge=0, le=65535, description="a TCP port, 0 for a free one")]


class ScadaConfig(Section, frozen=True, kw_only=True):
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
    stagger_s: Annotated[
        float, Meta(ge=0, le=600, description="a lost site waits up to so long, each its own")
    ] = 60.0
    fall_pct_per_s: Annotated[
        float, Meta(ge=0.01, le=100, description="of the limit: how it falls when lost")
    ] = 0.27


class Iec104Config(ScadaConfig, frozen=True, kw_only=True):
    port: _Port = 2404
    address: Annotated[int, Meta(ge=1, le=65534, description="common address, 1 to 65534")] = 1


class Dnp3Config(ScadaConfig, frozen=True, kw_only=True):
    port: _Port = 20000
    address: Annotated[int, Meta(ge=0, le=65519, description="of this outstation")] = 10
    master: Annotated[int, Meta(ge=0, le=65519, description="of the master")] = 1
