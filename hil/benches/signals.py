"""From a control room's word to the broadcast of a new budget, protocol by protocol.

One live site for each: supervisor, broker and a few modelled rigs as processes and sockets
of this machine.  The clock starts before the peer sends and stops when a client of the
broker hears a budget for the new limit.
"""

import asyncio
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import aiomqtt
import numpy as np
import typer

from hil.demo import HOST, SITE, Demo
from hil.peers import rooms, rooms_openadr, rooms_scada
from hil.peers.rooms import Room
from protocols import topics

RIGS = 20
HEARD_S = 20.0
ROOMS: dict[str, type[Room]] = {
    "openadr3": rooms_openadr.Openadr3,
    "openadr2": rooms_openadr.Openadr2,
    "iec104": rooms_scada.Iec104,
    "dnp3": rooms_scada.Dnp3,
    "sunspec": rooms_scada.Sunspec,
    "mqtt": rooms.Mqtt,
    "http": rooms.Http,
}


def command(
    words: Annotated[int, typer.Option(min=2, max=500, help="limits said by each")] = 20,
    only: Annotated[str, typer.Option(help="one of them")] = "",
) -> dict[str, Any]:
    return asyncio.run(_all(words, (only,) if only else tuple(ROOMS)))


async def _all(words: int, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: await one(name, words) for name in names}


async def one(name: str, words: int) -> dict[str, float]:
    """The delays of one protocol; poll_s where the site has to ask and is not told."""
    with tempfile.TemporaryDirectory(prefix="surplus-signals-") as folder:
        site = SignalSite(Path(folder), ROOMS[name])
        async with AsyncExitStack() as stack:
            stack.push_async_callback(site.stop)
            await arrive(site, stack)
            client = await stack.enter_async_context(aiomqtt.Client(HOST, site.broker_port))
            await client.subscribe(topics.budget(SITE))
            delays_ms = [await _delay_ms(site, client, n) for n in range(words + 1)]
    p50, p95 = np.percentile(delays_ms[1:], [50, 95])  # the first one also waits for rigs to join
    figures = {
        "delay_ms_p50": round(float(p50), 1),
        "delay_ms_p95": round(float(p95), 1),
        "words": words,
    }
    return figures | ({"poll_s": site.room.poll_s} if site.room.poll_s else {})


async def arrive(site: "SignalSite", stack: AsyncExitStack) -> None:
    """The site up and its room ready to say something."""
    room = site.room
    stack.push_async_callback(room.end)
    if room.serves:
        await room.come()
    await site.start()
    if not room.serves:
        await room.come()
    await room.met()


async def _delay_ms(site: "SignalSite", client: aiomqtt.Client, number: int) -> float:
    """One limit said, and the time until a budget for it is broadcast."""
    mw = site.capacity_w / 1e6 * (0.5 + 0.02 * (number % 2))
    wanted_w = mw * 1e6 - site.floor_w
    before_s = time.perf_counter()
    saying = asyncio.create_task(site.room.say(mw))
    async with asyncio.timeout(HEARD_S):
        async for message in client.messages:
            body = json.loads(bytes(message.payload))
            if abs(body["budget_w"] - wanted_w) < 0.01 * site.capacity_w:
                break
    delay_ms = (time.perf_counter() - before_s) * 1000
    await saying
    return delay_ms


class SignalSite(Demo):
    """A demo site that listens to one protocol.  more: further lines of its section."""

    def __init__(self, folder: Path, room: type[Room], more: str = "") -> None:
        super().__init__(folder, RIGS, 0, seed=1, say=lambda text: None)
        self.auxiliary_w = 0.0  # type: ignore[assignment]
        self.room = room(self, more)

    def _write_settings(self, meter_port: int) -> None:
        super()._write_settings(meter_port)
        kept = self.settings_path.read_text().partition("[signal.mqtt]")[0]
        self.settings_path.write_text(kept + self.room.section())
