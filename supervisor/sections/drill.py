"""[drill]: how far a qualification may go; none may be run until it is there."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX
from supervisor.settings import Section


class DrillConfig(Section, frozen=True, kw_only=True):
    max_step_mw: Annotated[
        float, Meta(gt=0, le=MW_MAX, description="the largest step down of a drill")
    ]
    max_hold_s: Annotated[
        float, Meta(gt=0, le=86_400, description="the longest a drill holds it")
    ] = 900.0
