"""The broker killed under thousands of clients: how long until everybody is back."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.benches.brokers import Kind, Servers, cpu_s, rss_mb, running
from hil.load.crowd import Crowd
from supervisor import nats

SITE = "bench"
CONNECT_S, BACK_S = 300.0, 300.0


def command(
    rigs: Annotated[int, typer.Option(min=1, max=200_000)] = 12_000,
    kills: Annotated[int, typer.Option(min=1, max=20)] = 2,
    broker: Annotated[Kind, typer.Option(help="nats or mosquitto")] = "nats",
) -> dict[str, Any]:
    """Seconds from kill -9 until the last client has its topics again, the worst of the kills.
    Clients come back as the firmware does, after a random part of a growing pause."""
    return asyncio.run(_measure(rigs, kills, broker))


async def _measure(rigs: int, kills: int, kind: Kind) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        async with running(kind, Path(folder), rigs) as servers:
            crowd = Crowd(SITE, servers.ports, rigs, max(2, len(servers.ports)))
            try:
                crowd.ask("open")
                first_s = await crowd.until_up(CONNECT_S)
                runs = [await _kill(servers, crowd) for _ in range(kills)]
                return {
                    "rigs": rigs,
                    "broker": kind,
                    "first_s": round(first_s, 2),
                    "broker_back_s": max(run[0] for run in runs),
                    "all_back_s": max(run[1] for run in runs),
                    "broker_cpu_s": round(sum(map(cpu_s, servers.pids)), 1),
                    "clients_rss_mb": round(sum(rss_mb(pid) for pid in crowd.pids), 1),
                } | servers.memory()
            finally:
                crowd.close()


async def _kill(servers: Servers, crowd: Crowd) -> tuple[float, float]:
    """(seconds until the broker listens, until everybody is back)."""
    begun_s = time.monotonic()
    await servers.kill()
    while sum(crowd.ask("up")) == crowd.count:
        await asyncio.sleep(0.02)
    for port in servers.ports:
        while not await nats.listens("127.0.0.1", port):
            await asyncio.sleep(0.02)
    listens_s = time.monotonic() - begun_s
    await crowd.until_up(BACK_S)
    return round(listens_s, 2), round(time.monotonic() - begun_s, 2)
