"""Connections held by processes of their own: one may open so many files and no more.

    modelled rigs  <-- what each heard, who is up --  a process with half of the connections
                    -- what each says ------------->

Over a socket pair, in batches.  What all of them hear alike, the budget, comes over once.
"""

import asyncio
import multiprocessing
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from multiprocessing.process import BaseProcess
from typing import Any

import msgspec

from hil.load import mqtt
from hil.load.client import DOORS, Client

LOST, UP, HEARD = range(3)
ALIKE = 30  # budgets remembered, to know those already passed on
SIZE = 4  # bytes of the length before a batch


class Spec(msgspec.Struct, frozen=True):
    """One connection: who it is, what it hears, what is said when it breaks."""

    number: int
    name: str
    topics: list[str]
    will: tuple[str, bytes] | None
    port: int


Event = tuple[int, int, bytes]  # number, what, body of a PUBLISH
Said = tuple[int, bytes]  # number, packet


class Wire:
    """The near end of a connection; used as a Client is."""

    def __init__(self, number: int, say: Callable[[Said], None]) -> None:
        self.number, self.up, self._say = number, False, say

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        if self.up:
            self._say((self.number, mqtt.publish(topic, payload, retain)))


class Batches:
    """Things written together at the end of a turn of the loop, and read as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._out: list[Any] = []

    @classmethod
    async def over(cls, line: socket.socket) -> "Batches":
        return cls(*await asyncio.open_connection(sock=line))

    def put(self, thing: Any) -> None:
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(thing)

    def _flush(self) -> None:
        body = msgspec.msgpack.encode(self._out)
        self._writer.write(len(body).to_bytes(SIZE, "big") + body)
        self._out.clear()

    async def read(self, kind: Any) -> AsyncIterator[Any]:
        """Until the other end is closed."""
        decoder = msgspec.msgpack.Decoder(list[kind])
        try:
            while True:
                size = int.from_bytes(await self._reader.readexactly(SIZE), "big")
                for thing in decoder.decode(await self._reader.readexactly(size)):
                    yield thing
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def close(self) -> None:
        self._writer.close()


class Wires:
    """on_up(wire) when a connection stands; hear(wire, body of a PUBLISH)."""

    def __init__(self, on_up: Callable[[Wire], None], hear: Callable[[Wire, bytes], None]) -> None:
        self._on_up, self._hear = on_up, hear
        self._lines: list[Batches] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._processes: list[BaseProcess] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    async def open(self, host: str, specs: list[Spec], shared: str) -> list[Wire]:
        """A process for these, for ever connected.  shared: the topic they all hear alike."""
        ours, theirs = socket.socketpair()
        process = multiprocessing.get_context("spawn").Process(
            target=_hold, args=(theirs, host, specs, shared), daemon=True
        )
        process.start()
        theirs.close()
        line = await Batches.over(ours)
        wires = {spec.number: Wire(spec.number, line.put) for spec in specs}
        self._processes.append(process)
        self._lines.append(line)
        self._tasks.append(asyncio.create_task(self._listen(line, wires), name="wires"))
        return list(wires.values())

    async def _listen(self, line: Batches, wires: dict[int, Wire]) -> None:
        async for number, what, body in line.read(Event):
            wire = wires[number]
            if what == HEARD:
                self._hear(wire, body)
                continue
            wire.up = what == UP
            if wire.up:
                self._on_up(wire)

    async def close(self) -> None:
        """The processes end when their line does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines:
            line.close()
        for process in self._processes:
            await asyncio.to_thread(process.join, 10)
            if process.is_alive():
                process.kill()


def _hold(line: socket.socket, host: str, specs: list[Spec], shared: str) -> None:
    asyncio.run(_serve(line, host, specs, shared))


async def _serve(line: socket.socket, host: str, specs: list[Spec], shared: str) -> None:
    """The far end of the wires: the connections themselves."""
    batches, doors = await Batches.over(line), asyncio.Semaphore(DOORS)
    alike: deque[bytes] = deque(maxlen=ALIKE)
    head = mqtt.publish(shared, b"")[2:]  # of the body of whatever is said on that topic

    def hear(client: Client, body: bytes) -> None:
        if body.startswith(head):
            if body in alike:
                return
            alike.append(body)
        batches.put((client.number, HEARD, body))

    clients = {spec.number: _client(spec, batches, hear) for spec in specs}
    running = [
        asyncio.create_task(clients[spec.number].run(host, spec.port, doors)) for spec in specs
    ]
    async for number, packet in batches.read(Said):
        clients[number].say(packet)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _client(spec: Spec, batches: Batches, hear: Callable[[Client, bytes], None]) -> Client:
    def tell(what: int) -> Callable[[Client], None]:
        return lambda client: batches.put((client.number, what, b""))

    return Client(
        spec.number, spec.name, spec.topics, spec.will, tell(UP), hear, on_lost=tell(LOST)
    )
