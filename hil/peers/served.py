"""An application on a port of this machine, until it is to be gone: with uvicorn."""

import asyncio
from typing import Any

import uvicorn


class Served:
    """start() and stop() by turns; stop() cuts off whoever is connected."""

    def __init__(self, port: int, **more: Any) -> None:
        """more: of uvicorn's configuration."""
        self._port, self._more = port, more
        self._server: uvicorn.Server | None = None

    async def start(self, app: Any) -> None:
        """Returns when it listens."""
        config = uvicorn.Config(app, port=self._port, log_level="critical", **self._more)
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.05)

    async def stop(self) -> bool:
        """Whether it was there."""
        if self._server is None:
            return False
        self._server.should_exit = self._server.force_exit = True
        await self._serving
        self._server = None
        return True
