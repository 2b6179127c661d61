"""What reaches c104: whole frames of the kinds an outstation hears, and nothing else.

c104 is native code that ends the whole process on some frames nobody should send: an
object of a type that is cut short is enough.  So masters connect here; each frame is
checked for its form, not for its sense, and goes on to c104 on loopback.  The first that
is wrong ends its connection with a line in the ledger.
Facts: IEC 60870-5-104 5 (APCI), 60870-5-101 7.2 (ASDU), with addresses of 2 and 3 bytes.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

LOOPBACK = "127.0.0.1"  # where c104 listens
START = 0x68
APCI, ASDU, ADDRESS = 4, 6, 3  # bytes: control field, head of an ASDU, address of an object
FUNCTIONS = {0x07, 0x0B, 0x13, 0x23, 0x43, 0x83}  # STARTDT, STOPDT, TESTFR; act and con
# bytes of one object behind its address, by type: commands, set-points, with a time tag;
# interrogations, read, clock, test
SIZES = {
    **{45: 1, 46: 1, 47: 1, 48: 3, 49: 3, 50: 5, 51: 4},
    **{58: 8, 59: 8, 60: 8, 61: 10, 62: 10, 63: 12, 64: 11},
    **{100: 1, 101: 1, 102: 0, 103: 7, 104: 2, 107: 9},
}
CAUSES = {3, 5, 6, 8, 10}  # of what a master sends: spontaneous, request, (de)activation, its end
FRAME_S = 15.0  # t1: a frame that has begun has come by then
LINKS_MAX = 16


def wrong(frame: bytes) -> str:
    """Why a frame, from its control field on, goes no further; "" when it does."""
    kind = frame[0] & 3
    if kind == 3:
        known = frame[0] in FUNCTIONS and not any(frame[1:])
        return "" if known else f"a U-frame {frame[:8].hex()}"
    if kind == 1:
        return "" if len(frame) == APCI else f"an S-frame of {len(frame)} bytes"
    return _asdu_wrong(frame[APCI:])


def _asdu_wrong(asdu: bytes) -> str:
    if len(asdu) < ASDU + ADDRESS:
        return f"an ASDU of {len(asdu)} bytes"
    kind, number, cause = asdu[0], asdu[1], asdu[2] & 0x3F
    if kind not in SIZES:
        return f"type {kind}, which no master sends to an outstation"
    if number != 1 or len(asdu) != ASDU + ADDRESS + SIZES[kind]:
        return f"type {kind} with {number & 0x7F} objects in {len(asdu)} bytes"
    return "" if cause in CAUSES else f"type {kind} with the cause {cause}"


class Gate:
    """Listens for masters; each has a connection of its own to c104 at inner_port."""

    def __init__(self, inner_port: int, refuse: Callable[[str], None]) -> None:
        self._inner_port, self._refuse = inner_port, refuse
        self._links: dict[asyncio.StreamWriter, bool] = {}  # whether a whole frame came by it
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._master, host, port, limit=4096)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _master(self, down: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if not self._room():
            back.close()
            return
        self._links[back] = False
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                up, on = await asyncio.open_connection(LOOPBACK, self._inner_port, limit=4096)
                await self._between(down, on, up, back)
        finally:
            self._links.pop(back, None)
            back.close()

    def _room(self) -> bool:
        """Whether one more may come; who has said nothing yet gives way first."""
        if len(self._links) >= LINKS_MAX:
            silent = next((link for link, spoke in self._links.items() if not spoke), None)
            if silent is None:
                return False
            del self._links[silent]
            silent.close()
        return True

    async def _between(
        self,
        down: asyncio.StreamReader,
        on: asyncio.StreamWriter,
        up: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """Until either side ends."""
        ways = {
            asyncio.create_task(self._checked(down, on, back)),
            asyncio.create_task(copied(up, back)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            on.close()

    async def _checked(
        self, down: asyncio.StreamReader, on: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while begin := await down.read(1):
            try:
                async with asyncio.timeout(FRAME_S):
                    size = (await down.readexactly(1))[0]
                    frame = await down.readexactly(size) if begin[0] == START else b""
            except TimeoutError:
                return self._refuse(f"a frame that did not end within {FRAME_S:g} s")
            if len(frame) < APCI:
                return self._refuse(f"{(begin + bytes([size])).hex()}: no frame begins so")
            if found := wrong(frame):
                return self._refuse(f"{found}: the link is ended")
            if back in self._links:
                self._links[back] = True
            on.write(begin + bytes([size]) + frame)
            await on.drain()


async def copied(up: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    while part := await up.read(4096):
        back.write(part)
        await back.drain()
