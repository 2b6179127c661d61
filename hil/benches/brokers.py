"""The broker under test: the embedded nats-server as the supervisor starts it, or a mosquitto."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

import psutil

from supervisor import nats
from supervisor.broker import Broker

Kind = Literal["nats", "mosquitto"]

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


@asynccontextmanager
async def running(kind: Kind, folder: Path) -> AsyncIterator[tuple[UnderTest, int]]:
    """A broker and its port, ended whatever happens.  Raises ModuleNotFoundError without one."""
    broker: UnderTest = Nats(folder) if kind == "nats" else Mosquitto(folder)
    try:
        yield broker, await broker.start()
    finally:
        await broker.stop()


class Nats(Broker):
    """Watched, as by the supervisor."""

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
    def __init__(self, folder: Path) -> None:
        places = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
        found = shutil.which("mosquitto", path=os.pathsep.join(places))
        if found is None:
            raise ModuleNotFoundError("mosquitto; install it, or use --broker nats")
        self._binary, self._folder = found, folder
        self.port = nats.free_port("127.0.0.1")
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


def fits(rigs: int) -> int:
    """How many of these can be connected: one broker cannot open more files than it may."""
    return min(rigs, nats.raise_file_limit(rigs + 200) - 200)
