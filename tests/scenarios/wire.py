"""A wire between two programs that can be cut and mended: a TCP proxy that keeps what it holds."""

import asyncio

from supervisor import nats


class Wire:
    """port leads to another one.  Cut, nothing passes and no connection ends; mended, all that
    was said meanwhile arrives, late and in order."""

    def __init__(self, to: int) -> None:
        self.port, self._to = nats.free_port("127.0.0.1"), to
        self._whole = asyncio.Event()
        self._whole.set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def stop(self) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        far, out = await asyncio.open_connection("127.0.0.1", self._to)
        for pump in (self._pump(near, out), self._pump(far, back)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()
