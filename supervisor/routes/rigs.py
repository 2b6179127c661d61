"""Routes: rigs, a page of them or one."""

from litestar import Response
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery

from supervisor.live import ROWS, Wish, wish_error
from supervisor.routes.parts import provider_of, reads, there
from supervisor.view import PlaceView, RigDetail, RigView


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
    return there(provider_of(state).rig(rig), rig)


HANDLERS = (rigs, places, rig)
