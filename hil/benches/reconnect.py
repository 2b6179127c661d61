"""The broker killed under thousands of clients: how long until everybody is back."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.benches.brokers import Kind, UnderTest, cpu_s, fits, rss_mb, running
from hil.load.crowd import Crowd
from supervisor import nats

SITE = "bench"
CONNECT_S, BACK_S = 120.0, 180.0


def command(
    rigs: Annotated[int, typer.Option(min=1, max=200_000)] = 12_000,
    kills: Annotated[int, typer.Option(min=1, max=20)] = 2,
    broker: Annotated[Kind, typer.Option(help="nats or mosquitto")] = "nats",
) -> dict[str, Any]:
    """Seconds from kill -9 until the last client has its topics again, the worst of the kills.
    Clients come back as the firmware does, after a random part of a growing pause."""
    return asyncio.run(_measure(fits(rigs), kills, broker))


async def _measure(rigs: int, kills: int, kind: Kind) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        async with running(kind, Path(folder)) as (broker, port):
            crowd = Crowd(SITE, port, rigs)
            try:
                crowd.ask("open")
                first_s = await crowd.until_up(CONNECT_S)
                runs = [await _kill(broker, crowd, port) for _ in range(kills)]
                return {
                    "rigs": rigs,
                    "broker": kind,
                    "first_s": round(first_s, 2),
                    "broker_back_s": max(run[0] for run in runs),
                    "all_back_s": max(run[1] for run in runs),
                    "broker_rss_mb": rss_mb(broker.pid),
                    "broker_cpu_s": round(cpu_s(broker.pid or 0), 1),
                    "clients_rss_mb": round(sum(rss_mb(pid) for pid in crowd.pids), 1),
                }
            finally:
                crowd.close()


async def _kill(broker: UnderTest, crowd: Crowd, port: int) -> tuple[float, float]:
    """(seconds until the broker listens, until everybody is back)."""
    begun_s = time.monotonic()
    await broker.kill()
    while sum(crowd.ask("up")) == crowd.count:
        await asyncio.sleep(0.02)
    while not await nats.listens("127.0.0.1", port):
        await asyncio.sleep(0.02)
    listens_s = time.monotonic() - begun_s
    await crowd.until_up(BACK_S)
    return round(listens_s, 2), round(time.monotonic() - begun_s, 2)
