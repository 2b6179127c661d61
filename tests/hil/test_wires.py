"""Connections held by another process: what they hear and say, and that they come back."""

import asyncio

import aiomqtt
import psutil
import pytest

from hil.benches import brokers
from hil.load import mqtt
from hil.load.wires import Spec, Wires
from protocols import messages

BUDGET = "surplus/a/budget"
pytestmark = pytest.mark.real_time


def spec(number, ports):
    topic, will = f"surplus/a/rig/r{number}", messages.DOWN
    wanted = [BUDGET, f"{topic}/cmd"]
    return Spec(number, f"r{number}", wanted, (f"{topic}/link", will), ports[number % len(ports)])


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def test_rigs_on_two_servers_through_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(brokers, "servers_for", lambda _: 2)
    asyncio.run(story(tmp_path))


async def story(folder):
    ups, heard = [], []
    wires = Wires(
        lambda wire: ups.append(wire.number),
        lambda wire, body: heard.append((wire.number, *mqtt.message(body))),
    )
    async with brokers.running("nats", folder, 4) as servers:
        assert len(set(servers.ports)) == len(servers.pids) == 2
        made = await wires.open("127.0.0.1", [spec(n, servers.ports) for n in range(4)], BUDGET)
        await until(lambda: sorted(ups) == [0, 1, 2, 3])
        async with (
            aiomqtt.Client("127.0.0.1", servers.ports[0]) as first,
            aiomqtt.Client("127.0.0.1", servers.ports[1]) as second,
        ):
            await second.subscribe("surplus/a/rig/+/state")
            await first.publish(BUDGET, b"1 kW")
            await second.publish(BUDGET, b"1 kW")
            await second.publish("surplus/a/rig/r3/cmd", b"yours")
            await until(lambda: (3, "surplus/a/rig/r3/cmd", b"yours") in heard)
            await until(lambda: any(topic == BUDGET for _, topic, _ in heard))
            made[1].publish("surplus/a/rig/r1/state", b"on")
            said = await anext(second.messages)
            assert (said.topic.value, said.payload) == ("surplus/a/rig/r1/state", b"on")
        assert [body for _, topic, body in heard if topic == BUDGET] == [b"1 kW"], "alike: once"
        ups.clear()
        await servers.each[1].kill()
        await until(lambda: sorted(ups) == [1, 3])
        assert all(wire.up for wire in made)
        holders = [psutil.Process(pid) for pid in wires.pids]
        await wires.close()
        assert holders and not psutil.wait_procs(holders, timeout=30)[1]
