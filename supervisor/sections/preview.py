"""[preview]: which words a person should look at before they are accepted."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX
from supervisor.settings import Section

_Mw = Annotated[float, Meta(gt=0, le=MW_MAX)]


class PreviewConfig(Section, frozen=True, kw_only=True):
    """For protocols that ask before they order; nothing is too much until it is set."""

    refuse: Annotated[
        bool, Meta(description="true: what is too much is refused, not only noted")
    ] = False
    max_fall_mw: Annotated[_Mw, Meta(description="the largest step down")] | None = None
    max_rise_mw: Annotated[_Mw, Meta(description="the largest step up")] | None = None
    max_sleep_pct: (
        Annotated[float, Meta(gt=0, le=100, description="of the rigs, sent to sleep by it")] | None
    ) = None
    max_lost_mwh: (
        Annotated[float, Meta(gt=0, le=1e6, description="energy that is not drawn for it")] | None
    ) = None
