"""Control rooms that order set-points: by IEC 60870-5-104, DNP3, SunSpec and plain Modbus."""

import asyncio
import shutil
from typing import Any, ClassVar

from pymodbus.client import AsyncModbusTcpClient

from hil.demo import HOST
from hil.peers import Master
from hil.peers.rooms import LONG_S, Room

ORDERED = ["SUCCESS", ["SUCCESS"]]
BEAT_S = 0.5


class Scada(Room):
    """A master in a process of its own; cancel() is its emergency, which the next word ends."""

    program: ClassVar[str] = ""
    master: Master | None = None
    _emergency = False

    async def come(self) -> None:
        self.master = Master(self.program, self.port)
        await self.master.start()
        await self.ready()

    async def ready(self) -> None:
        """Until it is connected, again."""
        while not await self._open():
            await asyncio.sleep(0.1)

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        if self._emergency:
            await self._latch(on=False)
        await self._order(mw)

    async def cancel(self) -> None:
        await self._latch(on=True)

    async def go(self) -> None:
        if self.master is not None:
            await self.master.stop()

    async def _latch(self, on: bool) -> None:
        self._emergency = on
        await self._switch(on)

    async def ask(self, **order: Any) -> Any:
        assert self.master is not None
        return await self.master.ask(**order)

    async def _open(self) -> bool:
        raise NotImplementedError

    async def _order(self, mw: float) -> None:
        raise NotImplementedError

    async def _switch(self, on: bool) -> None:
        raise NotImplementedError


class Iec104(Scada):
    name, program = "iec104", "master104"

    async def _open(self) -> bool:
        return bool(await self.ask(do="state") == "OPEN")

    async def _order(self, mw: float) -> None:
        while not await self.ask(do="send", ioa=1001, value=mw):
            await asyncio.sleep(0.1)  # c104 sends nothing while it interrogates

    async def _switch(self, on: bool) -> None:
        while not await self.ask(do="send", ioa=1010, value=on):
            await asyncio.sleep(0.1)


class Dnp3(Scada):
    name, program = "dnp3", "masterdnp3"

    async def _open(self) -> bool:
        return bool((await self.ask(do="switch", index=1, on=True)) == ORDERED)

    async def _order(self, mw: float) -> None:
        assert await self.ask(do="set", mw=mw) == ORDERED

    async def _switch(self, on: bool) -> None:
        assert await self.ask(do="switch", index=0, on=on) == ORDERED


class Sunspec(Room):
    """pysunspec2: model 704's set-point with a timer, and a heartbeat in model 715."""

    name = "sunspec"
    _beating: asyncio.Task[None] | None = None
    _master: Any = None

    def __init__(self, site: Any, more: str = "") -> None:
        super().__init__(site, more)
        self._line = asyncio.Lock()

    async def come(self) -> None:
        from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

        self._master = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=HOST, ipport=self.port)
        await self._call(self._master.scan)
        self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        heart, beats = self._master.models[715][0], 0
        while True:
            beats += 1
            heart.ControllerHb.value = beats % 100
            await self._call(heart.write)
            await asyncio.sleep(BEAT_S)

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        der = self._master.models[704][0]
        der.WSetEna.value, der.WSetMod.value, der.WSet.value = 1, 1, -round(mw * 1e6)
        der.WSetRvrtTms.value = round(for_s)
        await self._call(der.write)

    async def cancel(self) -> None:
        der = self._master.models[704][0]
        der.WSetEna.value = 0
        await self._call(der.write)

    async def go(self) -> None:
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        await self._call(self._master.close)

    async def _call(self, work: Any) -> None:
        """One request at a time: pysunspec2 waits for its answers."""
        async with self._line:
            await asyncio.to_thread(work)


class Plain(Room):
    """The plain map, by mbpoll where it is installed; heartbeat in register 3."""

    name = "modbus"
    server: Room | None = None  # who has the port

    def section(self) -> str:
        return ""  # it is the second unit of the SunSpec server

    async def come(self) -> None:
        await self._write(3, 7)  # alone it brings no limit back

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        kw = int(mw * 1000)
        if shutil.which("mbpoll"):
            await self._mbpoll(kw, round(for_s))
        else:
            await self._write(0, kw >> 16, kw & 0xFFFF, round(for_s))

    async def cancel(self) -> None:
        await self._write(2, 1)  # it ends in a second

    async def _mbpoll(self, kw: int, for_s: int) -> None:
        assert self.server is not None
        words = ("-m", "tcp", "-p", str(self.server.port), "-a", "2", "-0", "-1", "-q", "-t", "4")
        values = (str(kw >> 16), str(kw & 0xFFFF), str(for_s))
        process = await asyncio.create_subprocess_exec(
            "mbpoll", *words, "-r", "0", HOST, *values, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0

    async def _write(self, address: int, *values: int) -> None:
        assert self.server is not None
        async with AsyncModbusTcpClient(HOST, port=self.server.port) as client:
            answer = await client.write_registers(address, list(values), device_id=2)
            assert not answer.isError(), answer
