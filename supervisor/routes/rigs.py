"""Routes: rigs, a page of them or one."""

from typing import TypeVar

from litestar import Response
from litestar.datastructures import State
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery

from supervisor.live import ROWS, Wish, wish_error
from supervisor.routes.parts import provider_of, reads
from supervisor.view import PlaceView, RigDetail, RigView, WhyView

T = TypeVar("T")
AT_MAX = 1e11


@reads("/api/rigs")
def rigs(
    state: State,
    limit: FromQuery[int] = ROWS,
    offset: FromQuery[int] = 0,
    order: FromQuery[str] = "sickness",
    text: FromQuery[str] = "",
) -> Response[list[RigView]]:
    """Rigs; the header x-total-count says how many match."""
    wish = Wish(limit=limit, offset=offset, order=order, text=text)
    if reason := wish_error(wish):
        raise ClientException(reason)
    page = provider_of(state).rigs(wish)
    return Response(page.rigs, headers={"x-total-count": str(page.found)})


@reads("/api/places")
def places(state: State) -> list[PlaceView]:
    """Containers, and what goes on in each."""
    return provider_of(state).places()


@reads("/api/rigs/{rig:str}")
def rig(state: State, rig: FromPath[str]) -> RigDetail:
    """All that is known of one rig."""
    return _there(provider_of(state).rig(rig), rig)


@reads("/api/rigs/{rig:str}/why")
def why(state: State, rig: FromPath[str], at: FromQuery[float | None] = None) -> WhyView:
    """The chain of reasons from the signal to one rig; `at` Unix seconds of a past time."""
    if at is not None and not 0 <= at <= AT_MAX:
        raise ClientException("at is Unix seconds")
    return _there(provider_of(state).why(rig, at), rig)


@reads("/api/why")
def why_site(state: State, at: FromQuery[float | None] = None) -> WhyView:
    """The chain of reasons for the whole site; `at` Unix seconds of a past time."""
    if at is not None and not 0 <= at <= AT_MAX:
        raise ClientException("at is Unix seconds")
    return _there(provider_of(state).why("", at), "")


def _there(found: T | None, rig: str) -> T:
    if found is None:
        raise NotFoundException(f"no rig is called {rig!r}")
    return found


HANDLERS = (rigs, places, rig, why, why_site)
