"""What may reach c104: by example, then anything at all; and over real sockets."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid.iec104_gate import ADDRESS, APCI, ASDU, CAUSES, LINKS_MAX, SIZES, Gate, wrong

SENT = bytes.fromhex("0200 0000".replace(" ", ""))  # an I-frame's control field
SETPOINT = SENT + bytes.fromhex("32 01 06 00 0100 e90300 00007a42 00")


@pytest.mark.parametrize(
    "frame",
    [
        bytes.fromhex("07000000"),  # STARTDT act
        bytes.fromhex("43000000"),  # TESTFR act
        bytes.fromhex("01000a00"),  # S-frame
        SETPOINT,
        SENT + bytes.fromhex("64 01 06 00 0100 000000 14"),  # general interrogation
        SENT + bytes.fromhex("67 01 06 00 0100 000000 00000000000000"),  # clock
        SENT + bytes.fromhex("2d 01 06 00 0100 f20300 01"),  # single command
        SENT + bytes.fromhex("3f 01 06 00 0100 ea0300 00007a42 00 00000000000000"),
    ],
)
def test_what_a_master_sends_goes_on(frame):
    assert wrong(frame) == ""


@pytest.mark.parametrize(
    "frame, why",
    [
        (bytes.fromhex("0f000000"), "a U-frame"),
        (bytes.fromhex("07000001"), "a U-frame"),
        (bytes.fromhex("0100000000"), "an S-frame of 5 bytes"),
        (SENT, "an ASDU of 0 bytes"),
        (SETPOINT[:-1], "type 50 with 1 objects in 13 bytes"),
        (SETPOINT + b"\0", "type 50 with 1 objects in 15 bytes"),
        (SENT + b"\x32\x02" + SETPOINT[6:], "type 50 with 2 objects"),
        (SENT + b"\x32\x81" + SETPOINT[6:], "type 50 with 1 objects"),
        (SENT + b"\x0d" + SETPOINT[5:], "type 13, which no master sends"),
        (SENT + b"\x32\x01\x2c" + SETPOINT[7:], "the cause 44"),
    ],
)
def test_what_nobody_should_send_does_not(frame, why):
    assert why in wrong(frame)


@given(st.binary(min_size=APCI, max_size=253))
def test_of_any_bytes_only_whole_objects_of_known_types_go_on(frame):
    if wrong(frame) == "" and not frame[0] & 1:
        asdu = frame[APCI:]
        assert len(asdu) == ASDU + ADDRESS + SIZES[asdu[0]] and asdu[2] & 0x3F in CAUSES


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_wrong_frame_ends_its_link_with_a_reason_and_no_other():
    heard, refused = [], []

    async def inner(reader, writer):
        while part := await reader.read(4096):
            heard.append(part)
            writer.write(part)

    server = await asyncio.start_server(inner, "127.0.0.1", 0)
    gate = Gate(server.sockets[0].getsockname()[1], refused.append)
    port = await gate.start("127.0.0.1", 0)
    whole = bytes([0x68, len(SETPOINT)]) + SETPOINT
    good, good_out = await asyncio.open_connection("127.0.0.1", port)
    good_out.write(whole)
    async with asyncio.timeout(20):
        assert await good.readexactly(len(whole)) == whole
        for bad in (b"GET / HTTP", b"\x68\x03\x01\x00\x00", bytes([0x68, 4]) + b"\x0f\0\0\0"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bad)
            assert await reader.read() == b""
        good_out.write(whole)
        assert await good.readexactly(len(whole)) == whole
    assert b"".join(heard) == whole * 2 and len(refused) == 3 and all(refused)
    good_out.close()
    gate.stop()
    server.close()


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_who_says_nothing_gives_way_to_who_comes():
    async def inner(reader, writer):
        while part := await reader.read(4096):
            writer.write(part)

    server = await asyncio.start_server(inner, "127.0.0.1", 0)
    gate = Gate(server.sockets[0].getsockname()[1], lambda why: None)
    port = await gate.start("127.0.0.1", 0)
    whole = bytes([0x68, len(SETPOINT)]) + SETPOINT
    async with asyncio.timeout(20):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LINKS_MAX + 3)]
        spoke = []
        for _ in range(LINKS_MAX):
            spoke.append(await asyncio.open_connection("127.0.0.1", port))
            spoke[-1][1].write(whole)
            assert await spoke[-1][0].readexactly(len(whole)) == whole
        assert [await reader.read() for reader, _ in silent] == [b""] * len(silent)
        late, _ = await asyncio.open_connection("127.0.0.1", port)
        assert await late.read() == b"", "and when all have spoken, nobody more"
    for _, writer in spoke:
        writer.close()
    gate.stop()
    server.close()
