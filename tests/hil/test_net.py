"""The bench's clock, its TCP and its broker, without any firmware."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.broker import HOST, PORT, Broker, ProtocolError, fields, matches, packet, packets, publish
from hil.clock import CONTROLLER, VirtualClock
from hil.net import ECONNABORTED, ECONNREFUSED, ECONNRESET, ETIMEDOUT, Ears, Net, Path


class Rig(Ears):
    """One end, and what it heard and when."""

    def __init__(self, clock):
        self._clock, self.heard_at, self.data = clock, [], b""
        self.open, self.error, self.arrived_bytes = None, None, 0

    def opened(self):
        self.open = self._clock.now_s()

    def heard(self, data):
        self.data += data
        self.heard_at.append(self._clock.now_s())

    def arrived(self, size):
        self.arrived_bytes += size

    def over(self, error):
        self.error = error


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def net(clock):
    return Net(clock, random.Random(3))


def run(clock, seconds):
    clock.run_until(clock.now_us + round(seconds * 1e6))


# ---- clock


def test_events_come_by_time_then_rank_then_in_the_order_they_were_made(clock):
    seen = []
    clock.at_us(5, lambda: seen.append("program"), CONTROLLER)
    clock.at_us(5, lambda: seen.append("world"))
    clock.at_us(5, lambda: seen.append("world again"))
    clock.at_us(3, lambda: clock.at_us(1, lambda: seen.append(f"late is now, at {clock.now_us}")))
    clock.at_us(4, lambda: seen.append("never")).cancel()
    clock.run_until(10)
    assert seen == ["late is now, at 3", "world", "world again", "program"] and clock.now_us == 10


def test_it_stops_at_the_event_after_which_it_is_done(clock):
    seen = []
    clock.every_us(100, lambda: seen.append(clock.now_us))
    assert clock.run_until(10_000, lambda: len(seen) == 3)
    assert seen == [100, 200, 300] and clock.now_us == 300
    assert not clock.run_until(450) and clock.now_us == 450


# ---- TCP


def connected(clock, net, path):
    """A rig's end and the service's, that have met."""
    rig, service, ends = Rig(clock), Rig(clock), []

    def serve(connection):
        ends.append(connection)
        return service

    net.listen("host", 1, serve)
    connection = net.connect(path, "host", 1, rig)
    run(clock, 0.1)
    assert ends == [connection]
    return connection, rig, service


def test_a_round_trip_to_open_and_one_way_for_bytes_in_order(clock, net):
    connection, rig, service = connected(clock, net, Path(delay_s=0.01))
    assert rig.open == 0.02
    connection.send_up(b"a")
    connection.send_up(b"b")
    connection.send_down(b"c")
    run(clock, 0.1)
    assert (service.data, rig.data) == (b"ab", b"c")
    assert service.heard_at == [0.11, 0.11] and rig.arrived_bytes == 2


def test_nothing_overtakes(clock, net):
    path = Path(delay_s=0.05)
    connection, _, service = connected(clock, net, path)
    connection.send_up(b"a")
    path.delay_s = 0.0
    connection.send_up(b"b")
    run(clock, 1)
    assert service.data == b"ab" and service.heard_at[0] == service.heard_at[1]


def test_losses_delay_and_keep_the_order(clock, net):
    path = Path(delay_s=0.01)
    connection, _, service = connected(clock, net, path)
    path.loss = 0.5
    sent = bytes(range(200))
    for byte in sent:
        connection.send_up(bytes((byte,)))
    run(clock, 400)
    assert service.data == sent
    waited = [b - a for a, b in zip(service.heard_at, service.heard_at[1:])]
    assert max(waited) >= 0.5 and sum(1 for s in waited if s > 0.2) > 50


def test_nobody_there_and_no_way_there(clock, net):
    refused = Rig(clock)
    net.connect(Path(), "host", 2, refused)
    run(clock, 0.1)
    assert refused.error == ECONNREFUSED
    lost = Rig(clock)
    net.connect(Path(up=False), "host", 2, lost)
    run(clock, 14)
    assert lost.error is None
    run(clock, 2)
    assert lost.error == ETIMEDOUT and lost.open is None


def test_what_was_sent_while_the_path_was_away_arrives_when_it_is_back(clock, net):
    path = Path()
    connection, rig, service = connected(clock, net, path)
    path.up = False
    connection.send_up(b"patience")
    run(clock, 3)
    path.up = True
    run(clock, 4)
    assert service.data == b"patience" and rig.error is None
    path.up = False
    connection.send_up(b"too long")
    run(clock, 100)
    assert rig.error == service.error == ECONNABORTED and service.data == b"patience"


def test_a_service_that_ends_is_told_at_once_or_when_the_rig_next_speaks(clock, net):
    path = Path()
    connection, rig, service = connected(clock, net, path)
    connection.break_off()
    assert rig.error == service.error == ECONNRESET
    connection, rig, service = connected(clock, net, path)
    path.up = False
    connection.break_off()
    run(clock, 30)
    assert rig.error is None and service.error == ECONNRESET
    connection.send_down(b"from nobody")
    path.up = True
    run(clock, 1)
    assert rig.error is None
    connection.send_up(b"hello?")
    run(clock, 1)
    assert rig.error == ECONNRESET and service.data == b""


def test_half_open_says_nothing_to_either_until_they_have_tried_for_a_minute(clock, net):
    connection, rig, service = connected(clock, net, Path(delay_s=0.05))
    connection.send_up(b"on its way")
    connection.silent = True
    connection.send_down(b"y")
    run(clock, 60)
    assert (rig.data, service.data, rig.error, service.error) == (b"", b"", None, None)
    run(clock, 5)
    assert rig.error == service.error == ECONNABORTED
    connection, rig, service = connected(clock, net, Path())
    connection.silent = True
    connection.break_off()
    assert service.error == ECONNRESET and rig.error is None
    early = Rig(clock)
    net.connect(Path(delay_s=0.05), "host", 1, early).silent = True
    run(clock, 1)
    assert early.open is None


def test_a_close_comes_behind_the_last_bytes(clock, net):
    connection, rig, service = connected(clock, net, Path())
    connection.send_up(b"bye")
    connection.close_up()
    run(clock, 1)
    assert service.data == b"bye" and service.error == 0 and rig.error is None


# ---- MQTT


def test_topic_filters():
    assert matches("a/+/c", "a/b/c") and matches("a/#", "a/b/c") and matches("#", "a")
    assert matches("a/#", "a"), "the parent too: 4.7.1.2"
    for pattern in ("a/+", "a/b", "a/b/c/d", "+", "b/#"):
        assert not matches(pattern, "a/b/c"), pattern


def test_packets_are_cut_whole_and_byte_by_byte():
    stream = publish("t", b"x" * 200) + packet(12, 0, b"")
    found = list(packets(stream))
    assert [(kind, len(body)) for kind, _, body, _ in found] == [(3, 203), (12, 0)]
    assert found[-1][3] == len(stream)
    assert [len(list(packets(stream[:size]))) for size in (0, 1, 205, 206, 207, 208)] == [
        *(0, 0, 0, 1, 1, 2)
    ]
    with pytest.raises(ProtocolError):
        list(packets(b"\x30\xff\xff\xff\xff\x01"))
    with pytest.raises(ProtocolError):
        fields(b"\x00\x05ab", 0, 1)


class Client(Rig):
    """A client by raw packets."""

    def __init__(self, clock, net, name, *, keepalive_s=10, will=None, kept=True, level=4):
        super().__init__(clock)
        self._clock = clock
        self.connection = net.connect(Path(), HOST, PORT, self)
        run(clock, 0.1)
        flags = 2 | (4 if will else 0) | (0x20 if will and kept else 0)
        body = b"\0\4MQTT" + bytes((level, flags)) + keepalive_s.to_bytes(2, "big")
        for text in (name, *(will or ())):
            body += len(text).to_bytes(2, "big") + text.encode()
        self.say(packet(1, 0, body))

    def say(self, data):
        self.connection.send_up(data)
        run(self._clock, 0.1)

    def subscribe(self, pattern):
        name = pattern.encode()
        self.say(packet(8, 2, b"\0\1" + len(name).to_bytes(2, "big") + name + b"\0"))

    def published(self):
        """(retained, topic, payload) of what came."""
        told = [
            (flags & 1, *_topic(body)) for kind, flags, body, _ in packets(self.data) if kind == 3
        ]
        return told


def _topic(body):
    (name,), at = fields(body, 0, 1)
    return name.decode(), body[at:]


@pytest.fixture
def broker(clock, net):
    return Broker(clock, net, [].append)


def test_connect_subscribe_and_hear_what_is_retained_and_what_is_new(clock, net, broker):
    broker.publish("a/old", b"1", retain=True)
    client = Client(clock, net, "one")
    client.subscribe("a/#")
    assert client.data.startswith(b"\x20\x02\x00\x00\x90\x03\x00\x01\x00")
    other = Client(clock, net, "two")
    other.say(publish("a/new", b"2", retain=True))
    other.say(publish("b/new", b"3"))
    assert client.published() == [(1, "a/old", b"1"), (0, "a/new", b"2")]
    heard = []
    broker.subscribe("+/old", lambda topic, payload: heard.append((topic, payload)))
    other.say(publish("a/old", b"", retain=True))
    broker.subscribe("+/old", lambda topic, payload: heard.append(("again", topic)))
    assert heard == [("a/old", b"1"), ("a/old", b"")], "an empty one is forgotten"


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("way", ["silence", "break", "kicked", "nonsense", "twice", "qos"])
def test_the_will_is_said_for_whoever_does_not_take_leave(clock, net, broker, way, kept):
    heard = []
    broker.subscribe("will", lambda topic, payload: heard.append(payload))
    client = Client(clock, net, "one", keepalive_s=4, will=("will", "gone"), kept=kept)
    run(clock, 5.8 if way == "silence" else 1)
    assert not heard
    if way == "silence":
        run(clock, 0.1)
    elif way == "break":
        client.connection.close_up()
    elif way == "kicked":
        Client(clock, net, "one")
    elif way == "twice":
        client.say(packet(1, 0, b"\0\4MQTT\4\2\0\0\0\1x"))
    elif way == "qos":
        client.say(packet(3, 4, b"\0\1t\0\1x"))
    else:
        client.say(b"\xf0\x00")
    run(clock, 0.2)
    assert heard == [b"gone"] and broker.retained.get("will") == (b"gone" if kept else None)
    assert ("one" in broker.clients) == (way == "kicked")


def test_taking_leave_is_no_will_and_pings_keep_alive(clock, net, broker):
    heard = []
    broker.subscribe("will", lambda topic, payload: heard.append(payload))
    client = Client(clock, net, "one", keepalive_s=4, will=("will", "gone"))
    for _ in range(5):
        run(clock, 3)
        client.say(packet(12, 0, b""))
    assert client.data.endswith(b"\xd0\x00") and "one" in broker.clients
    client.say(packet(14, 0, b""))
    run(clock, 10)
    assert heard == [] and broker.clients == {} and client.error == 0


def test_who_is_no_client_is_left(clock, net, broker):
    for data in (publish("t", b""), packet(12, 0, b""), b"\x10\x02\x00\x09"):
        stranger = Rig(clock)
        connection = net.connect(Path(), HOST, PORT, stranger)
        run(clock, 0.1)
        connection.send_up(data)
        run(clock, 0.1)
        assert stranger.error == ECONNRESET, data
    old = Client(clock, net, "old", level=3)
    assert old.data == b"\x20\x02\x00\x01" or old.error == ECONNRESET
    broker.refuse = 5
    refused = Client(clock, net, "refused")
    assert refused.data == b"\x20\x02\x00\x05" and broker.clients == {}


def _as_packets(data):
    """Bytes as bodies of packets a client may send."""
    kinds = ((1, 0), (3, 0), (8, 2), (10, 2), (12, 0), (14, 0))
    return b"".join(
        packet(*kinds[byte % 6], data[at + 1 : at + 1 + byte // 6])
        for at, byte in enumerate(data)
        if at % 5 == 0
    )


@given(data=st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(_as_packets)))
def test_no_bytes_harm_the_broker_or_the_others(data):
    clock = VirtualClock()
    net = Net(clock, random.Random(1))
    broker = Broker(clock, net, [].append)
    good, bad = Client(clock, net, "good"), Client(clock, net, "bad")
    good.subscribe("t")
    bad.say(data)
    broker.publish("t", b"still here")
    run(clock, 0.1)
    assert good.published()[-1] == (0, "t", b"still here")
