"""The site over HTTP and WebSocket, on this machine only: listening, and the token.

The token is asked for before anything else, also before saying what exists; what is
served is in routes.py.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import uvicorn
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from supervisor.routes import BODY_MAX, Provider, application

CONNECTIONS_MAX = 64


class ApiError(OSError):
    """The API cannot listen where it was told to."""


async def serve(
    provider: Provider,
    host: str,
    port: int,
    token: str,
    bound: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until cancelled.  bound is told the port once connections are taken (port 0: any).

    The signal handlers of the program are left alone.  Raises ApiError when it cannot listen.
    """
    app = gate(application(provider), token)
    listening = listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=1,
            ws_max_size=BODY_MAX,
            server_header=False,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listening]), name="api")
    try:
        while not server.started and not running.done():
            await asyncio.sleep(0.01)
        if not running.done():
            bound(listening.getsockname()[1])
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        await asyncio.wait([running])
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket.  Anything but loopback is refused: the token would travel in the clear."""
    if not _is_loopback(host):
        raise ApiError(f"the API listens on loopback only, as 127.0.0.1, not on {host}")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ApiError(f"the API cannot listen on {host} port {port}: {error.strerror}") from None
    return listening


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name can mean anything tomorrow


class _Server(uvicorn.Server):
    """A server in somebody else's program: its signals are not ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def gate(app: ASGIApp, token: str) -> ASGIApp:
    """Nobody without the token gets as far as the application."""
    assert token, "an empty token lets everybody in"
    expected = f"Bearer {token}".encode()

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(given, expected):
            await app(scope, receive, send)
        else:
            await _refuse(scope["type"] == ScopeType.WEBSOCKET, send)

    return ask


async def _refuse(is_socket: bool, send: Any) -> None:
    body = msgspec.json.encode({"error": "a bearer token is needed: it is in api.token"})
    kind = "websocket.http.response" if is_socket else "http.response"
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    await send({"type": f"{kind}.start", "status": 401, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
