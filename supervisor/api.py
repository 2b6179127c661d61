"""The site over HTTP and WebSocket, on this machine only: listening.

Who gets in is decided in gate.py, who may do what in roles.py; what is served is in routes/.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator

import uvicorn

from supervisor.gate import Door, gate
from supervisor.listening import PatientNoMore
from supervisor.routes import BODY_MAX, application
from supervisor.routes.desk import Desk

CONNECTIONS_MAX = 64
HEADERS_MAX = 16_384  # bytes of a request before its body


class ApiError(OSError):
    """The API cannot listen where it was told to."""


async def serve(
    desk: Desk,
    host: str,
    port: int,
    door: Door,
    bound: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until cancelled.  bound is told the port once connections are taken (port 0: any).

    The signal handlers of the program are left alone.  Raises ApiError when it cannot listen.
    """
    app = gate(application(desk, door), door, desk.shut)
    listening = listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            http=PatientNoMore,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS_MAX,
            h11_max_incomplete_event_size=HEADERS_MAX,
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
