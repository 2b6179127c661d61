"""From a control room's word to the broadcast of a new budget, protocol by protocol.

One live site for each: supervisor, broker and a few modelled rigs as processes and sockets
of this machine.  The clock starts before the peer sends and stops when a client of the
broker hears a budget for the new limit.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import aiomqtt
import numpy as np
import typer
import uvicorn

from hil.demo import HOST, SITE, Demo
from hil.peers import Master
from hil.peers.vtn3 import BASE, CLIENT_ID, SECRET, Vtn3
from protocols import topics
from supervisor.nats import free_port
from supervisor.view import SignalOrder

RIGS = 20
HEARD_S = 20.0
NAMES = ("openadr3", "openadr2", "iec104", "dnp3", "sunspec", "mqtt", "http")
Say = Callable[[float], Awaitable[object]]  # megawatts


def command(
    words: Annotated[int, typer.Option(min=2, max=500, help="limits said by each")] = 20,
    only: Annotated[str, typer.Option(help="one of them")] = "",
) -> dict[str, Any]:
    return asyncio.run(_all(words, (only,) if only else NAMES))


async def _all(words: int, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: await one(name, words) for name in names}


async def one(name: str, words: int) -> dict[str, float]:
    """The delays of one protocol."""
    with tempfile.TemporaryDirectory(prefix="surplus-signals-") as folder:
        site = SignalSite(Path(folder), name)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(site.stop)
            await site.start()
            say = await PEERS[name](site, stack)
            client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", site.broker_port))
            await client.subscribe(topics.budget(SITE))
            delays_ms = [await _delay_ms(site, client, say, n) for n in range(words + 1)]
    p50, p95 = np.percentile(delays_ms[1:], [50, 95])  # the first one also waits for rigs to join
    return {
        "delay_ms_p50": round(float(p50), 1),
        "delay_ms_p95": round(float(p95), 1),
        "words": words,
    }


async def _delay_ms(site: "SignalSite", client: aiomqtt.Client, say: Say, number: int) -> float:
    """One limit said, and the time until a budget for it is broadcast."""
    mw = site.capacity_w / 1e6 * (0.5 + 0.02 * (number % 2))
    wanted_w = mw * 1e6 - site.floor_w
    before_s = time.perf_counter()
    saying = asyncio.ensure_future(say(mw))
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

    def __init__(self, folder: Path, protocol: str, more: str = "") -> None:
        super().__init__(folder, RIGS, 0, seed=1, say=lambda text: None)
        self.port, self.back_port, self.protocol = free_port(HOST), free_port(HOST), protocol
        self._more = more
        self.auxiliary_w = 0.0  # type: ignore[assignment]

    def _write_settings(self, meter_port: int) -> None:
        super()._write_settings(meter_port)
        if self.protocol in SECTIONS:
            kept = self.settings_path.read_text().partition("[signal.mqtt]")[0]
            section = SECTIONS[self.protocol].format(port=self.port, back=self.back_port, base=BASE)
            self.settings_path.write_text(
                kept + f"[signal.{self.protocol}]\n{section}\n{self._more}\n"
            )
            secret = self.folder / "secret"
            secret.write_text(SECRET)
            secret.chmod(0o600)


SECTIONS = {
    "iec104": "port = {port}",
    "dnp3": "port = {port}",
    "sunspec": "port = {port}",
    "openadr3": 'url = "http://127.0.0.1:{port}{base}"\nclient_id = "'
    + CLIENT_ID
    + '"\nsecret_file = "secret"\npoll_s = 5\ncallback_url = "http://127.0.0.1:{back}/"\n'
    "callback_port = {back}",
    "openadr2": 'url = "http://127.0.0.1:{port}/OpenADR2/Simple/2.0b"',
}


async def _mqtt(site: SignalSite, stack: AsyncExitStack) -> Say:
    client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", site.broker_port))
    return lambda mw: site.tell(client, round(mw * 1e6))


def _order(mw: float) -> SignalOrder:
    return SignalOrder(mw=mw, for_s=600.0, by="bench")


async def _http(site: SignalSite, stack: AsyncExitStack) -> Say:
    from supervisor.client import connected

    client = stack.enter_context(connected(site.state_dir))
    return lambda mw: asyncio.to_thread(client.order_signal, _order(mw))


async def _iec104(site: SignalSite, stack: AsyncExitStack) -> Say:
    master = await _master("master104", site, stack)
    while await master.ask(do="state") != "OPEN":
        await asyncio.sleep(0.1)
    return lambda mw: master.ask(do="send", ioa=1001, value=mw)


async def _dnp3(site: SignalSite, stack: AsyncExitStack) -> Say:
    master = await _master("masterdnp3", site, stack)
    while (await master.ask(do="switch", index=1, on=True))[0] != "SUCCESS":
        await asyncio.sleep(0.1)
    return lambda mw: master.ask(do="set", mw=mw)


async def _master(name: str, site: SignalSite, stack: AsyncExitStack) -> Master:
    master = Master(name, site.port)
    await master.start()
    stack.push_async_callback(master.stop)
    return master


async def _sunspec(site: SignalSite, stack: AsyncExitStack) -> Say:
    from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

    master = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=site.port)
    await asyncio.to_thread(master.scan)
    der = master.models[704][0]

    def write(mw: float) -> None:
        der.WSetEna.value, der.WSetMod.value, der.WSet.value = 1, 1, -round(mw * 1e6)
        der.write()

    return lambda mw: asyncio.to_thread(write, mw)


async def _openadr3(site: SignalSite, stack: AsyncExitStack) -> Say:
    """Its word is an event, and a call to the webhook that the site has subscribed."""
    vtn = Vtn3()
    vtn.url = f"http://127.0.0.1:{site.port}{BASE}"
    config = uvicorn.Config(vtn.app, port=site.port, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def end() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(end)
    while not vtn.store["subscriptions"]:
        await asyncio.sleep(0.1)

    async def say(mw: float) -> None:
        vtn.store["events"].clear()
        vtn.event(("IMPORT_CAPACITY_LIMIT", mw * 1000))
        await vtn.notify()

    return say


async def _openadr2(site: SignalSite, stack: AsyncExitStack) -> Say:
    from openleadr import OpenADRServer

    server = OpenADRServer(
        "VTN",
        http_port=site.port,
        requested_poll_freq=timedelta(seconds=1),
        show_fingerprint=False,
    )
    registered = asyncio.Event()

    async def register(info: dict[str, Any]) -> tuple[str, str]:
        registered.set()
        return "ven-1", "registration-1"

    async def opted(ven_id: str, event_id: str, opt_type: str) -> None:
        pass

    server.add_handler("on_create_party_registration", register)
    server.add_handler("on_register_report", lambda *_, **__: None)
    await server.run()
    stack.push_async_callback(server.stop)
    await registered.wait()
    before: list[str] = []

    async def say(mw: float) -> None:
        for event in before:
            server.cancel_event("ven-1", event)
        before[:] = [f"e{time.time()}"]
        interval = {
            "dtstart": datetime.now(UTC),
            "duration": timedelta(minutes=10),
            "signal_payload": mw * 1000,
        }
        server.add_event(
            "ven-1", "LOAD_DISPATCH", "setpoint", [interval], opted, event_id=before[0]
        )

    return say


PEERS: dict[str, Callable[[SignalSite, AsyncExitStack], Awaitable[Say]]] = {
    "mqtt": _mqtt,
    "http": _http,
    "iec104": _iec104,
    "dnp3": _dnp3,
    "sunspec": _sunspec,
    "openadr3": _openadr3,
    "openadr2": _openadr2,
}
