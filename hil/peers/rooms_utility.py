"""A utility's control room: an IEEE 2030.5 server that the site asks every second."""

import asyncio

import uvicorn

from hil.demo import HOST
from hil.peers.rooms import LONG_S, Room
from hil.peers.utility import Utility

CANCELLED = 2


class Csip(Room):
    name = "csip"
    serves = True
    poll_s = 1.0
    _server: uvicorn.Server | None = None

    def keys(self) -> str:
        return f'url = "http://{HOST}:{self.port}"\npoll_s = {self.poll_s:g}\nreport_s = 1'

    async def come(self) -> None:
        """It has forgotten what it said when it comes back."""
        self.utility = Utility()
        config = uvicorn.Config(
            self.utility.app,
            port=self.port,
            interface="asgi3",
            lifespan="off",
            log_level="critical",
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.05)

    async def met(self) -> None:
        while not self.utility.asked:
            await asyncio.sleep(0.05)

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        await self.cancel()
        self.utility.control(self.utility.now(), round(for_s), mw * 1e6)

    async def cancel(self) -> None:
        for control in self.utility.controls:
            control.EventStatus_.currentStatus = CANCELLED

    async def go(self) -> None:
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
        self._server = None
