"""[standby]: that two supervisors share the site, and which of them this is."""

from typing import Annotated

from msgspec import Meta

from supervisor.settings import Section


class StandbyConfig(Section, frozen=True, kw_only=True):
    """The table alone makes this supervisor listen before it leads."""

    rank: Annotated[int, Meta(ge=0, le=1, description="0 or 1, the other's is the other")]
    silence_s: Annotated[
        float, Meta(ge=3, le=8, description="seconds, 3 to 8, without a leader's word")
    ] = 3.0
