"""The API's routes: the views out, a person's signal in.

Decides nothing: a provider answers, this carries.
"""

import asyncio
import logging
import math
from typing import Annotated, Any, Protocol

import msgspec
from litestar import Litestar, Request, Response, WebSocket, delete, get, post, websocket
from litestar.datastructures import State
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotFoundException,
    WebSocketException,
)
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from supervisor.live import EVENTS, ROWS, Frame, Wish, wish_error
from supervisor.view import EventView, RigView, SignalOrder, SiteView, WhyView

log = logging.getLogger(__name__)

BODY_MAX = 4096  # bytes of a request, or of one message on the socket
EVENTS_MAX = 1000
PUSH_S = 1.0
MW_MAX = 10_000.0
ORDER_S_MAX = 7 * 86_400.0
BAD_WISH = 4400  # close code of the socket: a wish that cannot be


class Provider(Protocol):
    """The supervisor, as far as people see it."""

    def site(self) -> SiteView: ...
    def rigs(self, limit: int, order: str, text: str) -> list[RigView]: ...
    def events(self, limit: int) -> list[EventView]: ...
    def why(self, rig: str) -> WhyView | None: ...
    def order_signal(self, order: SignalOrder) -> str: ...
    def withdraw_signal(self, source: str) -> bool: ...


def application(provider: Provider) -> Litestar:
    """The routes, without the gate."""
    return Litestar(
        [site, rigs, why, events, order_signal, withdraw_signal, live],
        state=State({"provider": provider}),
        request_max_body_size=BODY_MAX,
        exception_handlers={HTTPException: _known_error, Exception: _unknown_error},
        logging_config=None,
        openapi_config=None,
    )


@get("/api/site", sync_to_thread=False)
def site(state: State) -> SiteView:
    return _provider(state).site()


@get("/api/rigs", sync_to_thread=False)
def rigs(
    state: State,
    limit: FromQuery[int] = ROWS,
    order: FromQuery[str] = "sickness",
    text: FromQuery[str] = "",
) -> list[RigView]:
    if reason := wish_error(Wish(limit=limit, order=order, text=text)):
        raise ClientException(reason)
    return _provider(state).rigs(limit, order, text)


@get("/api/rigs/{rig:str}/why", sync_to_thread=False)
def why(state: State, rig: FromPath[str]) -> WhyView:
    found = _provider(state).why(rig)
    if found is None:
        raise NotFoundException(f"no rig is called {rig!r}")
    return found


@get("/api/events", sync_to_thread=False)
def events(
    state: State, limit: Annotated[int, QueryParameter(ge=1, le=EVENTS_MAX)] = EVENTS
) -> list[EventView]:
    return _provider(state).events(limit)


@post("/api/signal", status_code=200, sync_to_thread=False)
def order_signal(state: State, data: JSONBody[SignalOrder]) -> dict[str, str]:
    if reason := order_error(data) or _provider(state).order_signal(data):
        raise HTTPException(reason, status_code=422)
    return {"accepted": data.by}


@delete("/api/signal", status_code=200, sync_to_thread=False)
def withdraw_signal(state: State, source: FromQuery[str] = "operator") -> dict[str, str]:
    if not _provider(state).withdraw_signal(source):
        raise NotFoundException(f"{source!r} has said nothing that could be withdrawn")
    return {"withdrawn": source}


@websocket("/api/live")
async def live(socket: WebSocket[Any, Any, State]) -> None:
    """A frame at once, one every second, and one at once after every wish."""
    await socket.accept()
    wish = Wish()
    heard: asyncio.Task[str | bytes] | None = None
    try:
        while True:
            await socket.send_data(msgspec.json.encode(frame(_provider(socket.app.state), wish)))
            heard = heard or asyncio.ensure_future(socket.receive_data("text"))
            if heard in (await asyncio.wait([heard], timeout=PUSH_S))[0]:
                wish, heard = read_wish(heard.result()), None
    except ValueError as error:
        await socket.close(code=BAD_WISH, reason=str(error)[:100])
    except WebSocketException:
        pass  # the other side has gone
    finally:
        if heard is not None:
            heard.cancel()


def read_wish(message: str | bytes) -> Wish:
    """Raises ValueError with the reason."""
    wish = msgspec.json.decode(message, type=Wish)
    if reason := wish_error(wish):
        raise ValueError(reason)
    return wish


def frame(provider: Provider, wish: Wish) -> Frame:
    return Frame(
        site=provider.site(),
        rigs=provider.rigs(wish.limit, wish.order, wish.text),
        events=provider.events(EVENTS),
    )


def order_error(order: SignalOrder) -> str:
    """Why no site could take this order; "" when one could."""
    if not (math.isfinite(order.mw) and 0 <= order.mw <= MW_MAX):
        return f"mw is 0 to {MW_MAX:.0f}, not {order.mw}"
    if not (math.isfinite(order.for_s) and 0 < order.for_s <= ORDER_S_MAX):
        return f"for_s is above 0 and at most {ORDER_S_MAX:.0f} (a week), not {order.for_s}"
    if not (1 <= len(order.by) <= 32 and order.by.isprintable()):
        return "by is a name of 1 to 32 characters"
    return ""


def _provider(state: State) -> Provider:
    provider: Provider = state.provider
    return provider


def _known_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    reason = error.detail
    if error.extra:
        first = error.extra[0] if isinstance(error.extra, list) else error.extra
        reason = f"{first.get('key', '')}: {first.get('message', reason)}".removeprefix(": ")
    return Response({"error": reason}, status_code=error.status_code)


def _unknown_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Response({"error": "the supervisor failed to answer; its log says why"}, status_code=500)
