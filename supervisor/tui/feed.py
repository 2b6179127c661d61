"""Where frames come from: the live socket of the supervisor, for ever.

A lost supervisor is a value like any other; the feed says so and goes on trying.  The
address is read anew each time: a supervisor that comes back may have another port.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from supervisor.client import Address, ClientError, read_addresses, reason_of
from supervisor.live import Frame, Wish

RETRY_S = 1.0
SILENCE_S = 5.0  # five frames that did not come
FRAME_MAX = 1 << 24  # bytes


class Lost(NamedTuple):
    because: str


class Feed(Protocol):
    """What a screen needs: items without end, and somewhere to put its wish."""

    def __aiter__(self) -> AsyncIterator[Frame | Lost]: ...
    async def ask(self, wish: Wish) -> None: ...


class LiveFeed:
    """The feed of the supervisor that keeps its state in state_dir."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._wish = Wish()
        self._socket: ClientConnection | None = None

    async def ask(self, wish: Wish) -> None:
        """Holds for every connection from now on."""
        self._wish = wish
        if self._socket is not None:
            await self._send(self._socket)

    async def __aiter__(self) -> AsyncIterator[Frame | Lost]:
        while True:
            try:
                addresses = read_addresses(self._state_dir)
            except ClientError as error:
                addresses = []
                yield Lost(str(error))
            for address in addresses:
                try:
                    async for frame in self._frames(address):
                        yield frame
                except (OSError, WebSocketException, msgspec.MsgspecError) as error:
                    yield Lost(f"{address.where}: {_cause(error)}")
            await asyncio.sleep(RETRY_S)

    async def _frames(self, address: Address) -> AsyncIterator[Frame]:
        """Ends by raising: a closed or silent socket is a lost supervisor."""
        async with connect(
            f"ws://{address.where}/api/live",
            additional_headers={"Authorization": f"Bearer {address.token}"},
            proxy=None,
            open_timeout=SILENCE_S,
            close_timeout=1,
            max_size=FRAME_MAX,
        ) as socket:
            self._socket = socket
            try:
                await self._send(socket)
                while True:
                    message = await asyncio.wait_for(socket.recv(), SILENCE_S)
                    yield msgspec.json.decode(message, type=Frame)
            finally:
                self._socket = None

    async def _send(self, socket: ClientConnection) -> None:
        try:
            await socket.send(msgspec.json.encode(self._wish).decode())
        except ConnectionClosed:
            pass  # whoever reads the frames notices, and connects again with this wish


def _cause(error: Exception) -> str:
    """The plain words of the system where there are any: "Connection refused"; or of the API."""
    if isinstance(error, InvalidStatus) and (
        reason := reason_of(bytes(error.response.body or b""))
    ):
        return reason
    number = error.errno if isinstance(error, OSError) else None
    return (os.strerror(number) if number else str(error)) or "no answer"
