"""[signal.openadr2]: a VEN of OpenADR 2.0b."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, Seconds
from supervisor.settings import Section


class Openadr2Config(Section, frozen=True, kw_only=True):
    """Pull over HTTP; with a certificate messages are signed and TLS is mutual."""

    url: Annotated[
        str, Meta(pattern="^https?://.+", description="of the VTN, with /OpenADR2/Simple/2.0b")
    ]
    ven: Annotated[str, Meta(description="this site's name there; site.name when left out")] = ""
    cert_file: str | None = None
    key_file: str | None = None
    ca_file: str | None = None
    silence_s: Seconds = 90.0
    report_s: Seconds = 10.0
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="when no event runs, and after a loss")
    ] = 0.0
    levels_pct: Annotated[
        tuple[int, int, int, int], Meta(description="of the limit, for SIMPLE 0 to 3")
    ] = (100, 70, 30, 0)
    stagger_s: Annotated[
        float, Meta(ge=0, le=600, description="a lost site waits up to so long, each its own")
    ] = 60.0
    fall_pct_per_s: Annotated[
        float, Meta(ge=0.01, le=100, description="of the limit: how it falls when lost")
    ] = 0.27
