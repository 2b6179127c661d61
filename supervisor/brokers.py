"""The broker of a site: one server or several of our own, or somebody else's.

Several because a process may open so many files and no more, and each rig is one.  They
are servers of their own, each with its own port, rigs and store: what ends one leaves the
others alone, and nothing has to be agreed on (docs/decisions/0019).  Rigs are shared out by
their settings; supervisor/links.py hears them all.
"""

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from supervisor import nats
from supervisor.broker import Broker
from supervisor.config import Config

log = logging.getLogger(__name__)


class AnyBroker(Protocol):
    """What the service needs of a broker, whoever's it is."""

    async def start(self) -> list[int]: ...
    async def watch(self) -> None: ...
    async def stop(self) -> None: ...


def broker_of(config: Config) -> AnyBroker:
    """The broker the settings ask for."""
    keys = config.broker
    if keys.kind == "external":
        return External(keys.ports)
    binary = Path(keys.binary) if keys.binary else None
    return Embedded(
        [
            Broker(folder, host=keys.host, port=port, binary=binary)
            for folder, port in zip(folders(config), keys.ports, strict=True)
        ]
    )


def folders(config: Config) -> list[Path]:
    """Of each embedded server, what it keeps."""
    names = ["broker", *(f"broker-{number}" for number in range(2, config.broker.servers + 1))]
    return [config.state_dir / name for name in names]


class External:
    """Somebody else's broker: nothing to start, nothing to watch."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports

    async def start(self) -> list[int]:
        return self.ports

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        pass


class Embedded:
    """Our own servers, started, watched and ended together."""

    def __init__(self, servers: list[Broker]) -> None:
        self.servers = servers

    async def start(self) -> list[int]:
        """Their MQTT ports.  Raises BrokerError; what had started is ended by stop()."""
        files = nats.raise_file_limit(nats.FILES_WANTED)
        if files < nats.FILES_WANTED and len(self.servers) == 1:
            log.warning(
                "fewer than %s rigs can connect: raise the limit of open files (ulimit -n,"
                " LimitNOFILE=), or share a larger site out with broker.servers",
                files,
            )
        return [await server.start() for server in self.servers]

    async def watch(self) -> None:
        """Until stop(): each is started again when it is gone or does not answer."""
        await asyncio.gather(*(server.watch() for server in self.servers))

    async def stop(self) -> None:
        await asyncio.gather(*(server.stop() for server in self.servers))
