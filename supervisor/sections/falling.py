"""What the settings of every source have in common that is followed past its own silence."""

from typing import Annotated

from msgspec import Meta

from supervisor.loss import Loss, Policy, stagger_s
from supervisor.sections.kinds import Seconds
from supervisor.settings import Section


class FallingConfig(Section, frozen=True, kw_only=True):
    """A source that, once lost, is left after a wait of the site's own and by a gradient."""

    silence_s: Seconds = 90.0
    stagger_s: Annotated[
        float, Meta(ge=0, le=600, description="a lost site waits up to so long, each its own")
    ] = 60.0
    fall_pct_per_s: Annotated[
        float, Meta(ge=0.01, le=100, description="of the limit: how it falls when lost")
    ] = 0.27

    def loss(
        self, policy: Policy, site: str, source: str, limit_w: int, hold_s: float = 0.0
    ) -> Loss:
        """What these settings make of the source's silence at a site of limit_w."""
        return Loss(
            policy,
            self.silence_s,
            hold_s,
            delay_s=stagger_s(site, source, self.stagger_s),
            fall_w_per_s=self.fall_pct_per_s / 100 * limit_w,
        )


class OpenadrConfig(FallingConfig, frozen=True, kw_only=True):
    """What [signal.openadr2] and [signal.openadr3] have in common: a VEN at a VTN."""

    ven: Annotated[str, Meta(description="this site's name there; site.name when left out")] = ""
    report_s: Seconds = 10.0
    levels_pct: Annotated[
        tuple[int, int, int, int], Meta(description="of the limit, for SIMPLE 0 to 3")
    ] = (100, 70, 30, 0)
