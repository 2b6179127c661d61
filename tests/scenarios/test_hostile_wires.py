"""Every wire of a live site, in the hands of somebody who means no good.

Frames broken in every way and hypothesis's own go to real sockets of a running process.
After each attack the process lives, has missed no beat, holds no more memory, allows what
it allowed, has said what it refused; and the true room is still obeyed.
"""

import asyncio
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiomqtt
import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from hil.demo import HOST, TOPIC
from hil.peers import rooms, rooms_files, rooms_openadr, rooms_scada
from supervisor.client import read_addresses
from tests.scenarios import hostile
from tests.scenarios.listening import Rooms, Site

pytestmark = [pytest.mark.soak, pytest.mark.real_time, pytest.mark.timeout(400)]

HELD, AFTER = 0.5, 0.4
MEMORY_BYTES = 64e6  # more than before an attack, after it
BEAT_MOST_S = 4.0  # between two decisions; a lease is 5 s
EXAMPLES = 300
LONG = "silence_s = 600"
ROWS: Rooms = {
    "openadr3": (rooms_openadr.Openadr3, f"poll_s = 1\nnotifier = true\n{LONG}"),
    "openadr2": (rooms_openadr.Openadr2, LONG),
    "iec104": (rooms_scada.Iec104, LONG),
    "dnp3": (rooms_scada.Dnp3, LONG),
    "sunspec": (rooms_scada.Sunspec, ""),
    "modbus": (rooms_scada.Plain, ""),
    "mqtt": (rooms.Mqtt, LONG),
    "http": (rooms.Http, LONG),
    "csv": (rooms_files.Csv, ""),
    "calendar": (rooms_files.Calendar, ""),
    "price": (rooms.Price, LONG),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for package in ("c104", "opendnp3", "openleadr", "openadr3", "sunspec2"):
        pytest.importorskip(package)
    made = Site(tmp_path_factory.mktemp("site"), ROWS)
    openadr3 = made.demo.rooms["openadr3"]
    assert isinstance(openadr3, rooms_openadr.Openadr3)
    openadr3.vtn.mqtt_port = made.demo.rooms["mqtt"].back_port
    with made as live:
        live.everything()
        yield live


@contextmanager
def unmoved(site: Site, name: str, refuses: int = 1) -> Iterator[None]:
    """Whatever happens inside, the site is as it was, and has said so."""
    share = 1.0 if name == "price" else HELD
    site.say(name, share)
    site.reached(name, share, 40)
    began_s, known = time.monotonic(), site.rows()[-1].id
    assert site.demo.supervisor is not None
    process = psutil.Process(site.demo.supervisor.pid)
    held_bytes, before = process.memory_info().rss, site.view()
    try:
        yield
    except BaseException:
        site.say(name, 1.0)  # the next one has a chance
        raise
    assert before is not None and process.is_running() and site.demo.supervisor.poll() is None
    site.until(lambda: (view := site.view()) and view.seq > before.seq, 10, "it goes on")
    after = site.view()
    assert after is not None and after.envelope_w == before.envelope_w, after
    assert after.envelope_source == before.envelope_source
    refused = [row for row in site.rows("refused", known) if row.source == site.source(name)]
    assert len(refused) >= refuses and all(row.why for row in refused), len(refused)
    beats_s = [row.at_s for row in site.rows("decision", known)]
    missed_s = max(b - a for a, b in itertools.pairwise(beats_s))
    grown = process.memory_info().rss - held_bytes
    print(
        f"{name}: {len(refused)} refused in {time.monotonic() - began_s:.1f} s, longest beat"
        f" {missed_s:.2f} s, memory {grown / 1e6:+.1f} MB"
    )
    assert missed_s < BEAT_MOST_S + site.starved_s(began_s) and grown < MEMORY_BYTES
    if name != "price":
        site.say(name, AFTER)
        site.reached(name, AFTER, 40)
    site.say(name, 1.0)
    site.check(began_s)


def throw(port: int, frame: bytes) -> None:
    """One connection, one frame, and whatever is answered; its end is not waited for."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=5) as wire:
        wire.settimeout(0.02)
        wire.sendall(frame)
        wire.recv(4096)


def throw_all(port: int, frames: Iterable[bytes], examples: SearchStrategy[bytes]) -> None:
    for frame in frames:
        throw(port, frame)
    generated(examples, lambda frame: throw(port, frame))


def generated(examples: SearchStrategy[bytes], use: Callable[[bytes], object]) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(examples)
    def each(frame: bytes) -> None:
        use(frame)

    each()


@contextmanager
def hung(port: int, words: bytes, count: int = 20) -> Iterator[None]:
    """Connections that begin to say something and never end."""
    wires = [socket.create_connection((HOST, port), timeout=5) for _ in range(count)]
    for wire in wires:
        with suppress(OSError):
            wire.sendall(words)
    try:
        yield
    finally:
        for wire in wires:
            wire.close()


def test_iec104(site: Site) -> None:
    port = site.demo.rooms["iec104"].port
    with unmoved(site, "iec104", refuses=4), hung(port, b"\x68\xfd"):
        throw_all(port, hostile.broken(hostile.iec104_orders()), hostile.ASDUS)


def test_dnp3(site: Site) -> None:
    room = site.demo.rooms["dnp3"]
    assert isinstance(room, rooms_scada.Dnp3)
    with unmoved(site, "dnp3", refuses=4):
        with hung(room.port, b"\x05\x64\xff"):
            throw_all(room.port, hostile.broken(hostile.dnp3_orders()), hostile.FRAGMENTS)
        site._do(room.ready(), 30)  # the newest connection holds, so that it has to come again


@pytest.mark.parametrize("name", ["sunspec", "modbus"])
def test_modbus(site: Site, name: str) -> None:
    port = site.demo.rooms["sunspec"].port
    with unmoved(site, name), hung(port, b"\0\1\0\0\xff\xff\1"):
        throw_all(port, hostile.broken(hostile.modbus_orders()), hostile.PDUS)


@pytest.mark.parametrize("name, topic", [("mqtt", TOPIC), ("price", "market/price")])
def test_mqtt(site: Site, name: str, topic: str) -> None:
    words = hostile.json_words(site.demo.capacity_w / 1e6)

    async def said(word: bytes) -> None:
        """By a client of its own, which the broker may throw out for it."""
        with suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(HOST, site.demo.broker_port, timeout=3) as client:
                await client.publish(topic, word)

    def publish(word: bytes) -> None:
        site._do(said(word))

    with unmoved(site, name, refuses=len(words) - 1 + EXAMPLES // 2):
        for word in words:
            publish(word)
        generated(hostile.JSON, publish)
        known = site.rows()[-1].id
        publish(b"last")
        site.until(lambda: refusals(site, name, known), 10, "all of it heard")


def test_http(site: Site) -> None:
    words = hostile.json_words(site.demo.capacity_w / 1e6)
    (api,) = read_addresses(site.demo.state_dir)
    with (
        unmoved(site, "http", refuses=len(words) // 2),
        httpx.Client(base_url=f"http://{api.where}", trust_env=False) as client,
        hung(api.port, b"POST /api/signal/push HTTP/1.1\r\nContent-Length: 5\r\n"),
    ):

        def push(word: bytes, token: str = api.token) -> int:
            shown = {"Authorization": f"Bearer {token}"}
            return client.post("/api/signal/push", content=word, headers=shown).status_code

        assert {push(word, "x" * 43) for word in words} <= {401, 403, 429}
        assert {push(word) for word in words} <= {400, 413, 422, 429}
        generated(hostile.JSON, push)
        for request in hostile.http_requests():
            throw(api.port, request)


def test_openadr3_webhook_and_notifier(site: Site) -> None:
    """What is told there costs looks at the VTN and nothing else."""
    room = site.demo.rooms["openadr3"]
    assert isinstance(room, rooms_openadr.Openadr3)

    async def flood() -> None:
        async with aiomqtt.Client(HOST, room.vtn.mqtt_port) as client:
            for _ in range(3_000):
                await client.publish("vtn/events/update", b"\xff" * 200)

    with unmoved(site, "openadr3", refuses=0), hung(room.back_port, b"POST / HTTP/1.1\r\n"):
        asked, began_s = room.vtn.asked, time.monotonic()
        site._do(flood(), 60)
        for request in hostile.http_requests():
            throw(room.back_port, request)
        generated(hostile.JSON, lambda body: throw(room.back_port, body))
        looks_per_s = (room.vtn.asked - asked) / (time.monotonic() - began_s)
        assert looks_per_s < 10, "a flood of notifications is no flood of looks"


def test_openadr3_answers(site: Site) -> None:
    room = site.demo.rooms["openadr3"]
    assert isinstance(room, rooms_openadr.Openadr3)
    with unmoved(site, "openadr3", refuses=8):
        good = list(room.vtn.store["events"].values())
        for answer in hostile.event_lists(good):
            room.vtn.garbage, asked = answer, room.vtn.asked
            site.until(lambda asked=asked: room.vtn.asked > asked + 1, 30, "it has looked twice")
        room.vtn.garbage = b""


def test_openadr2_answers(site: Site) -> None:
    room = site.demo.rooms["openadr2"]
    assert isinstance(room, rooms_openadr.Openadr2)
    answers = hostile.xml_answers()
    with unmoved(site, "openadr2", refuses=len(answers) // 2):
        site.go("openadr2")
        heard = site._do(serve(room.port, answers), 120)
        assert heard > len(answers)
        site.come("openadr2")


async def serve(port: int, answers: list[bytes]) -> int:
    """A VTN that gives each of these answers, then one without an end.  How often it was asked."""
    asked, most = 0, len(answers) + 2

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            endless = asked > len(answers)
            body = b"<a>" * 400_000 if endless else answers[asked - 1]
            size = 1 << 40 if endless else len(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, port)
    async with server:
        while asked < most:
            await asyncio.sleep(0.1)
    return asked


@pytest.mark.parametrize(
    "name, file, contents",
    [
        ("csv", "schedule.csv", hostile.schedules()),
        ("calendar", "plan.ics", hostile.calendars()),
    ],
)
def test_files(site: Site, name: str, file: str, contents: list[bytes]) -> None:
    """Files that are no schedule, and what is no file: an endless one, one that blocks."""
    path = site.demo.folder / file
    with unmoved(site, name, refuses=len(contents)):
        for content in contents:
            known = site.rows()[-1].id
            rooms.replace_file(path, content)
            site.until(lambda known=known: refusals(site, name, known), 20, "looked at")
        for endless in ("/dev/zero", "fifo"):
            known = site.rows()[-1].id
            link(path, endless)
            site.until(lambda known=known: refusals(site, name, known), 20, "looked at")
        path.unlink()


def refusals(site: Site, name: str, known: int) -> bool:
    return any(row.source == name for row in site.rows("refused", known))


def link(path: Path, to: str) -> None:
    """Something that is no file stands there instead."""
    path.unlink()
    if to == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(to)
