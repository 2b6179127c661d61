"""Answers of a VTN that are not given to a parser, and one that never ends."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid import openadr2_client
from supervisor.grid.openadr2_client import DEEP_MAX, bounded_client, wrong

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;</x>'.encode()


@pytest.mark.parametrize(
    "xml, why",
    [
        (BOMB, "document type"),
        (b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>', "document type"),
        (b"<x>&f;</x>", "undefined entity"),
        (b"<a>" * 50_000, "within each other"),
        (b"<a>" * DEEP_MAX + b"</a>" * DEEP_MAX, ""),
        (b"<html>502</html>", ""),
        (b"", "no element"),
        (b"\xff\xfe\x00", "no XML"),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', "unknown encoding"),
    ],
)
def test_what_is_not_parsed(xml, why):
    assert why in wrong(xml) and bool(why) == bool(wrong(xml))


@given(st.binary(max_size=300) | st.text(alphabet="<>/!&;ab '\"=[]", max_size=80).map(str.encode))
def test_any_bytes_are_plain_or_not(xml):
    assert isinstance(wrong(xml), str)


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_an_answer_without_an_end_and_one_that_trickles(monkeypatch):
    pytest.importorskip("openleadr")
    monkeypatch.setattr(openadr2_client, "ANSWER_S", 0.3)
    refused: list[str] = []

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        writer.write(b"<a>" if refused else b"<a>" * 400_000)
        await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = bounded_client(0.0, refused.append, ven_name="a", vtn_url=f"http://127.0.0.1:{port}")
    for _ in range(2):
        assert await client._perform_request("OadrPoll", "<a/>") == (None, {})
    assert "over 1000000 bytes" in refused[0] and "not whole after 0.3 s" in refused[1]
    await client.client_session.close()
    server.close()
