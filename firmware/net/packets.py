"""MQTT 3.1.1 as bytes: just the packets of a client that speaks QoS 0.

OASIS MQTT Version 3.1.1, chapters 2 and 3.  Builds what we send, cuts what we hear;
bytes that are not MQTT raise PacketError and nothing else.
"""

from collections import namedtuple

CONNACK, PUBLISH, RETAINED, SUBACK, PINGRESP = 0x20, 0x30, 0x31, 0x90, 0xD0
FIRST_BYTES = (CONNACK, PUBLISH, RETAINED, SUBACK, PINGRESP)  # kind and flags
PACKET_MAX = 5_000  # the largest message of the contract, its seal and its topic

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

Connack = namedtuple("Connack", ("code",))
Publish = namedtuple("Publish", ("topic", "payload", "retain"))
Suback = namedtuple("Suback", ("codes",))
Pingresp = namedtuple("Pingresp", ())

REFUSALS = {
    1: "protocol version",
    2: "client name",
    3: "server unavailable",
    4: "user or password",
    5: "not authorised",
}


class PacketError(ValueError):
    """The other side does not speak MQTT as we know it."""


def connect(
    client: str, keepalive_s: int, will: tuple, user: str = "", password: str = ""
) -> bytes:
    """will is (topic, payload), retained.  Always a clean session."""
    flags = 0x02 | 0x04 | 0x20  # clean session, will, will retained
    body = _text(client) + _text(will[0]) + _field(will[1])
    if user:
        flags |= 0xC0
        body += _text(user) + _text(password)
    head = _text("MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big")
    return _packet(0x10, head + body)


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    return _packet(0x31 if retain else 0x30, _text(topic) + payload)


def subscribe(packet_id: int, topics: list) -> bytes:
    body = packet_id.to_bytes(2, "big")
    for topic in topics:
        body += _text(topic) + b"\0"
    return _packet(0x82, body)


class Receiver:
    """Cuts a byte stream into packets; never keeps more than one partial packet.

    A message too long to be ours passes unread and is counted: if it ended the connection,
    one that a broker keeps would end every connection.
    """

    def __init__(self, packet_max: int = PACKET_MAX) -> None:
        self._packet_max = packet_max
        self._tail = b""
        self._pass = 0  # bytes of a message too long, still to come
        self.too_long = 0

    def feed(self, data: bytes) -> list:
        """Raises PacketError; after that the connection is worth nothing."""
        data, events, at = self._tail + data, [], 0
        while True:
            passed = min(self._pass, len(data) - at)
            self._pass, at = self._pass - passed, at + passed
            size, start = self._size(data, at)
            if start >= 0 and size > self._packet_max:
                self._pass, at = size, start
                self.too_long += 1
                continue
            if start < 0 or len(data) - start < size:
                break
            events.append(_decode(data[at], data[start : start + size]))
            at = start + size
        self._tail = data[at:]
        return events

    def _size(self, data: bytes, at: int) -> tuple[int, int]:
        """Size of the body and where it starts; start -1 when more bytes are needed."""
        size = 0
        if at < len(data) and data[at] not in FIRST_BYTES:
            raise PacketError(f"no packet for us begins with 0x{data[at]:02x}")
        for index in range(4):
            place = at + 1 + index
            if place >= len(data):
                return 0, -1
            size |= (data[place] & 0x7F) << 7 * index
            if size > self._packet_max and data[at] not in (PUBLISH, RETAINED):
                raise PacketError(f"an answer of {size} bytes or more")
            if not data[place] & 0x80:
                return size, place + 1
        raise PacketError("a length of more than four bytes")


def _decode(first: int, body: bytes) -> object:
    if first in (PUBLISH, RETAINED):
        return _published(first == RETAINED, body)
    if first == CONNACK and len(body) == 2:
        return Connack(body[1])
    if first == SUBACK and len(body) >= 3:
        return Suback(body[2:])
    if first == PINGRESP and not body:
        return Pingresp()
    raise PacketError(f"packet 0x{first:02x} of {len(body)} bytes")


def _published(retain: bool, body: bytes) -> Publish:
    if len(body) < 2:
        raise PacketError("a publish without a topic")
    end = 2 + (body[0] << 8 | body[1])
    if end > len(body):
        raise PacketError("a topic beyond its packet")
    try:
        topic = body[2:end].decode()
    except (UnicodeError, ValueError):
        raise PacketError("a topic that is no text") from None
    return Publish(topic, body[end:], retain)


def _packet(first: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        more = size > 127
        length.append(size & 0x7F | (0x80 if more else 0))
        size >>= 7
        if not more:
            return bytes((first,)) + bytes(length) + body


def _text(text: str) -> bytes:
    return _field(text.encode())


def _field(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
