"""[policy] and [[feeders]]: who runs first, and what each feeder and container carries."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import W_PER_KW
from supervisor.settings import Section

_Rest = Annotated[float, Meta(ge=0, le=86_400, description="seconds, 0 to 86400")]


class PolicyConfig(Section, frozen=True, kw_only=True):
    """rigs: a CSV file `rig,place,priority`."""

    rigs: Annotated[str, Meta(min_length=1, description="a CSV file")] | None = None
    min_on_s: _Rest = 15.0
    min_off_s: _Rest = 15.0
    starts_per_day: Annotated[
        float, Meta(ge=1, le=1440, description="starts of a rig in a day, 1 to 1440")
    ] = 24.0


class FeederKeys(Section, frozen=True, kw_only=True):
    """A node of the tree: everything whose place begins with this path hangs below it."""

    path: Annotated[
        str, Meta(min_length=1, max_length=200, description='as in "feeder-2/container-7"')
    ]
    limit_kw: Annotated[float, Meta(gt=0, le=1e7, description="kilowatts it carries, above 0")]
    auxiliary_kw: Annotated[
        float, Meta(ge=0, le=1e7, description="kilowatts of it that are fans, pumps and losses")
    ] = 0.0

    @property
    def limit_w(self) -> float:
        return self.limit_kw * W_PER_KW

    @property
    def auxiliary_w(self) -> float:
        return self.auxiliary_kw * W_PER_KW


def files(policy: PolicyConfig) -> Iterator[tuple[str, str]]:
    """What must be there."""
    if policy.rigs:
        yield "policy.rigs", policy.rigs


def nonsense(policy: PolicyConfig, feeders: tuple[FeederKeys, ...]) -> Iterator[tuple[str, str]]:
    """What each value alone could not tell."""
    if feeders and not policy.rigs:
        yield "policy.rigs", "feeders need the list of which rig stands where"
    paths = [feeder.path for feeder in feeders]
    for feeder in feeders:
        if "" in feeder.path.split("/"):
            yield "feeders.path", f"{feeder.path!r}: names with / between, none of them empty"
        if paths.count(feeder.path) > 1:
            yield "feeders.path", f"{feeder.path!r} is there twice"
        if feeder.auxiliary_kw >= feeder.limit_kw:
            yield "feeders.auxiliary_kw", f"{feeder.path!r}: must be less than its limit_kw"
