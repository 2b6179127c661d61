"""The broker under test: the embedded nats-server as the supervisor starts it, or a mosquitto.

As many servers as one machine needs for so many connections: each process may open so many
files and no more.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil

from supervisor import nats
from supervisor.broker import Broker
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.links import Links, links_of
from supervisor.sections.site import SiteConfig

Kind = Literal["nats", "mosquitto"]
SPARE = 500  # files of a process that are no connection of a rig

_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_connections -1
set_tcp_nodelay true
log_dest file {folder}/mosquitto.log
"""


class UnderTest(Protocol):
    """A broker that is started, killed and comes back on the same port."""

    pid: int | None

    async def start(self) -> int: ...
    async def kill(self) -> None: ...
    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Servers:
    """Those under test, together."""

    each: list[UnderTest]
    ports: list[int]

    async def kill(self) -> None:
        """All at once."""
        await asyncio.gather(*(server.kill() for server in self.each))

    @property
    def pids(self) -> list[int]:
        return [server.pid for server in self.each if server.pid is not None]

    def memory(self) -> dict[str, Any]:
        """What a bench says of them; of one process where there is one."""
        mb = [rss_mb(pid) for pid in self.pids]
        return {"servers": len(self.each), "broker_rss_mb": round(sum(mb), 1)}


@asynccontextmanager
async def running(kind: Kind, folder: Path, rigs: int = 0) -> AsyncIterator[Servers]:
    """Enough servers for so many rigs, ended whatever happens.

    Raises ModuleNotFoundError where that broker is not installed.
    """
    make = Nats if kind == "nats" else Mosquitto
    async with AsyncExitStack() as stack:
        each: list[UnderTest] = []
        for number in range(servers_for(rigs)):
            place = folder / f"server-{number + 1}"
            place.mkdir()
            each.append(make(place, nats.free_port("127.0.0.1")))
            stack.push_async_callback(each[-1].stop)
        yield Servers(each, [await server.start() for server in each])


def servers_for(rigs: int) -> int:
    """How many processes hold a connection for each of these; one at least."""
    return max(1, -(-rigs // (nats.raise_file_limit(rigs + SPARE) - SPARE)))


def links(site: str, inbox: Inbox, ports: list[int]) -> Links:
    """The supervisor's own."""
    return links_of(Config(site=SiteConfig(name=site, limit_mw=100.0)), inbox, ports)


class Nats(Broker):
    """Watched, as by the supervisor."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port=port)

    _watching: asyncio.Task[None] | None = None

    async def start(self) -> int:
        port = await super().start()
        self._watching = asyncio.create_task(self.watch())
        return port

    async def kill(self) -> None:
        """At once; watch() brings it back."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        await super().stop()
        if self._watching is not None:
            await self._watching


class Mosquitto:
    def __init__(self, folder: Path, port: int) -> None:
        places = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
        found = shutil.which("mosquitto", path=os.pathsep.join(places))
        if found is None:
            raise ModuleNotFoundError("mosquitto; install it, or use --broker nats")
        self._binary, self._folder = found, folder
        self.port = port
        self.pid: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> int:
        conf = self._folder / "mosquitto.conf"
        conf.write_text(_CONF.format(port=self.port, folder=self._folder) + _same_user())
        nats.raise_file_limit(nats.FILES_WANTED)
        self._child = subprocess.Popen([self._binary, "-c", str(conf)], stderr=subprocess.DEVNULL)
        self.pid = self._child.pid
        while not await nats.listens("127.0.0.1", self.port):
            if self._child.poll() is not None:
                raise RuntimeError(f"{self._binary} ended with {self._child.returncode}")
            await asyncio.sleep(0.02)
        return self.port

    async def kill(self) -> None:
        """At once, and started again: nobody else watches it."""
        await self._end(signal.SIGKILL)
        await self.start()

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)
            await asyncio.to_thread(self._child.wait, 10)


def _same_user() -> str:
    """Root would be given up for an account that cannot read our folder."""
    return "user root\n" if os.geteuid() == 0 else ""


def rss_mb(pid: int | None) -> float:
    """Resident memory of a process."""
    return round(float(psutil.Process(pid).memory_info().rss) / 1e6, 1)


def cpu_s(pid: int | None) -> float:
    """CPU seconds a process has spent."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
