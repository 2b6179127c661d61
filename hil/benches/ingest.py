"""State messages through a real broker into the supervisor's columns: what each costs."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hil.benches.brokers import Kind, links, rss_mb, running
from hil.bridge import facts
from hil.load import mqtt
from hil.load.crowd import Crowd
from hil.models import MODELS
from protocols import messages, topics
from supervisor.fleet import Fleet
from supervisor.hearing import Hearing
from supervisor.inbox import Inbox

SITE = "bench"
PACKET = 20  # messages written at once, as they arrive from many rigs
AHEAD = 20_000  # messages on the way: enough to keep everybody busy, too few for a broker to drop
BEAT_S = 0.05
CONNECT_S = 30.0


def command(
    rigs: Annotated[int, typer.Option(min=100, max=60_000)] = 28_571,
    seconds: Annotated[float, typer.Option(min=1, max=600)] = 8.0,
    broker: Annotated[Kind, typer.Option(help="nats or mosquitto")] = "nats",
) -> dict[str, Any]:
    """messages_per_s: taken from the broker and stored, by one core.  CPU is the supervisor's own:
    socket, MQTT, decoding, columns."""
    said = states(rigs)
    return (
        {"rigs": rigs, "broker": broker}
        | asyncio.run(_measure(said, seconds, broker))
        | decode_only(said)
    )


def states(rigs: int, seed: int = 1) -> list[tuple[str, bytes]]:
    """One state of every rig, all different."""
    dice = np.random.default_rng(seed)
    watts, ghs, hot = (dice.integers(low, high, rigs).tolist() for low, high in _RANGES)
    said = []
    for row in range(rigs):
        values: dict[str, object] = dict.fromkeys(messages.STATE, 0)
        values |= {"up_ms": 10_000_000 + row, "state": "running", "level": row % 8, "cap_level": 8}
        values |= {"power_w": watts[row], "hash_ghs": ghs[row], "hot_dc": hot[row], "why": ""}
        values |= {"term": 1_800_000_000, "seq": 86_400, "epoch": 1_800_000_000, "lease_ms": 9_500}
        values |= {"id": 1_800_000_000 + row, "inlet_dc": 250, "fan_rpm": 5_000, "fan_pm": 700}
        said.append((f"rig-{row:05d}", messages.encode("state", values)))
    return said


_RANGES = ((1000, 3600), (60_000, 240_000), (300, 800))


def fleet_of(rigs: int) -> Fleet:
    """Everybody known and counted, as on a settled site."""
    fleet = Fleet()
    fleet.put_many([f"rig-{row:05d}" for row in range(rigs)], facts(MODELS[0]))
    fleet.count(np.arange(rigs), 0.0)
    return fleet


def decode_only(said: list[tuple[str, bytes]]) -> dict[str, float]:
    """The same messages from memory: typed decoding and the columns, no socket."""
    hearing = Hearing(fleet_of(len(said)), lambda *_: None)
    spent_s = []
    for turn in range(5):
        begun_s = time.process_time()
        refused = [hearing.hear(rig, "state", body, float(turn)) for rig, body in said]
        spent_s.append(time.process_time() - begun_s)
        assert not any(refused)
    return {"decode_cpu_us_per_message": round(float(np.median(spent_s)) / len(said) * 1e6, 2)}


async def _measure(said: list[tuple[str, bytes]], seconds: float, kind: Kind) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        async with running(kind, Path(folder)) as servers:
            crowd = Crowd(SITE, servers.ports, 4, processes=1)
            try:
                crowd.ask("open")
                await crowd.until_up(CONNECT_S)
                packets = [mqtt.publish(topics.rig(SITE, rig, "state"), body) for rig, body in said]
                joined = [b"".join(packets[at : at + PACKET]) for at in range(0, len(said), PACKET)]
                crowd.ask("load", joined)
                measured = await _listen(crowd, servers.ports, len(said), seconds)
                return measured | servers.memory() | {"supervisor_rss_mb": rss_mb(None)}
            finally:
                crowd.close()


async def _listen(crowd: Crowd, ports: list[int], rigs: int, seconds: float) -> dict[str, Any]:
    """Take in what comes, as the beat does, for so long."""
    inbox = Inbox()
    hearing = Hearing(fleet_of(rigs), lambda *_: None)
    lines = links(SITE, inbox, ports)
    link = lines.first
    linked = asyncio.create_task(lines.run())
    await link.until_connected()
    said = taken = 0
    begun_s, begun_cpu_s = time.monotonic(), time.process_time()
    while time.monotonic() - begun_s < seconds:
        behind = (AHEAD - (said - link.counters.received)) // PACKET
        if behind > AHEAD // PACKET // 4:
            said += PACKET * crowd.ask("say", behind)[0]
        await asyncio.sleep(BEAT_S)
        for rig, kind, payload in inbox.take_rigs():
            assert not hearing.hear(rig, kind, payload, time.monotonic())
            taken += 1
    spent_s, cpu_s = time.monotonic() - begun_s, time.process_time() - begun_cpu_s
    linked.cancel()
    await asyncio.gather(linked, return_exceptions=True)
    return {
        "messages": taken,
        "messages_per_s": round(taken / cpu_s),
        "cpu_us_per_message": round(cpu_s / taken * 1e6, 2),
        "through_broker_per_s": round(taken / spent_s),
        "lost": said - taken - max(0, said - link.counters.received),
    }
