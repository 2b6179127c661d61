"""One real supervisor after the other: a standby, a new version; and no rig notices."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing

import aiomqtt
import pytest

from hil.benches import brokers
from hil.fleet import ModelFleet
from hil.modbus_rigs import Line, ModbusRig
from hil.modelled import ModelledRigs, drive
from protocols import mac, messages, topics
from supervisor import nats
from supervisor.client import Address, Client, ClientError, FollowingError, read_addresses
from supervisor.view import SignalOrder, TokenOrder
from tests.scenarios.wire import Wire

RIGS, LINE_RIGS, LIMIT_W = 30, 3, 60_000
BEST = ((1200, 240_000), (2400, 400_000), (3400, 500_000))  # on the line: they run first
KEY = bytes(range(32))
SETTINGS = """\
[site]
name = "pair"
limit_mw = 1
default_mw = 0.06
state_dir = "state"
[broker]
kind = "{kind}"
port = {port}
"""
STANDBY = """\
[standby]
rank = {rank}
[[modbus]]
name = "line"
host = "127.0.0.1"
port = {line}
[[modbus_rigs]]
name = "hall"
gateway = "line"
units = "1-3"
poll_s = 0.5
"""


class Supervisors:
    """Any number of them, in folders of their own, with the same key."""

    def __init__(self):
        self.folders, self.running = [], {}

    def add(self, folder, settings):
        state = folder / "state"
        state.mkdir(parents=True)
        (folder / "site.toml").write_text(settings)
        (state / "site.key").touch(0o600)
        (state / "site.key").write_bytes(KEY)
        self.folders.append(folder)

    def start(self, number):
        folder = self.folders[number]
        call = [sys.executable, "-m", "supervisor", "run", "-v", str(folder / "site.toml")]
        with (folder / "log").open("ab") as log:
            self.running[number] = subprocess.Popen(call, stdout=log, stderr=log)

    def signal(self, number, what):
        os.kill(self.running[number].pid, what)

    def said(self, number, words):
        path = self.folders[number] / "log"
        return path.exists() and words in path.read_text()

    def terms(self, number):
        """Of its decisions on record, in order."""
        path = self.folders[number] / "state" / "ledger.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT json_extract(body, '$.term') FROM ledger"
                " WHERE kind = 'decision' ORDER BY id"
            )
            return list(dict.fromkeys(term for (term,) in rows))

    def client(self, number, token=""):
        """token: somebody's own, in place of that of its machine."""
        (address,) = read_addresses(self.folders[number] / "state")
        return closing(Client(Address(address.host, address.port, token or address.token)))

    def close(self):
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running.values():
            process.wait(15)


async def until(done, most_s=25.0):
    async with asyncio.timeout(most_s):
        while not done():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def living(port):
    """Rigs of the site, joined to it, that live on."""
    rigs = ModelledRigs(ModelFleet(RIGS, 1), "pair", KEY)
    await rigs.connect("127.0.0.1", port)
    driving = asyncio.create_task(drive(rigs))
    try:
        await until(lambda: rigs._joined.all() and rigs._last[1] > 2)
        yield rigs
    finally:
        driving.cancel()
        await rigs.close()


class Master:
    """A rig on a line as one supervisor reaches it; what that writes is noted."""

    def __init__(self, rig, writes):
        self._rig, self._writes = rig, writes

    async def answer(self, *asked):
        if asked[-1] is not None:
            self._writes.append(time.monotonic())
        return await self._rig.answer(*asked)


class Pair(Supervisors):
    """Two of them, each with its own way to one line of rigs; the first's way to the broker is
    a wire that can be cut.  heard: (when, term) of every budget the broker passed on."""

    def __init__(self, folder, broker):
        super().__init__()
        self._folder, self._broker, self.wire = folder, broker, Wire(broker)
        self.line = {unit: ModbusRig(BEST) for unit in range(1, LINE_RIGS + 1)}
        self.writes, self.heard, self.drawn = ([], []), [], []

    async def __aenter__(self):
        await self.wire.start()
        self._lines = [
            Line({unit: Master(rig, writes) for unit, rig in self.line.items()})
            for writes in self.writes
        ]
        for rank, port in enumerate((self.wire.port, self._broker)):
            line = await self._lines[rank].start()
            settings = SETTINGS.format(kind="external", port=port)
            self.add(self._folder / "ab"[rank], settings + STANDBY.format(rank=rank, line=line))
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_):
        self._listening.cancel()
        await asyncio.to_thread(self.close)
        await self.wire.stop()
        for line in self._lines:
            await line.stop()

    async def _listen(self):
        key, topic = mac.budget_key(KEY), topics.budget("pair")
        async with aiomqtt.Client("127.0.0.1", self._broker) as client:
            await client.subscribe(topic)
            async for message in client.messages:
                budget = messages.decode("budget", mac.unseal(key, topic, message.payload))
                self.heard.append((time.monotonic(), budget["term"]))

    async def watch(self, rigs):
        """What all rigs draw, ten times a second."""
        while True:
            drawn_w = rigs.fleet.power_w.sum() + sum(rig.power_w for rig in self.line.values())
            self.drawn.append((time.monotonic(), float(drawn_w)))
            await asyncio.sleep(0.1)

    async def ask(self, rank, what, token=""):
        """what(client), of one supervisor."""

        def asked():
            with self.client(rank, token) as client:
                return what(client)

        return await asyncio.to_thread(asked)

    async def until_led_by(self, rank, rigs, after):
        """Rigs obey a term above one; it and the seconds that took."""
        began_s = time.monotonic()
        await until(lambda: rigs._last[0] > after)
        assert rigs._last[0] % 2 == rank
        return rigs._last[0], time.monotonic() - began_s


def order(client):
    client.order_signal(SignalOrder(mw=LIMIT_W / 2e6, for_s=600.0, by="ann"))


async def cut_apart(pair, rigs):
    """Both live and the network between them is cut: one commands, and then the other."""
    first = rigs._last[0]
    new = await pair.ask(0, lambda a: a.add_token(TokenOrder(name="ann", role="operator", days=1)))
    await asyncio.sleep(0.2)  # the token travels
    pair.wire.cut()
    second, took_s = await pair.until_led_by(1, rigs, first)
    print(f"led by the other {took_s:.1f} s after the cut")

    assert (await pair.ask(0, lambda a: a.site())).term == first, (
        "it lives, and shows what it knows"
    )
    with pytest.raises(FollowingError, match="another supervisor may lead"):
        await pair.ask(0, order)
    async with asyncio.timeout(10):
        while (await pair.ask(1, lambda b: b.standby())).leads and pair.drawn[-1][1] > LIMIT_W / 2:
            try:
                await pair.ask(1, order, new.token)
            except ClientError as error:
                assert "about to lead" in str(error)
            await asyncio.sleep(0.3)
    low_s = time.monotonic()

    said = len(pair.heard)
    pair.wire.mend()
    await until(lambda: pair.said(0, "no longer leading"))
    await until(lambda: pair.said(0, f"following the leader of term {second}"))
    assert [term for _, term in pair.heard[:said]] == sorted(term for _, term in pair.heard[:said])
    print(f"{sum(term == first for _, term in pair.heard[said:])} late words of the first")
    assert rigs._last[0] == second, "the old leader was obeyed"
    last_s = max(at_s for at_s, term in pair.heard[:said] if term == first)
    assert min(at_s for at_s, term in pair.heard if term == second) - last_s > 1.0
    assert max(pair.writes[0]) < min(pair.writes[1]), "both wrote to the line"
    assert max(drawn_w for at_s, drawn_w in pair.drawn if at_s > low_s) <= LIMIT_W / 2
    return second


async def stopped(pair, rigs, second):
    """The leader gets no time at all, and wakes when the other leads."""
    pair.signal(1, signal.SIGSTOP)
    third, took_s = await pair.until_led_by(0, rigs, second)
    pair.signal(1, signal.SIGCONT)
    print(f"led by the first again {took_s:.1f} s after the stop")
    await until(lambda: pair.said(1, f"following the leader of term {third}"))
    await until(lambda: rigs._last[0] > third or rigs._last[1] > 3)
    assert rigs._last[0] == third, "the old leader was obeyed"
    await until(lambda: pair.terms(1)[-1:] == [third])


@pytest.mark.real_time
def test_the_other_goes_on_and_no_rig_notices(tmp_path):
    async def story():
        async with (
            brokers.running("nats", tmp_path) as servers,
            Pair(tmp_path, port := servers.ports[0]) as pair,
        ):
            pair.start(0)
            pair.start(1)
            await until(lambda: pair.said(1, "following the leader"))
            async with living(port) as rigs:
                await until(lambda: all(rig.power_w > 1000 for rig in pair.line.values()))
                nonces, watching = [*rigs._nonces], asyncio.create_task(pair.watch(rigs))
                await stopped(pair, rigs, await cut_apart(pair, rigs))
                watching.cancel()
                assert rigs._nonces == nonces, "a rig ran out its lease and had to join again"
                assert rigs.missed == 0 and max(w for _, w in pair.drawn) <= LIMIT_W
            assert pair.terms(0) == pair.terms(1), "both have the whole record"

    asyncio.run(story())


@pytest.mark.real_time
def test_an_upgrade_costs_no_lease(tmp_path):
    """SIGHUP leaves the broker and every connection; the next supervisor takes it all up."""
    alone, port = Supervisors(), nats.free_port("127.0.0.1")
    alone.add(tmp_path / "a", SETTINGS.format(kind="embedded", port=port))
    state = alone.folders[0] / "state"

    async def story():
        alone.start(0)
        await until((state / "api.json").exists)
        async with living(port) as rigs:
            nonces, first = [*rigs._nonces], rigs._last[0]
            broker = (state / "broker" / "nats.pid").read_text()
            up = [client.failures for client in rigs._clients]

            alone.signal(0, signal.SIGHUP)
            assert await asyncio.to_thread(alone.running[0].wait, 15) == 0
            assert not (state / "api.json").exists()
            alone.start(0)
            await until(lambda: rigs._last[0] > first and rigs._last[1] > 1)
            assert rigs._nonces == nonces, "a rig ran out its lease and had to join again"
            assert (state / "broker" / "nats.pid").read_text() == broker
            assert [client.failures for client in rigs._clients] == up and rigs.connected

    try:
        asyncio.run(story())
    finally:
        alone.close()
