"""[frequency]: what the site gives when the grid's frequency falls."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import Seconds
from supervisor.settings import Section

_Hz = Annotated[float, Meta(ge=45, le=65, description="hertz, 45 to 65: 50 or 60")]


class FrequencyConfig(Section, frozen=True, kw_only=True):
    """Left out, the site does not look at the frequency."""

    nominal_hz: _Hz = 50.0
    dead_band_hz: Annotated[
        float, Meta(gt=0, le=2, description="hertz below nominal without an answer, above 0 to 2")
    ] = 0.05
    droop_pct: Annotated[
        float,
        Meta(gt=0, le=10, description="percent of nominal, from the dead band to all asleep"),
    ] = 0.9
    recovery_s: Seconds = 60.0
    restore_pct_per_min: Annotated[
        float, Meta(gt=0, le=6000, description="percent of what was given, a minute")
    ] = 20.0
    stale_s: Seconds = 5.0
    silent_pct: Annotated[
        float, Meta(ge=0, le=100, description="percent left when nobody reads it any more")
    ] = 100.0
    topic: (
        Annotated[str, Meta(min_length=1, max_length=200, description="a topic, no wildcard")]
        | None
    ) = None
