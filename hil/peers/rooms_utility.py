"""A utility's control room: an IEEE 2030.5 server that the site asks every second."""

import asyncio

from hil.demo import HOST, Demo
from hil.peers.rooms import LONG_S, Room
from hil.peers.served import Served
from hil.peers.utility import Utility

CANCELLED = 2


class Csip(Room):
    name = "csip"
    serves = True
    poll_s = 1.0

    def __init__(self, site: Demo, more: str = "") -> None:
        super().__init__(site, more)
        self._served = Served(self.port, interface="asgi3", lifespan="off")

    def keys(self) -> str:
        return f'url = "http://{HOST}:{self.port}"\npoll_s = {self.poll_s:g}\nreport_s = 1'

    async def come(self) -> None:
        """It has forgotten what it said when it comes back."""
        self.utility = Utility()
        await self._served.start(self.utility.app)

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
        await self._served.stop()
