"""[signal.openadr2]: a VEN of OpenADR 2.0b."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.falling import OpenadrConfig
from supervisor.sections.kinds import MW_MAX


class Openadr2Config(OpenadrConfig, frozen=True, kw_only=True):
    """Pull over HTTP; with a certificate messages are signed and TLS is mutual."""

    url: Annotated[
        str, Meta(pattern="^https?://.+", description="of the VTN, with /OpenADR2/Simple/2.0b")
    ]
    cert_file: str | None = None
    key_file: str | None = None
    ca_file: str | None = None
    poll_s: Annotated[
        float, Meta(ge=0, le=86_400, description="how often it polls; 0: as the VTN asks")
    ] = 0.0
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="when no event runs, and after a loss")
    ] = 0.0
