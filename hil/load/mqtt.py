"""MQTT 3.1.1 as a rig needs it, QoS 0: packets out, packets in.  Made for many connections.

From the OASIS standard of 2014-10-29, chapters 2 and 3.  No I/O, no clock.
"""

from collections.abc import Iterator

CONNACK, PUBLISH, SUBACK, PINGRESP = 2, 3, 9, 13
PING, BYE = b"\xc0\x00", b"\xe0\x00"
SIZE_MAX = 1 << 20  # of one packet; more is no broker of ours


class MqttError(ValueError):
    """These bytes are no MQTT."""


def connect(
    name: str, keepalive_s: int = 60, will: tuple[str, bytes] | None = None, retain: bool = True
) -> bytes:
    """Log in with a clean session.  will: (topic, payload) said once this connection breaks."""
    flags, tail = 2, _text(name)
    if will is not None:
        flags |= 4 | (32 if retain else 0)
        tail += _text(will[0]) + len(will[1]).to_bytes(2, "big") + will[1]
    body = _text("MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big") + tail
    return b"\x10" + _size(len(body)) + body


def subscribe(topics: list[str], number: int = 1) -> bytes:
    body = number.to_bytes(2, "big") + b"".join(_text(topic) + b"\0" for topic in topics)
    return b"\x82" + _size(len(body)) + body


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    body = _text(topic) + payload
    return (b"\x31" if retain else b"\x30") + _size(len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def _size(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


class Reader:
    """Bytes in as they come, (kind, body) out."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Every packet that is whole now.  Raises MqttError."""
        data, at = self._rest + data, 0
        while (found := _header(data, at)) is not None:
            body_at, end = found
            if end > len(data):
                break
            yield data[at] >> 4, data[body_at:end]
            at = end
        self._rest = data[at:]


def _header(data: bytes, at: int) -> tuple[int, int] | None:
    """(where the body begins, where it ends) of the packet there; None when it is not all here."""
    size, shift, place = 0, 0, at + 1
    while place < len(data):
        byte = data[place]
        size |= (byte & 0x7F) << shift
        place += 1
        if size > SIZE_MAX or shift > 21:
            raise MqttError(f"a packet of {size} bytes")
        if not byte & 0x80:
            return place, place + size
        shift += 7
    return None


def message(body: bytes) -> tuple[str, bytes]:
    """(topic, payload) of a PUBLISH.  Raises MqttError."""
    end = 2 + int.from_bytes(body[:2], "big")
    if not 2 < end <= len(body):
        raise MqttError("a message without a topic")
    return body[2:end].decode("utf-8", "replace"), body[end:]
