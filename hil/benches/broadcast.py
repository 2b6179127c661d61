"""One budget heard by the last of thousands of connected clients, against a command to each."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hil.benches.brokers import Kind, links, rss_mb, running
from hil.load.crowd import Crowd
from protocols import mac, messages, topics
from supervisor.inbox import Inbox
from supervisor.links import Links
from supervisor.merit import Floats

SITE, KEY = "bench", bytes(32)
ROUNDS = 7
CONNECT_S, HEAR_S = 300.0, 30.0
LADDER = [[level, 3000 * level, 3000 * level + 400] for level in range(1, 9)]

TURN = 1000  # commands at once: a beat sends some and then hears

Publish = Callable[[], Awaitable[None]]


def command(
    rigs: Annotated[int, typer.Option(min=1, max=200_000)] = 12_000,
    broker: Annotated[Kind, typer.Option(help="nats or mosquitto")] = "nats",
) -> dict[str, Any]:
    """Milliseconds until the first and the last client have heard, median of several rounds."""
    return asyncio.run(_measure(rigs, broker))


async def _measure(rigs: int, kind: Kind) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        async with running(kind, Path(folder), rigs) as servers:
            crowd = Crowd(SITE, servers.ports, rigs, max(2, len(servers.ports)))
            try:
                crowd.ask("open")
                connect_s = await crowd.until_up(CONNECT_S)
                return {"rigs": rigs, "broker": kind, "connect_s": round(connect_s, 2)} | (
                    await _rounds(crowd, servers.ports)
                    | servers.memory()
                    | {"supervisor_rss_mb": rss_mb(None)}
                )
            finally:
                crowd.close()


async def _rounds(crowd: Crowd, ports: list[int]) -> dict[str, Any]:
    """By the supervisor's own line."""
    link = links(SITE, Inbox(), ports)
    linked = asyncio.create_task(link.run())
    await link.until_connected()
    try:
        first, last, lost = await _several(crowd, lambda: _budget(link), ROUNDS)
        one_first, one_last, one_lost = await _several(
            crowd, lambda: _commands(link, crowd.count), 3
        )
    finally:
        linked.cancel()
        await asyncio.gather(linked, return_exceptions=True)
    return {
        "first_ms": first,
        "last_ms": float(np.median(last)),
        "last_ms_worst": max(last),
        "single_first_ms": one_first,
        "single_last_ms": float(np.median(one_last)),
        "lost": lost + one_lost,
    }


async def _several(crowd: Crowd, say: Publish, rounds: int) -> tuple[float, list[float], int]:
    """(median of the first, every last, messages lost), milliseconds."""
    firsts, lasts, lost = [], [], 0
    for _ in range(rounds):
        crowd.heard()
        at_s = await _one(crowd, say)
        firsts.append(float(at_s.min(initial=HEAR_S)) * 1000)
        lasts.append(round(float(at_s.max(initial=0.0)) * 1000, 1))
        lost += crowd.count - len(at_s)
    return round(float(np.median(firsts)), 1), lasts, lost


async def _one(crowd: Crowd, say: Publish) -> Floats:
    """Seconds after it was said, of everybody who heard."""
    begun_s, heard = time.monotonic(), np.zeros(0)
    await say()
    while len(heard) < crowd.count and time.monotonic() - begun_s < HEAR_S:
        await asyncio.sleep(0.3)  # who asks while they hear slows them down
        heard = np.concatenate((heard, crowd.heard()[0]))
    return heard - begun_s


async def _budget(link: Links) -> None:
    """As the beat does it."""
    topic = topics.budget(SITE)
    values: dict[str, object] = {**dict.fromkeys(messages.BUDGET, 1), "ttl_ms": 10_000}
    link.publish(topic, mac.seal(mac.budget_key(KEY), topic, messages.encode("budget", values)))


async def _commands(link: Links, rigs: int) -> None:
    """What the others do: one to each, sealed with its own key."""
    for number in range(rigs):
        name = f"rig-{number:05d}"
        topic = topics.rig(SITE, name, "cmd")
        values: dict[str, object] = dict.fromkeys(messages.CMD, 1)
        values |= {"nonce": "0" * 16, "ladder": LADDER}
        body = messages.encode("cmd", values)
        link.publish(topic, mac.seal(mac.rig_key(KEY, name), topic, body))
        if number % TURN == TURN - 1:
            await asyncio.sleep(0)
