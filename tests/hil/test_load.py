"""The load client: MQTT as the standard writes it, and a small crowd on a real broker."""

import asyncio
import json
import subprocess
import sys
import time

import psutil
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hil.commands import bench
from hil.load import mqtt
from hil.load.client import PAUSE_MAX_S, Client, pause_s
from hil.load.mqtt import MqttError, Reader

# packets as the examples of MQTT 3.1.1 spell them
CONNECT = bytes.fromhex("10 0f 00044d515454 04 02 003c 0003 723031".replace(" ", ""))
SUBSCRIBE = bytes.fromhex("82 08 0001 0003 612f62 00".replace(" ", ""))
PUBLISH = bytes.fromhex("30 07 0003 612f62 6869".replace(" ", ""))


def packets(data, cuts=()):
    reader, out, before = Reader(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        out += reader.feed(data[before:cut])
        before = cut
    return out


def test_packets_are_those_of_the_standard():
    assert mqtt.connect("r01") == CONNECT
    assert mqtt.subscribe(["a/b"]) == SUBSCRIBE
    assert mqtt.publish("a/b", b"hi") == PUBLISH
    assert mqtt.publish("a/b", b"hi", retain=True)[0] == 0x31


def test_a_will_is_under_its_flags():
    packet = mqtt.connect("r", will=("a/b", b"down"))
    assert packet[9] == 2 | 4 | 32 and packet.endswith(b"\0\x03a/b\0\x04down")


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(0, 1600), max_size=8))
def test_messages_come_out_whole_however_they_arrive(bodies, cuts):
    data = b"".join(mqtt.publish("a/b", body) for body in bodies)
    found = packets(data, [cut for cut in cuts if cut <= len(data)])
    assert [mqtt.message(body) for _, body in found] == [("a/b", body) for body in bodies]
    assert all(kind == mqtt.PUBLISH for kind, _ in found)


@given(st.binary(max_size=40))
def test_any_bytes_are_packets_or_an_error(data):
    try:
        for _, body in packets(data):
            mqtt.message(body)
    except MqttError:
        pass


def test_a_size_without_end_is_refused():
    with pytest.raises(MqttError):
        packets(b"\x30\xff\xff\xff\xff\xff")


def test_pauses_grow_and_stay_below_their_most():
    assert [pause_s(failures, 1.0) for failures in (0, 1, 2)] == [0.27, 0.52, 1.02]
    assert pause_s(50, 1.0) == 0.02 + PAUSE_MAX_S and pause_s(50, 0.0) == 0.02


def test_a_client_comes_up_hears_and_comes_back():
    """Against a broker of a few lines that hangs up once."""
    heard, ups = [], []

    async def story():
        async def serve(reader, writer):
            await reader.readexactly(len(CONNECT) + len(SUBSCRIBE))
            writer.write(b"\x20\x02\0\0" + b"\x90\x03\0\x01\0" + PUBLISH)
            await writer.drain()
            if len(ups) > 1:
                await asyncio.sleep(30)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client(
            0, "r01", ["a/b"], None, ups.append, lambda _, body: heard.append(mqtt.message(body))
        )
        running = asyncio.create_task(client.run("127.0.0.1", port, asyncio.Semaphore(1)))
        async with asyncio.timeout(10):
            while len(heard) < 2:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()

    asyncio.run(story())
    assert heard[:2] == [("a/b", b"hi")] * 2 and len(ups) >= 2


@pytest.mark.real_time
@pytest.mark.parametrize("name, wanted", [("broadcast", "last_ms"), ("reconnect", "all_back_s")])
def test_benches_of_a_crowd_print_their_figures(name, wanted):
    app = typer.Typer()
    bench.register(app)
    result = CliRunner().invoke(app, ["bench", name, "--rigs", "10", "--json"])
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert measured["rigs"] == 10 and measured[wanted] > 0 and measured["broker_rss_mb"] > 1
    assert measured.get("lost", 0) == 0


@pytest.mark.real_time
def test_a_bench_told_to_end_leaves_nothing_behind():
    call = [
        sys.executable,
        "-m",
        "supervisor",
        "bench",
        "reconnect",
        "--rigs",
        "5",
        "--kills",
        "20",
    ]
    running = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until_s, started = time.monotonic() + 30, []
    while not any("nats-server" in one.name() for one in started):
        assert time.monotonic() < until_s and running.poll() is None
        time.sleep(0.05)
        started = psutil.Process(running.pid).children(recursive=True)
    running.terminate()
    assert running.wait(20) != 0
    assert not psutil.wait_procs(started, timeout=5)[1]
