"""[site]: what the site is, and what it may draw."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, W_PER_KW, W_PER_MW, Seconds
from supervisor.settings import Section


class SiteConfig(Section, frozen=True, kw_only=True):
    """What the site is and may draw."""

    name: Annotated[str, Meta(description="1 to 32 of a-z, 0-9 and -")]
    limit_mw: Annotated[float, Meta(gt=0, le=MW_MAX, description="what breaker and feeders carry")]
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="import with no signal")] = 0.0
    auxiliary_kw: Annotated[
        float, Meta(ge=0, le=1e6, description="fans, pumps and losses, between envelope and budget")
    ] = 0.0
    margin_pct: Annotated[float, Meta(ge=0, le=50, description="of the budget, kept free")] = 0.0
    up_ramp_mw_per_min: (
        Annotated[float, Meta(gt=0, description="above 0; from the rigs when left out")] | None
    ) = None
    down_ramp_mw_per_min: (
        Annotated[float, Meta(gt=0, description="above 0; just in time when left out")] | None
    ) = None
    state_dir: Annotated[str, Meta(min_length=1, description="a folder, made when missing")] = (
        "surplus-state"
    )
    telemetry_s: Seconds = 10.0
    lease_s: Annotated[float, Meta(ge=1, le=600, description="seconds, 1 to 600")] = 10.0
    broadcast_s: Annotated[float, Meta(ge=0.1, le=60, description="seconds, 0.1 to 60")] = 1.0

    @property
    def limit_w(self) -> int:
        return round(self.limit_mw * W_PER_MW)

    @property
    def default_w(self) -> int:
        return round(self.default_mw * W_PER_MW)

    @property
    def auxiliary_w(self) -> int:
        return round(self.auxiliary_kw * W_PER_KW)

    @property
    def up_ramp_w_per_s(self) -> float | None:
        """None: derive it from the rigs."""
        ramp = self.up_ramp_mw_per_min
        return None if ramp is None else ramp * W_PER_MW / 60

    @property
    def down_ramp_w_per_s(self) -> float | None:
        """Of falls that are announced; None: just in time."""
        ramp = self.down_ramp_mw_per_min
        return None if ramp is None else ramp * W_PER_MW / 60
