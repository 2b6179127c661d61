"""[signal.calendar] and [signal.price]: planned windows, and what power may cost."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, Seconds
from supervisor.settings import Section

_Price = Annotated[float, Meta(ge=-1e6, le=1e6, description="per MWh, in the feed's currency")]
_Hold = Annotated[float, Meta(ge=0, le=86_400, description="seconds, 0 to 86400")]


class CalendarConfig(Section, frozen=True, kw_only=True):
    """An iCalendar file; read again when it changes."""

    file: Annotated[str, Meta(min_length=1, description="an .ics file")]
    default_mw: (
        Annotated[float, Meta(ge=0, le=MW_MAX, description="between windows; none when left out")]
        | None
    ) = None


class PriceConfig(Section, frozen=True, kw_only=True):
    """The site runs while power costs strike or less, and sleeps while it costs more."""

    topic: Annotated[str, Meta(min_length=1, max_length=200, description="a topic, no wildcard")]
    strike: _Price
    band: Annotated[
        float, Meta(ge=0, le=1e6, description="so much below strike before it runs again")
    ] = 0.0
    run_s: _Hold = 600.0
    rest_s: _Hold = 600.0
    silence_s: Seconds = 900.0
