"""What comes over a wire when somebody means no good: frames whole and broken, by protocol.

None of them is an order that could be followed, so that nothing may come of any: captured
ones are cut, their lengths and types are lied about, and power is not a number or too much.
"""

import itertools
import json
import math
import random
import struct
import time
from collections.abc import Iterator

from hypothesis import strategies as st

LATIN = st.text(st.characters(max_codepoint=255), max_size=60)


def broken(frames: list[bytes], seed: int = 1) -> Iterator[bytes]:
    """Each cut at every byte, many at once, with its first bytes wrong, and after noise."""
    noise = random.Random(seed)
    for frame in frames:
        yield frame
        yield frame * 50
        yield from (frame[:cut] for cut in range(1, min(len(frame), 64)))
        for at, bit in itertools.product(range(min(6, len(frame))), range(8)):
            yield frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]
        yield noise.randbytes(64) + frame
    yield from (noise.randbytes(size) for size in (1, 2, 5, 30, 300, 3_000, 60_000))


# ---- IEC 60870-5-104: start 0x68, length, control field, ASDU

STARTDT = bytes.fromhex("680407000000")
NEVER = (math.nan, math.inf, -1.0, 1e30)  # MW


def apdu(asdu: bytes, sent: int = 0) -> bytes:
    control = struct.pack("<HH", sent << 1, 0)
    return bytes([0x68, len(control + asdu) & 0xFF]) + control + asdu


def iec104_orders() -> list[bytes]:
    """Set-points nobody may follow, single commands to points not there, types not spoken."""
    made = []
    for kind, cause, value in itertools.product((50, 63), (6, 8, 44), NEVER):
        head = bytes([kind, 1, cause, 0, 1, 0]) + (1001).to_bytes(3, "little")
        made.append(head + struct.pack("<fB", value, 0) + bytes(7 * (kind == 63)))
    strange = [bytes([kind, 255, 6, 0, 1, 0]) + bytes(40) for kind in (0, 45, 50, 100, 127, 255)]
    return [STARTDT + apdu(asdu, n) for n, asdu in enumerate([*made, *strange])]


ASDUS = st.builds(
    lambda kind, count, cause, address, rest: (
        STARTDT + apdu(bytes([kind, count, cause, 0]) + address.to_bytes(2, "little") + rest)
    ),
    st.integers(0, 255).filter(lambda kind: kind not in (45, 50, 63)),  # what could be an order
    st.integers(0, 255),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 65_535]),
    st.binary(max_size=200),
)


# ---- DNP3: link frames with true checksums, so that what is inside is looked at


def crc(data: bytes) -> bytes:
    """IEEE 1815, 9.2.4.3.5: the polynomial 0x3D65, reflected."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA6BC if value & 1 else 0)
    return struct.pack("<H", value ^ 0xFFFF)


def dnp3_frame(user: bytes, control: int = 0xC4, to: int = 10, by: int = 1) -> bytes:
    user = user[:250]
    head = struct.pack("<BBBBHH", 0x05, 0x64, 5 + len(user), control, to, by)
    blocks = [user[at : at + 16] for at in range(0, len(user), 16)]
    return head + crc(head) + b"".join(block + crc(block) for block in blocks)


def dnp3_orders() -> list[bytes]:
    """Operates (5: direct, 4, 3, 6) on analog output 0 with values nobody may follow."""
    values = [struct.pack("<dB", value, 0) for value in NEVER]
    made = [
        bytes([0xC0, 0xC0 | n % 16, code, 41, 4, 0x28, 1, 0, 0, 0]) + value
        for n, (code, value) in enumerate(itertools.product((3, 4, 5, 6), values))
    ]
    lies = [bytes([0xC0, 0xC0, 5, 41, 4, 0x28, 0xFF, 0xFF, 0, 0]), bytes([0xC0, 0xC0, 1, 60, 2, 6])]
    return [dnp3_frame(user) for user in [*made, *lies]]


FRAGMENTS = st.builds(
    lambda code, rest, control: dnp3_frame(bytes([0xC0, 0xC0, code]) + rest, control),
    st.integers(0, 255).filter(lambda code: code not in (3, 4, 5, 6, 13, 14)),
    st.binary(max_size=240),
    st.sampled_from([0xC4, 0xD3, 0xC0, 0xC9, 0x44, 0xFF, 0x00]),
)


# ---- Modbus: transaction, protocol, length, unit, PDU


def mbap(pdu: bytes, unit: int = 1, length: int | None = None) -> bytes:
    return struct.pack(">HHHB", 7, 0, len(pdu) + 1 if length is None else length, unit) + pdu


def modbus_orders() -> list[bytes]:
    """Writes beyond the site's limit, to what is read only, and of lengths that lie."""
    too_much = struct.pack(">BHHBHHH", 16, 0, 3, 6, 0xFFFF, 0xFFFF, 60)
    made = [mbap(too_much, 2), mbap(struct.pack(">BHH", 6, 2, 0), 2)]
    made += [mbap(struct.pack(">BHHBH", 16, at, 1, 2, 1)) for at in range(40_000, 40_010)]
    made += [mbap(struct.pack(">BHHB", 16, 40_300, 123, 246)), mbap(b"\x10")]
    made += [mbap(b"\x03\x9c\x40\x00\x7d", length=length) for length in (0, 1, 2, 7, 0xFFFF)]
    return made


PDUS = st.builds(
    lambda code, rest, unit: mbap(bytes([code]) + rest, unit),
    st.integers(0, 255).filter(lambda code: code not in (6, 16, 22, 23)),  # what could write
    st.binary(max_size=250),
    st.integers(0, 255),
)


# ---- words in JSON, over MQTT and HTTP


def json_words(most_mw: float) -> list[bytes]:
    """Late, early, replayed, of the wrong type, endless; all of them would be more."""
    now_s = time.time()
    good = {"mw": most_mw, "valid_until": now_s + 60, "seq": 1 << 40}
    values: list[object] = [
        {"target": 100, "timestamp": now_s - 3600},
        {"target": 100, "timestamp": now_s + 3600},
        {"target": 101, "timestamp": now_s},
        {"target": [100], "timestamp": now_s},
        {"price": 1, "timestamp": now_s - 86_400},
        {"price": "1", "timestamp": now_s},
        *(good | {"seq": seq} for seq in (1, -1, 1.5, "9", None, 1 << 60)),
        *(good | {"valid_until": at} for at in (now_s - 1, now_s * 1000, "soon")),
        *(good | {"mw": mw} for mw in (None, True, -1, 1e12, "1", [1])),
        good | {"unit": "kW"},
        *([], {}, 100, None, "on"),
    ]
    raw = [b"", b"\0\xff\xfe", b"{", b"[" * 100_000, b'{"mw":1e999,"seq":1}', b'{"mw": NaN}']
    return [*(json.dumps(value).encode() for value in values), *raw, b"x" * 900_000]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | LATIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LATIN, inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


# ---- HTTP, to a listener


def http_requests() -> list[bytes]:
    """Requests that lie about what they are, or never end."""
    post = b"POST / HTTP/1.1\r\nHost: x\r\n"
    return [
        post + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100_000,
        post + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"x" * 100_000,
        post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
        post + b"Authorization: Bearer " + b"a" * 60_000 + b"\r\n\r\n",
        post + b"Authorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?echo=" + b"%00" * 200 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ]


# ---- XML, from a VTN

_BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
PAYLOAD = '<oadrPayload xmlns="http://openadr.org/oadr-2.0b/2012/07">{}</oadrPayload>'


def xml_answers() -> list[bytes]:
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{_BOMB}]>' + PAYLOAD.format("&l9;")
    thief = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + PAYLOAD.format("&f;")
    deep = PAYLOAD.format("<oadrSignedObject>" * 50_000)
    texts = [bomb, thief, deep, "", "<", PAYLOAD, PAYLOAD.format(""), "{}", "<html>502</html>"]
    wide = PAYLOAD.format("<a>" + " " * 3_000_000 + "</a>")
    return [
        *(text.encode() for text in [*texts, wide]),
        b"\xff\xfe\x00",
        random.Random(2).randbytes(5_000),
    ]


# ---- files

ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:99 MW\r\n{}\r\nEND:VEVENT\r\n"


def calendars() -> list[bytes]:
    rules = ["FREQ=SECONDLY", "FREQ=HOURLY;INTERVAL=0", "FREQ=DAILY;COUNT=x", "FREQ="]
    lines = [f"DTSTART:20200101T000000Z\r\nDURATION:PT1H\r\nRRULE:{rule}" for rule in rules]
    lines += [
        "DTSTART:99999999T000000Z",
        "DTSTART;TZID=Nowhere/At/All:20260101T000000",
        "DURATION:P",
    ]
    whole = [ICS.format(EVENT.format(line)).encode() for line in lines]
    return [*whole, b"BEGIN:VEVENT\r\n" * 50_000, b"\xff" * 999, b" " * 3_000_000, b""]


def schedules() -> list[bytes]:
    head = b"time,mw\n"
    rows = [
        b"0,nan\n",
        b"0,1e9\n",
        b"0,-1\n",
        b"5,1\n1,1\n",
        b"2026-12-01,1\n7,1\n",
        b'"0,1\n',
        b"0\n",
    ]
    rows += [b"0,1" + b"," * 100_000 + b"\n0,1\n"]
    return [*(head + row for row in rows), b"", b"\xff\xfe", b"x" * 200_000]


# ---- an OpenADR 3.1 VTN's answers


def event_lists(good: list[dict[str, object]]) -> list[bytes]:
    """The good events with a bad one behind them, and what is no list."""

    def event(**more: object) -> dict[str, object]:
        payloads = [{"type": "IMPORT_CAPACITY_LIMIT", "values": [1e12]}]
        period = {"start": "0001-01-01", "duration": "PT1H"}
        known = {"id": "h", "programID": "p", "intervalPeriod": period}
        return known | {"intervals": [{"id": 0, "payloads": payloads}]} | more

    def lasting(**period: str) -> dict[str, object]:
        return event(intervalPeriod={"start": "0001-01-01"} | period)

    wide = [{"id": n, "payloads": []} for n in range(20_000)]
    bad: list[object] = [
        event(intervals=wide),
        event(duration="P300Y", intervalPeriod={"start": "0001-01-01", "duration": "PT1S"}),
        lasting(duration="PT-5M"),
        lasting(duration="P" + "9" * 400 + "D"),
        lasting(start="9999-12-31T23:59:59Z", duration="P9998Y"),
        lasting(start="soon"),
        lasting(duration="PT1H", randomizeStart="P9999Y"),
        event(priority="high"),
        event(intervals=[{"id": 0, "payloads": [{"type": "SIMPLE", "values": [9]}]}]),
        {"id": 1},
    ]
    raw = [b"[", b"{}", b"\xff" * 9, b"[" * 100_000, b" " * 5_000_000, b'{"title": "no list"}']
    return [*(json.dumps([*good, one]).encode() for one in bad), *raw]
