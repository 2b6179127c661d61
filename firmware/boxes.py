"""Kept black boxes: three files of the flash, written over in turn.

Their layout: protocols/blackbox.py.
"""

import binascii
import struct

from protocols import messages
from protocols.blackbox import HEAD, HEAD_SIZE, MARK

FILES = 3
PART = 600  # bytes in a message over MQTT
WHOLE = PART * 4 // 3  # a message is longer than this, but for the last one


def keep(ring, why: str) -> int:
    """Its number.  Raises OSError."""
    number = max([number for number, _, _ in kept()] + [0]) + 1
    head = struct.pack(HEAD, MARK, number & 0xFFFF, ring.tick, why.encode()[:24])
    crc = binascii.crc32(head)
    with open(_path(number), "wb") as file:
        file.write(head)
        for block in ring.blocks():
            crc = binascii.crc32(block, crc)
            file.write(block)
        file.write(struct.pack(">I", crc))
    return number


def kept() -> list[tuple[int, int, str]]:
    """(number, tick it was kept at, why), the newest first."""
    found = []
    for n in range(FILES):
        try:
            with open(_path(n), "rb") as file:
                mark, number, tick, why = struct.unpack(HEAD, file.read(HEAD_SIZE))
        except (OSError, ValueError):
            continue
        if mark == MARK:
            found.append((number, tick, why.rstrip(b"\0").decode()))
    return sorted(found, reverse=True)


def part(number: int, at: int, size: int) -> bytes:
    """So much of a box; empty beyond its end.  Raises OSError when there is none."""
    with open(_path(number), "rb") as file:
        if struct.unpack(HEAD, file.read(HEAD_SIZE))[1] != number:
            raise OSError("it was written over")
        file.seek(at)
        return file.read(size)


def message(number: int, at: int) -> bytes:
    """A part of a box as it is told over MQTT; the last one has less, also where there is none."""
    try:
        data = part(number, PART * at, PART)
    except OSError:
        data = b""
    text = binascii.b2a_base64(data).decode().strip()
    return messages.encode("box", {"box": number, "part": at, "data": text})


def _path(number: int) -> str:
    return f"box.{number % FILES}"
