"""One cheap connection to a broker: comes up, hears, speaks, comes back."""

import asyncio
import random
from collections.abc import Callable

from hil.load import mqtt

PAUSE_S, PAUSE_MAX_S = 0.25, 8.0  # the firmware's: anything up to a pause that doubles
PING_S = 20.0
DOORS = 100  # connections being opened at once by a process: a listener's queue is short
GIVE_UP_S = 10.0  # a broker that says nothing, or whose queue is full: then TCP waits a minute


class Client(asyncio.Protocol):
    """on_up(client) after the broker has taken its topics, on_lost(client) when it breaks after
    that; hear(client, body of a PUBLISH)."""

    def __init__(
        self,
        number: int,
        name: str,
        topics: list[str],
        will: tuple[str, bytes] | None = None,
        on_up: "Callable[[Client], None] | None" = None,
        hear: "Callable[[Client, bytes], None] | None" = None,
        on_lost: "Callable[[Client], None] | None" = None,
    ) -> None:
        self.number, self._name, self._topics, self._will = number, name, topics, will
        self._on_up, self._hear, self._on_lost = on_up, hear, on_lost
        self._reader = mqtt.Reader()
        self.transport: asyncio.Transport | None = None
        self.up, self.failures = False, 0
        self.lost, self.answered = asyncio.Event(), asyncio.Event()
        self._out: list[bytes] = []

    async def run(self, host: str, port: int, doors: asyncio.Semaphore) -> None:
        """Connected for ever, like a rig; cancel to end.  doors: how many open at once."""
        loop = asyncio.get_running_loop()
        while True:
            self.lost.clear()
            self.answered.clear()
            try:
                async with doors, asyncio.timeout(GIVE_UP_S):
                    await loop.create_connection(lambda: self, host, port)
                    await self.answered.wait()
                await self._stand()
            except (OSError, TimeoutError, mqtt.MqttError):
                pass
            finally:
                self._drop()
            await asyncio.sleep(pause_s(self.failures, random.random()))
            self.failures += 1

    async def _stand(self) -> None:
        """Until the connection is lost; a ping now and then."""
        while not self.lost.is_set():
            try:
                await asyncio.wait_for(self.lost.wait(), PING_S)
            except TimeoutError:
                if self.transport is not None:
                    self.transport.write(mqtt.PING)

    def _drop(self) -> None:
        self.up = False
        if self.transport is not None:
            self.transport.abort()
            self.transport = None

    # ---- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self._reader = transport, mqtt.Reader()
        hello = mqtt.connect(self._name, will=self._will)
        transport.write(hello + mqtt.subscribe(self._topics))

    def data_received(self, data: bytes) -> None:
        for kind, body in self._reader.feed(data):
            if kind == mqtt.PUBLISH:
                if self._hear is not None:
                    self._hear(self, body)
            elif kind == mqtt.SUBACK:
                self.up, self.failures = True, 0
                self.answered.set()
                if self._on_up is not None:
                    self._on_up(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self.up and self._on_lost is not None:
            self._on_lost(self)
        self.up = False
        self.answered.set()
        self.lost.set()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Lost when the connection is not up: the contract says it again."""
        self.say(mqtt.publish(topic, payload, retain))

    def say(self, packet: bytes) -> None:
        if not self.up:
            return
        if not self._out:  # what is said at once goes out together
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(packet)

    def _flush(self) -> None:
        if self.transport is not None:
            self.transport.write(b"".join(self._out))
        self._out.clear()


def pause_s(failures: int, chance: float) -> float:
    """How long to wait before the next attempt; chance 0..1."""
    most_s: float = min(PAUSE_MAX_S, PAUSE_S * 2 ** min(failures, 8))
    return 0.02 + most_s * chance
