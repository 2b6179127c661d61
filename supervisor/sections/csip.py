"""[signal.csip]: a client of an IEEE 2030.5 utility server, by CSIP-AUS."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.falling import FallingConfig
from supervisor.sections.kinds import MW_MAX, Seconds


class CsipConfig(FallingConfig, frozen=True, kw_only=True):
    """The certificate is what the site is known by: its LFDI comes from it."""

    url: Annotated[str, Meta(pattern="^https?://.+", description="of the utility server, https")]
    cert_file: str | None = None
    key_file: str | None = None
    ca_file: str | None = None
    path: Annotated[str, Meta(pattern="^/.*", description="of its DeviceCapability")] = "/dcap"
    poll_s: Seconds = 60.0
    report_s: Seconds = 60.0
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="until a DefaultDERControl is known")
    ] = 0.0
