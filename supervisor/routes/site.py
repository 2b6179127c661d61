"""Routes: the site, its log, who one is."""

from typing import Annotated

from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, QueryParameter

from supervisor.live import EVENTS
from supervisor.routes.parts import provider_of, reads
from supervisor.tokens import Caller
from supervisor.view import AuditView, EventView, MeView, SiteView, ToldView

EVENTS_MAX = 1000
Rows = Annotated[int, QueryParameter(ge=1, le=EVENTS_MAX)]


@reads("/api/me")
def me(caller: NamedDependency[Caller]) -> MeView:
    """Who asks, and with which role."""
    return MeView(name=caller.name, role=caller.role)


@reads("/api/site")
def site(state: State) -> SiteView:
    """The site in one glance."""
    return provider_of(state).site()


@reads("/api/told")
def told(state: State) -> ToldView:
    """What the grid is told: limit, metering and its quality, what could be given and taken."""
    known = provider_of(state).told()
    if known is None:
        raise NotFoundException("nothing was decided yet")
    return known


@reads("/api/events")
def events(state: State, limit: Rows = EVENTS) -> list[EventView]:
    """The log, newest first."""
    return provider_of(state).events(limit)


@reads("/api/audit")
def audit(state: State, limit: Rows = EVENTS, who: FromQuery[str] = "") -> list[AuditView]:
    """What people did, newest first."""
    return provider_of(state).audit(limit, who)


HANDLERS = (me, site, told, events, audit)
