"""Route: the live socket.  A frame at once, one every second, and one soon after every wish."""

import asyncio
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketException

from supervisor.live import EVENTS, Frame, Wish, wish_error
from supervisor.routes.parts import Provider, provider_of

PUSH_S = 1.0
LEAST_S = 0.05  # between frames, however often a screen wishes
BAD_WISH = 4400  # close codes of the socket: a wish that cannot be,
NO_TOKEN = 4401  # a token that has ended or was revoked,
NOT_HERE = 4503  # a site that is led elsewhere now


@websocket("/api/live")
async def live(socket: WebSocket[Any, Any, State]) -> None:
    """Frames of the site for as long as the token holds."""
    await socket.accept()
    wish = Wish()
    heard: asyncio.Task[str | bytes] | None = None
    try:
        while (welcome := _still_welcome(socket)) and socket.app.state.desk.provider is not None:
            await socket.send_data(msgspec.json.encode(frame(provider_of(socket.app.state), wish)))
            await asyncio.sleep(LEAST_S)
            heard = heard or asyncio.ensure_future(socket.receive_data("text"))
            if heard in (await asyncio.wait([heard], timeout=PUSH_S - LEAST_S))[0]:
                wish, heard = read_wish(heard.result()), None
        reason = "another supervisor leads now" if welcome else "the token has ended"
        await socket.close(code=NOT_HERE if welcome else NO_TOKEN, reason=reason)
    except ValueError as error:
        await socket.close(code=BAD_WISH, reason=str(error)[:100])
    except WebSocketException:
        pass  # the other side has gone
    finally:
        if heard is not None:
            heard.cancel()


def _still_welcome(socket: WebSocket[Any, Any, State]) -> bool:
    shown = socket.headers.get("authorization", "").encode("latin-1", "replace")
    return bool(socket.app.state.door.caller(shown) == socket.user)


def read_wish(message: str | bytes) -> Wish:
    """Raises ValueError with the reason."""
    wish = msgspec.json.decode(message, type=Wish)
    if reason := wish_error(wish):
        raise ValueError(reason)
    return wish


def frame(provider: Provider, wish: Wish) -> Frame:
    page = provider.rigs(wish)
    return Frame(
        site=provider.site(), rigs=page.rigs, events=provider.events(EVENTS), found=page.found
    )


HANDLERS = (live,)
