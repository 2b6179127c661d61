"""The MQTT session against a broker of a few lines; both runtimes."""

import asyncio
import random

from firmware import clock
from firmware.net import packets, session
from firmware.net.session import PAUSE_MS_MAX, Broker, Session, pause_ms

CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00"
MESSAGE = packets.publish("surplus/here/budget", b"{}")


class FakeBroker:
    """Says what it was told to after each packet it hears; remembers what it heard."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = []
        self.connections = 0
        self.writer = None

    async def start(self):
        for _ in range(50):
            self.port = 20_000 + random.getrandbits(15)
            try:
                self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
                return
            except OSError:
                pass
        raise OSError("no free port")

    async def _serve(self, reader, writer):
        self.connections += 1
        self.writer = writer
        answers = list(self.answers)
        try:
            while True:
                data = await reader.read(4096)
                if not data:
                    break
                self.heard.append(data)
                answer = answers.pop(0) if answers else b""
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except OSError:
            pass
        writer.close()
        await writer.wait_closed()


async def met(broker, until, limit_ms=4_000, during=None):
    """A session with that broker, until something is so; the session and what it heard."""
    await broker.start()
    one = Session(
        Broker("127.0.0.1", broker.port, "", "", ""), "rig-7", ("link", b"down"), ["budget"]
    )
    heard = []
    task = asyncio.create_task(
        one.run(lambda: True, lambda: heard.append("up"), lambda *message: heard.append(message))
    )
    begun_ms = clock.now_ms()
    try:
        while not until(one, heard):
            await clock.sleep_ms(5)
            assert clock.since_ms(begun_ms) < limit_ms, (one.last_error, heard, broker.heard)
            if during:
                during(one)
    finally:
        task.cancel()
        broker.server.close()
        await clock.sleep_ms(1)
    return one, heard


def run(broker, until, **more):
    return asyncio.run(met(broker, until, **more))


def test_connect_subscribe_listen_and_publish():
    broker = FakeBroker(CONNACK, SUBACK + MESSAGE, MESSAGE)

    def during(one):
        if one.connected and not one._outbox:
            one.publish("state", b"hello")

    _, heard = run(broker, lambda one, heard: len(heard) > 1, during=during)
    assert heard[:2] == ["up", ("surplus/here/budget", b"{}")]
    assert broker.heard[0] == packets.connect("rig-7", session.KEEPALIVE_S, ("link", b"down"))
    assert broker.heard[1] == packets.subscribe(1, ["budget"])
    assert broker.heard[2].startswith(packets.publish("state", b"hello"))


def test_a_broker_that_refuses_or_talks_nonsense_is_left_and_tried_again():
    for answers, error in (
        ((b"\x20\x02\x00\x05",), "refused: not authorised"),
        ((SUBACK,), "an answer to another question"),
        ((CONNACK, b"\x90\x03\x00\x01\x80"), "a subscription was refused"),
        ((b"\x20\xff\xff\xff\xff",), "an answer of"),
        ((b"HTTP/1.1 400 Bad Request\r\n",), "no packet for us begins with 0x48"),
        ((None,), "closed by the broker"),
    ):
        broker = FakeBroker(*answers)
        one, heard = run(broker, lambda one, heard: one._failures > 0)
        assert one.last_error.startswith(error), (one.last_error, error)
        assert heard == [] and not one.connected and broker.connections == 1


def test_nonsense_later_ends_the_session_and_another_begins():
    broker = FakeBroker(CONNACK, SUBACK, b"\x00\x00")

    def during(one):
        if one.connected and not one._outbox:
            one.publish("state", b"x")

    one, _ = run(broker, lambda one, heard: heard.count("up") > 1, during=during)
    assert one.last_error == "no packet for us begins with 0x00" and one.sessions > 1


def test_nobody_there():
    async def story():
        one = Session(Broker("127.0.0.1", 1, "", "", ""), "rig-7", ("link", b"down"), ["budget"])
        task = asyncio.create_task(one.run(lambda: True, None, None))
        begun_ms = clock.now_ms()
        while not one._failures:
            await clock.sleep_ms(5)
            assert clock.since_ms(begun_ms) < 2_000
        assert not one.publish("state", b"x") and one.dropped == 1
        task.cancel()
        await clock.sleep_ms(1)

    asyncio.run(story())


def test_a_full_outbox_drops_the_oldest_telemetry_and_counts_it():
    one = Session(Broker("127.0.0.1", 1, "", "", ""), "rig-7", ("link", b"down"), ["budget"])
    one.tell("state", b"nobody")
    one.connected = True
    assert one.publish("event", b"1")
    for number in range(session.OUTBOX_MAX + 5):
        one.tell("state", b"%03d" % number)
    assert not one.has_room and not one.publish("event", b"2")
    waiting = [packet for _, packet in one._outbox]
    assert waiting[0] == packets.publish("event", b"1") and len(waiting) == session.OUTBOX_MAX
    assert waiting[1] == packets.publish("state", b"006")
    assert waiting[-1] == packets.publish("state", b"%03d" % (session.OUTBOX_MAX + 4))
    assert one.dropped == 1 + 6 + 1


def test_what_is_no_telemetry_is_never_dropped_for_it():
    one = Session(Broker("127.0.0.1", 1, "", "", ""), "rig-7", ("link", b"down"), ["budget"])
    one.connected = True
    for _ in range(session.OUTBOX_MAX):
        assert one.publish("event", b"x")
    one.tell("state", b"y")
    assert len(one._outbox) == session.OUTBOX_MAX and one.dropped == 1
    assert all(packet == packets.publish("event", b"x") for _, packet in one._outbox)


def test_pauses_grow_up_to_eight_seconds_and_are_spread_evenly():
    assert pause_ms(0, 0) == 20 and pause_ms(20, 0) == 20
    assert [pause_ms(failures, 65_535) for failures in (0, 1, 4, 5, 50)] == [
        269,
        519,
        4019,
        8019,
        8019,
    ]
    assert pause_ms(50, 32_768) == 20 + PAUSE_MS_MAX // 2
