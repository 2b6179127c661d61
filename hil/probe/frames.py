"""The serial line between the probe and the bench: frames, for both ends.

    sync u8 | kind u8 | n u8 | size u16 | payload[size] | crc16 u16    little-endian

n is the rig's pin, UART or I2C bus.  A frame that is damaged is dropped and counted; what is
lost is said again, because both ends repeat what still holds.
"""

import struct

from protocols.crc import crc16

SYNC = 0xA7
PAYLOAD_MAX = 512
_HEAD, _HEAD_SIZE = "<BBBH", 5

# bench -> probe
BEAT = 1  # nothing new, the bench lives; the first one begins, SILENT_MS without one ends
SERIAL = 2  # n uart; bytes for the rig (and, from the probe, bytes of the rig)
BAUD = 3  # n uart; u32
TACH = 4  # n pin; pulses a second u16, 0 none
ADDRESS = 5  # n bus; u8: be a part with this address, its memory all zeros; 0: be none
IMAGE = 6  # n bus; memory address u8, bytes: what reads there shall find
WRITABLE = 7  # n bus; pairs of (memory address u8, size u8): what writes there have

# probe -> bench
HELLO = 32  # program version u8, on every first beat
LEVEL = 33  # n pin; u8
DUTY = 34  # n pin; share of the time it is high, 1/65535 u16
WRITTEN = 35  # n bus; memory address u8, bytes

VERSION = 1
SILENT_MS = 1000


def frame(kind: int, n: int = 0, payload: bytes = b"") -> bytes:
    if len(payload) > PAYLOAD_MAX:
        raise ValueError(f"{len(payload)} bytes in one frame; at most {PAYLOAD_MAX}")
    head = struct.pack(_HEAD, SYNC, kind, n, len(payload))
    return head + payload + struct.pack("<H", crc16(head[1:] + payload))


class Receiver:
    """Bytes in, frames out; never holds more than one frame."""

    def __init__(self) -> None:
        self._held = b""
        self.dropped = 0  # bytes that were no frame

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Whole frames, as (kind, n, payload)."""
        held, frames = self._held + data, []
        while held:
            if held[0] != SYNC:
                held = self._skip(held)
                continue
            if len(held) < _HEAD_SIZE:
                break
            _, kind, n, size = struct.unpack(_HEAD, held[:_HEAD_SIZE])
            end = _HEAD_SIZE + size
            if size > PAYLOAD_MAX:
                held = self._skip(held)
            elif len(held) < end + 2:
                break
            elif struct.unpack("<H", held[end : end + 2])[0] != crc16(held[1:end]):
                held = self._skip(held)
            else:
                frames.append((kind, n, held[_HEAD_SIZE:end]))
                held = held[end + 2 :]
        self._held = held
        return frames

    def _skip(self, held: bytes) -> bytes:
        """Up to the next byte that may begin a frame."""
        at = held.find(bytes((SYNC,)), 1)
        at = len(held) if at < 0 else at
        self.dropped += at
        return held[at:]
