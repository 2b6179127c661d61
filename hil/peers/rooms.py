"""Control rooms, one for each protocol that a site listens to: they come, say, cancel, and go.

A room knows its part of the site's settings.  come() makes it ready to say something, and
is also how it comes back; go() ends it without a goodbye.  What it said for a time of its
own (for_s) ends then; where the protocol has no end, it stands until the room is missed.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import ClassVar

import aiomqtt
import httpx

from hil.demo import HOST, TOPIC, Demo
from supervisor.broker import Broker
from supervisor.client import read_addresses
from supervisor.nats import free_port
from supervisor.sections.kinds import W_PER_MW

LONG_S = 3600.0


class Room:
    """serves: the site calls it, so that it is better there first.  more: lines of its section.

    poll_s: how often the site asks it, where it cannot tell the site.
    """

    name: ClassVar[str] = ""
    serves: ClassVar[bool] = False
    poll_s: ClassVar[float] = 0.0

    def __init__(self, site: Demo, more: str = "") -> None:
        self.site, self.more = site, more
        self.port, self.back_port = free_port(HOST), free_port(HOST)

    def section(self) -> str:
        """Its lines in the site's settings."""
        return f"[signal.{self.name}]\n{self.keys()}\n{self.more}\n"

    def keys(self) -> str:
        return f"port = {self.port}"

    async def come(self) -> None:
        pass

    async def met(self) -> None:
        """Until the site has called it, where the site does."""

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        raise NotImplementedError

    async def cancel(self) -> None:
        raise NotImplementedError

    async def go(self) -> None:
        pass

    async def end(self) -> None:
        """With a goodbye, and whatever it started."""
        await self.go()


class Numbered(Room):
    """Says {"mw", "valid_until", "seq"}; cancels by a word that ends at once."""

    _seq = 0
    _said_mw = 0.0
    before = b""

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        self._seq, self._said_mw = self._seq + 1, mw
        body = {"mw": mw, "valid_until": time.time() + for_s, "seq": self._seq}
        word, self.before = json.dumps(body).encode(), self.before
        await self.send(word)
        self.before = word

    async def cancel(self) -> None:
        await self.say(self._said_mw, 0.5)

    async def send(self, word: bytes) -> None:
        raise NotImplementedError


class Mqtt(Numbered):
    """By turns over the site's own broker and the backup, the last word behind on the other."""

    name = "mqtt"
    serves = True
    _broker: Broker | None = None

    def __init__(self, site: Demo, more: str = "") -> None:
        super().__init__(site, more)
        self._clients: dict[int, aiomqtt.Client] = {}
        self._open = AsyncExitStack()

    def keys(self) -> str:
        return f'topic = "{TOPIC}"\nbackup_host = "{HOST}"\nbackup_port = {self.back_port}'

    async def come(self) -> None:
        if self._broker is None:
            folder = self.site.folder / "backup-broker"
            folder.mkdir()
            self._broker = Broker(folder, port=self.back_port)
            await self._broker.start()
        if self.before:  # a broker that is back plays what it had kept
            await self._publish(self.back_port, self.before)

    async def send(self, word: bytes) -> None:
        ports = [self.site.broker_port, self.back_port]
        if self._seq % 2:
            ports.reverse()
        await self._publish(ports[0], word)
        if self.before:
            await self._publish(ports[1], self.before)

    async def _publish(self, port: int, word: bytes) -> None:
        if port not in self._clients:
            client = aiomqtt.Client(HOST, port)
            self._clients[port] = await self._open.enter_async_context(client)
        await self._clients[port].publish(TOPIC, word)

    async def end(self) -> None:
        await self._open.aclose()
        if self._broker is not None:
            await self._broker.stop()


class Repeating(Room):
    """Says word() on a topic of the site's broker, again and again until it goes."""

    topic: ClassVar[str] = ""
    _beating: asyncio.Task[None] | None = None

    def word(self) -> dict[str, float]:
        raise NotImplementedError

    def begin(self) -> None:
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        async with aiomqtt.Client(HOST, self.site.broker_port) as client:
            while True:
                await client.publish(self.topic, json.dumps(self.word()))
                await asyncio.sleep(0.5)

    async def go(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None


class Target(Repeating):
    """The other shape on the same topic: per cent of the site's limit, said again and again."""

    name, topic = "mqtt", TOPIC
    _pct = 0.0

    def section(self) -> str:
        return ""  # the room above has one

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        from supervisor.config import load

        self._pct = 100 * mw * W_PER_MW / load(self.site.settings_path).site.limit_w
        await self.go()
        self.begin()

    def word(self) -> dict[str, float]:
        return {"target": self._pct, "timestamp": time.time()}

    async def cancel(self) -> None:
        await self.say(0.0)


class Http(Numbered):
    """A program that pushes to the API."""

    name = "http"

    def __init__(self, site: Demo, more: str = "") -> None:
        super().__init__(site, more)
        self._http = httpx.AsyncClient(trust_env=False)

    def keys(self) -> str:
        return ""

    async def come(self) -> None:
        if self.before:  # it has forgotten where it was, and says the last word again
            answer = await self._post(self.before)
            assert answer.status_code == 422, answer.text

    async def send(self, word: bytes) -> None:
        (await self._post(word)).raise_for_status()

    async def _post(self, word: bytes) -> httpx.Response:
        (api,) = read_addresses(self.site.state_dir)
        shown = {"Authorization": f"Bearer {api.token}"}
        where = f"http://{api.where}/api/signal/push"
        return await self._http.post(where, content=word, headers=shown)

    async def end(self) -> None:
        await self._http.aclose()


class Price(Repeating):
    """A market: cheap while the site may run, dear while it may not; said again and again."""

    name, topic = "price", "market/price"
    _price = 0.0

    def keys(self) -> str:
        return f'topic = "{self.topic}"\nstrike = 30.0\nrun_s = 0\nrest_s = 0'

    def word(self) -> dict[str, float]:
        return {"price": self._price, "timestamp": time.time()}

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        self._price = 20.0 if mw > 0 else 90.0
        self.begin()

    async def cancel(self) -> None:
        self._price = 90.0


class Person(Room):
    """Somebody at a terminal."""

    name = "operator"

    def section(self) -> str:
        return ""

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        await self._surplus("set", f"{mw * 1000:.3f}kW", "--for", f"{for_s:g}s", "--by", "ann")

    async def cancel(self) -> None:
        await self._surplus("clear")

    async def _surplus(self, *words: str) -> None:
        command = (sys.executable, "-m", "supervisor", "signal", *words)
        state = ("--state", str(self.site.state_dir))
        process = await asyncio.create_subprocess_exec(
            *command, *state, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0, words


def replace_file(path: Path, content: bytes) -> None:
    """Whole or not at all, as a careful program writes it."""
    made = path.with_suffix(".new")
    made.write_bytes(content)
    made.replace(path)
