"""With the real broker, and a client we did not write as the rigs."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from protocols import messages
from supervisor import link as link_module
from supervisor import nats
from supervisor.broker import Broker
from supervisor.inbox import Inbox
from supervisor.link import Link, back_off_s

pytestmark = [pytest.mark.asyncio, pytest.mark.real_time]


@asynccontextmanager
async def running(link):
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def site(folder):
    """A broker, an inbox, a link on it and a foreign client."""
    broker, inbox = Broker(folder), Inbox()
    port = await broker.start()
    try:
        async with (
            running(Link(inbox, "ridge", "127.0.0.1", port)) as link,
            aiomqtt.Client("127.0.0.1", port) as rig,
        ):
            await asyncio.wait_for(link.until_connected(), 5)
            yield broker, inbox, link, rig
    finally:
        await broker.stop()


async def test_every_rig_message_reaches_the_inbox_and_nothing_else(tmp_path, until):
    async with site(tmp_path) as (_, inbox, link, rig):
        for topic in (
            "surplus/ridge/rig/r1/hello",
            "surplus/ridge/rig/r1/cmd",  # ours, not a rig's
            "surplus/ridge/rig/R1/state",  # no name
            "surplus/other/rig/r1/state",
            "surplus/ridge/rig/r2/state",
            "surplus/ridge/rig/r2/event",
        ):
            await rig.publish(topic, topic)
        await rig.publish("surplus/ridge/rig/r2/link", "up", retain=True)
        heard = await until(lambda: link.counters.received >= 5 and inbox.take_rigs())
        assert [(rig, kind) for rig, kind, _ in heard] == [
            ("r1", "hello"),
            ("r2", "state"),
            ("r2", "event"),
            ("r2", "link"),
        ]
        assert heard[0][2] == b"surplus/ridge/rig/r1/hello" and heard[3][2] == b"up"
        assert (link.counters.received, link.counters.ignored) == (5, 1)


async def test_a_message_too_long_is_dropped_and_counted(tmp_path, until):
    async with site(tmp_path) as (_, inbox, link, rig):
        for size in (messages.SIZE_MAX + 1, messages.SIZE_MAX):
            await rig.publish("surplus/ridge/rig/r1/state", bytes(size))
        heard = await until(inbox.take_rigs)
        assert [len(payload) for *_, payload in heard] == [messages.SIZE_MAX]
        assert link.counters.too_long == 1


async def test_publishes_to_one_and_to_all(tmp_path):
    async with site(tmp_path) as (_, _, link, rig):
        await rig.subscribe("surplus/ridge/#")
        assert link.publish("surplus/ridge/budget", b"{}")
        assert link.publish("surplus/ridge/rig/r1/cmd", b"[]", retain=True)
        first, second = await anext(rig.messages), await anext(rig.messages)
        assert (str(first.topic), first.payload) == ("surplus/ridge/budget", b"{}")
        assert (str(second.topic), second.payload) == ("surplus/ridge/rig/r1/cmd", b"[]")
        assert link.counters.published == 2


async def test_what_is_published_last_still_goes_out(tmp_path):
    broker = Broker(tmp_path)
    port = await broker.start()
    async with aiomqtt.Client("127.0.0.1", port) as rig:
        await rig.subscribe("surplus/ridge/budget")
        async with running(Link(Inbox(), "ridge", "127.0.0.1", port)) as link:
            await link.until_connected()
            for number in range(1000):
                assert link.publish("surplus/ridge/budget", b"%d" % number)
        async with asyncio.timeout(5):
            async for message in rig.messages:
                if message.payload == b"999":
                    break
    await broker.stop()


async def test_comes_back_after_the_broker_died(tmp_path, until):
    async with site(tmp_path) as (broker, inbox, link, _):
        heard = []
        link.listen("grid/target", heard.append)
        watching = asyncio.create_task(broker.watch())
        os.kill(broker.pid, signal.SIGKILL)
        await until(lambda: not link.connected)
        assert link.publish("surplus/ridge/budget", b"") is False
        assert link.counters.unpublished == 1
        await until(lambda: link.connected)
        assert link.counters.connections == 2
        async with aiomqtt.Client("127.0.0.1", broker.port) as again:
            await again.publish("surplus/ridge/rig/r1/state", b"back")
            await again.publish("grid/target", b"also")
            assert await until(inbox.take_rigs) == [("r1", "state", b"back")]
            await until(lambda: heard == [b"also"])
        watching.cancel()


async def test_a_listener_that_fails_costs_nobody_else(tmp_path, until):
    async with site(tmp_path) as (_, inbox, link, rig):
        link.listen("grid/target", lambda payload: payload.decode("ascii"))
        while not link.counters.failed:  # until the broker knows of the listener
            await rig.publish("grid/target", b"\xff")
            await asyncio.sleep(0.01)
        await rig.publish("surplus/ridge/rig/r1/state", b"on")
        await until(inbox.take_rigs)
        assert link.connected


async def test_tries_for_ever_and_says_why_once(caplog, until):
    port = nats.free_port("127.0.0.1")
    async with running(Link(Inbox(), "ridge", "127.0.0.1", port)) as link:
        await until(lambda: "Connect call failed" in link.because)
        await asyncio.sleep(0.5)
        said = [r for r in caplog.records if r.name == "supervisor.link"]
        assert len(said) == 1 and not link.connected


async def test_a_half_open_connection_is_given_up(monkeypatch, until):
    """The peer takes us in and is never heard again, as when a switch loses its tables."""
    monkeypatch.setattr(link_module, "KEEPALIVE_S", 1)

    async def mute(reader, writer):
        await reader.readuntil(b"MQTT")
        writer.write(b"\x20\x02\x00\x00")  # CONNACK, accepted
        await reader.readuntil(b"/link\x00")
        writer.write(b"\x90\x06\x00\x01\x00\x00\x00\x00")  # SUBACK, four topics
        await asyncio.sleep(60)

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(Link(Inbox(), "ridge", "127.0.0.1", port)) as link:
        await asyncio.wait_for(link.until_connected(), 5)
        await until(lambda: link.counters.connections == 2)
    server.close()


async def test_a_broker_that_takes_no_subscription_is_named(until):
    async def deaf(reader, writer):
        await reader.readuntil(b"MQTT")
        writer.write(b"\x20\x02\x00\x00")
        await reader.readuntil(b"/link\x00")
        writer.write(b"\x90\x06\x00\x01\x00\x80\x00\x00")
        await asyncio.sleep(60)

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(Link(Inbox(), "ridge", "127.0.0.1", port)) as link:
        await until(lambda: "does not let us hear surplus/ridge/rig/+/state" in link.because)
        assert not link.connected
    server.close()


async def test_refused_credentials_are_named(until):
    async def strict(reader, writer):
        await reader.readuntil(b"MQTT")
        writer.write(b"\x20\x02\x00\x05")
        writer.close()

    server = await asyncio.start_server(strict, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(Link(Inbox(), "ridge", "127.0.0.1", port, user="a", password="b")) as link:
        await until(lambda: "not authorised" in link.because)
    server.close()


async def test_attempts_spread_and_settle():
    assert back_off_s(0, 0.0) == 0.05 and back_off_s(0, 1.0) == pytest.approx(0.15)
    assert back_off_s(99, 0.5) == 2.0
