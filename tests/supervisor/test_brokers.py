"""Several servers, one site: settings, lines, and whose rig is where."""

import asyncio
import contextlib
import os
import signal

import aiomqtt
import pytest

from protocols import messages
from supervisor.broker import Broker
from supervisor.brokers import Embedded, External, broker_of, folders
from supervisor.config import ConfigError, load
from supervisor.inbox import Inbox
from supervisor.links import Homes, links_of

SITE = '[site]\nname = "a"\nlimit_mw = 1\n[broker]\n'


@pytest.fixture
def settings(tmp_path):
    def write(text):
        (tmp_path / "site.toml").write_text(SITE + text)
        return load(tmp_path / "site.toml")

    return write


def test_the_settings_choose_whose_broker_it_is(settings):
    ours = broker_of(settings('host = "10.0.0.1"\nport = 1883\n'))
    assert isinstance(ours, Embedded)
    assert [(one.host, one.port) for one in ours.servers] == [("10.0.0.1", 1883)]
    theirs = broker_of(settings('kind = "external"\nport = 1883\n'))
    assert isinstance(theirs, External) and asyncio.run(theirs.start()) == [1883]


def test_several_servers_have_ports_in_a_row_and_folders_of_their_own(settings):
    config = settings("port = 1883\nservers = 3\n")
    assert [one.port for one in broker_of(config).servers] == [1883, 1884, 1885]
    assert [path.name for path in folders(config)] == ["broker", "broker-2", "broker-3"]
    assert settings("servers = 2").broker.ports == [0, 0], "each chooses one and keeps it"
    with pytest.raises(ConfigError, match=r"broker\.port.*2 servers need"):
        settings("port = 65535\nservers = 2\n")


# ---- whose rig is where


@pytest.fixture
def heard():
    """Homes of two servers, and what came through: (rig, kind, payload)."""
    inbox = Inbox()
    return Homes(inbox), inbox.take_rigs


def test_a_state_says_where_a_rig_is_and_what_its_former_server_kept_is_old(heard):
    homes, taken = heard
    left = []
    homes.on_move = lambda rig, server: left.append((rig, server))
    homes.hear(0, "r1", "hello", b"first")
    homes.hear(0, "r1", "state", b"1")
    assert homes.of == {"r1": 0} and not left
    homes.hear(1, "r1", "hello", b"too soon to know")
    homes.hear(1, "r1", "state", b"2")
    homes.hear(0, "r1", "link", messages.DOWN)  # the end of the connection it has left
    homes.hear(0, "r1", "hello", b"first")
    homes.hear(1, "r1", "hello", b"second")
    assert homes.of == {"r1": 1} and left == [("r1", 0)]
    assert [payload for _, _, payload in taken()] == [b"first", b"1", b"2", b"second"]


def test_rigs_of_a_server_that_is_cut_off_count_as_cut_off_and_no_others(heard):
    homes, taken = heard
    for server, rig in ((0, "r1"), (1, "r2"), (0, "r3")):
        homes.hear(server, rig, "state", b"")
    taken()
    homes.changed(0, False)
    assert taken() == [("r1", "link", messages.DOWN), ("r3", "link", messages.DOWN)]
    homes.changed(0, True)
    assert taken() == [("r1", "link", messages.UP), ("r3", "link", messages.UP)]


# ---- with real servers


@pytest.mark.asyncio
@pytest.mark.real_time
async def test_rigs_on_two_servers_hear_one_budget_and_are_heard(settings, until):
    config = settings("servers = 2\n")
    broker, inbox = broker_of(config), Inbox()
    ports = await broker.start()
    watching = asyncio.create_task(broker.watch())
    links = links_of(config, inbox, ports)
    linked, taken = asyncio.create_task(links.run()), []

    def heard(*wanted):
        taken.extend(inbox.take_rigs())
        return bool(wanted) and set(wanted) <= set(taken)

    try:
        await asyncio.wait_for(links.until_connected(), 60)
        assert len(set(ports)) == 2
        async with (
            aiomqtt.Client("127.0.0.1", ports[0]) as first,
            aiomqtt.Client("127.0.0.1", ports[1]) as second,
        ):
            for client, rig in ((first, "r1"), (second, "r2")):
                await client.subscribe("surplus/a/budget")
                await client.subscribe("surplus/a/rig/+/cmd")
                await client.publish(f"surplus/a/rig/{rig}/hello", rig.encode(), retain=True)
                await client.publish(f"surplus/a/rig/{rig}/state", b"on")
            await until(lambda: heard() or len(taken) == 4, 60)
            assert links.publish("surplus/a/budget", b"2 kW")
            assert links.publish("surplus/a/rig/r2/cmd", b"yours")
            said = [(await anext(first.messages)), (await anext(second.messages))]
            assert [message.payload for message in said] == [b"2 kW", b"2 kW"]
            said = await anext(second.messages)
            assert (said.topic.value, said.payload) == ("surplus/a/rig/r2/cmd", b"yours")
            taken.clear()
            with contextlib.suppress(aiomqtt.MqttError):
                os.kill(broker.servers[1].pid, signal.SIGKILL)
                await anext(second.messages)
            await until(lambda: heard(("r2", "link", messages.DOWN)), 60)
            assert links.publish("surplus/a/budget", b"1 kW"), "to those who can be reached"
            assert (await anext(first.messages)).payload == b"1 kW", "and no command of r2"
        await until(lambda: heard(("r2", "link", messages.UP)), 60)
        async with aiomqtt.Client("127.0.0.1", ports[1]) as second:  # as a rig does that is back
            await second.publish("surplus/a/rig/r2/hello", b"again", retain=True)
        await until(lambda: heard(("r2", "hello", b"again")), 60)
        assert all(rig == "r2" for rig, _, _ in taken), "the other server has noticed nothing"
        assert links.lost_s(0.0) == 0.0
    finally:
        linked.cancel()
        await asyncio.wait([linked])
        await broker.stop()
        await asyncio.wait_for(watching, 60)
    assert isinstance(broker.servers[0], Broker) and broker.servers[0].restarts == 0
