"""Names and the time of day over real datagrams, holding nobody up; both runtimes."""

import asyncio
import socket

from firmware import clock
from firmware.net import names, udp, wall
from firmware.net.names import Names
from protocols import dns, sntp

NAME = "broker.site"


def address_of(number):
    return socket.getaddrinfo("127.0.0.1", number, 0, socket.SOCK_DGRAM)[0][-1]


def run(story):
    async def with_server():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for port in range(20_000, 40_000, 7):
            try:
                server.bind(address_of(port))
                break
            except OSError:
                continue
        server.setblocking(False)
        try:
            await story(server, port)
        finally:
            server.close()

    asyncio.run(with_server())


async def serve(server, answer, count):
    """Answer so many datagrams."""
    while count:
        await clock.sleep_ms(5)
        try:
            data, sender = server.recvfrom(512)
        except OSError:
            continue
        count -= 1
        if answer(data) is not None:
            server.sendto(answer(data), sender)


def dns_answer(data, tail=b"\x7f\0\0\1", flags=b"\x81\x80"):
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + tail
    return data[:2] + flags + b"\0\1\0\1\0\0\0\0" + data[12:] + record


def test_a_question_and_its_answer_while_others_run():
    async def story(server, port):
        turns = []

        async def other():
            while True:
                turns.append(1)
                await clock.sleep_ms(10)

        tasks = [asyncio.create_task(serve(server, lambda data: data + b"!", 1))]
        tasks.append(asyncio.create_task(other()))
        assert await udp.asked("127.0.0.1", port, b"who", 4_000) == b"who!"
        before = len(turns)
        assert await udp.asked("127.0.0.1", port, b"who", 200) == b""
        assert len(turns) - before > 3, "the others went on"
        for task in tasks:
            task.cancel()

    run(story)


def test_a_name_is_asked_again_and_remembered():
    async def story(server, port):
        names.PORT, names.WAIT_MS = port, 1_000
        asking = Names(lambda: "127.0.0.1")
        heard = []

        def late(data):
            heard.append(data)
            return dns_answer(data) if len(heard) > 1 else None

        task = asyncio.create_task(serve(server, late, 9))
        assert await asking.address(NAME) == "127.0.0.1" and asking.failed == 0
        task.cancel()
        await clock.sleep_ms(1)
        assert heard[0][2:] == heard[1][2:] == dns.question(0, NAME)[2:]
        names.WAIT_MS = 40
        assert await asking.address(NAME) == "127.0.0.1", "as it was when last somebody answered"
        assert asking.failed == 1
        try:
            await asking.address("other.site")
            raise AssertionError("nobody told it")
        except OSError as error:
            assert str(error) == "other.site: no answer"
        names.PORT, names.WAIT_MS = 53, 1_000

    run(story)


def test_the_time_is_told_or_refused():
    async def story(server, port):
        wall.PORT = port

        def tell(data, first=0x24):
            return bytes((first, 1)) + bytes(22) + data[40:] + bytes(8) + b"\xee\0\0\0\0\0\0\0"

        task = asyncio.create_task(serve(server, tell, 1))
        assert await wall.told("127.0.0.1") == 0xEE00_0000 - 2_208_988_800
        await task
        task = asyncio.create_task(serve(server, lambda data: tell(data, 0xE4), 1))
        try:
            await wall.told("127.0.0.1")
            raise AssertionError("it does not know itself")
        except sntp.SntpError:
            pass
        await task
        wall.PORT = 123

    run(story)


def test_an_hour_between_answers_and_ever_longer_without():
    assert 1_800_000 <= wall.pause_ms(0, True) <= 3_600_000
    for failures, most_ms in ((1, 10_000), (3, 40_000), (30, 600_000)):
        assert most_ms // 2 <= wall.pause_ms(failures, True) <= most_ms
    assert wall.pause_ms(0, False) == wall.pause_ms(9, False) == 1_000
