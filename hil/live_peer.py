"""A supervisor of one rig over a real broker, for tests and benches: it only knows the contract."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt

from hil.peer import START_W, Message, whole_ladder
from hil.rig import MAIN, VirtualRig, settings
from protocols import mac, messages, topics

SITE, KEY = "bench", bytes(range(32))
TTL_MS = 3_000


@asynccontextmanager
async def met(
    folder: Path, port: int, name: str, program: str = MAIN
) -> AsyncIterator[tuple["Peer", VirtualRig]]:
    """A virtual rig that has booted, and its supervisor on the same broker."""
    config = settings(SITE, name, "127.0.0.1", port, KEY)
    async with aiomqtt.Client("127.0.0.1", port) as client:
        peer = Peer(client, name)
        tasks = [asyncio.create_task(peer.listen()), asyncio.create_task(peer.beat())]
        with VirtualRig(folder / name, config, program=program) as rig:
            try:
                await peer.until(lambda: peer.hello, 10, "hello")
                yield peer, rig
            except BaseException:
                print(rig.log_text(), peer.events, rig.resets)
                raise
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


class Peer:
    """Hears everything the rig says; broadcasts `admit_w` every second unless held."""

    def __init__(self, client: aiomqtt.Client, rig: str) -> None:
        self._client, self.rig = client, rig
        self.hello: Message = {}
        self.state: Message = {}
        self.events: list[Message] = []
        self.links: list[bytes] = []
        self.admit_w: int | None = None  # None: silent
        self.term, self.seq, self.epoch, self.id = 1, 0, 1, 0
        self._news = asyncio.Event()

    async def listen(self) -> None:
        await self._client.subscribe(topics.rig(SITE, self.rig, "hello").replace("hello", "+"))
        async for message in self._client.messages:
            _, _, kind = topics.parse(str(message.topic)) or ("", "", "")
            self._hear(kind, bytes(message.payload))
            self._news.set()

    def _hear(self, kind: str, payload: bytes) -> None:
        if kind == "link":
            self.links.append(payload)
        elif kind in ("hello", "state"):
            setattr(self, kind, messages.decode(kind, payload))
        elif kind == "event":
            event = messages.decode(kind, payload)
            if event not in self.events:
                self.events.append(event)

    async def beat(self) -> None:
        while True:
            if self.admit_w is not None:
                await self.budget()
            await asyncio.sleep(1.0)

    async def budget(self, admit_w: int | None = None) -> None:
        """Broadcast now; as the beat goes on, the new number stays."""
        if admit_w is not None:
            self.admit_w = admit_w
        self.seq += 1
        values: Message = {
            "term": self.term,
            "seq": self.seq,
            "epoch": self.epoch,
            "admit_w": self.admit_w,
            "budget_w": self.admit_w,
            "ttl_ms": TTL_MS,
            "sent_ms": int(time.time() * 1000),
        }
        topic = topics.budget(SITE)
        body = messages.encode("budget", values)
        await self._client.publish(topic, mac.seal(mac.budget_key(KEY), topic, body))

    async def welcome(self, start_w: int = START_W) -> list[list[int]]:
        """The cmd that lets the rig join, with a ladder of its whole table; the ladder."""
        ladder = whole_ladder(self.hello, start_w)
        await self.command(ladder)
        return ladder

    async def command(self, ladder: list[list[int]]) -> None:
        """Send the cmd and wait for its echo."""
        self.id += 1
        values = {
            "nonce": self.hello["nonce"],
            "id": self.id,
            "term": self.term,
            "seq": self.seq,
            "epoch": self.epoch,
            "ladder": ladder,
            "event": 0,
        }
        topic = topics.rig(SITE, self.rig, "cmd")
        sealed = mac.seal(mac.rig_key(KEY, self.rig), topic, messages.encode("cmd", values))
        await self._client.publish(topic, sealed)
        await self.until(lambda: self.state.get("id") == self.id, 5, "cmd echoed")

    async def until(self, true: Callable[[], Any], seconds: float, what: str) -> float:
        """Wait for it; the seconds it took."""
        began = time.monotonic()
        while not true():
            left = began + seconds - time.monotonic()
            if left <= 0:
                raise AssertionError(
                    f"not within {seconds} s: {what}; state {json.dumps(self.state)}"
                )
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), min(0.02, left))
            except TimeoutError:
                pass
        return time.monotonic() - began
