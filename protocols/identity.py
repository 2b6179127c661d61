"""What a Bitmain hash board says about itself: the EEPROM of S17 and S19 boards, enciphered.

    11 | size | XXTEA of the plain text | FF ... | 5A

Newer boards begin with 04 or 05 and are not understood: settings must do for those.
Layout: compared, line by line, with what stock programs print of three boards.
"""

import struct
from collections import namedtuple

SIZE = 256
_FORMAT, _END = 0x11, 0x5A
_LONG, _SHORT = 0x4A, 0x42  # size byte of the two lengths on record: itself, the format, the rest
_KEY = struct.unpack("<4I", b"uileynimggnagnau")
_DELTA = 0x9E37_79B9

# serial, die, marking and technology are text; millivolts of the board's rail
Identity = namedtuple(
    "Identity",
    ("serial", "die", "marking", "bin", "pcb", "bom", "technology", "mv", "mhz", "rate_pm10"),
)


class IdentityError(ValueError):
    """This EEPROM holds no identity that can be read."""


def decoded(eeprom: bytes) -> Identity:
    """The identity in an EEPROM, or in as much of it as was read.  Raises IdentityError."""
    if len(eeprom) < 2 or eeprom[0] != _FORMAT:
        raise IdentityError(f"format {eeprom[:2].hex()}, only 11 is known")
    size = eeprom[1]
    if size not in (_LONG, _SHORT):
        raise IdentityError(f"{size} bytes, from {_SHORT} or {_LONG}")
    if len(eeprom) < size:
        raise IdentityError(f"{len(eeprom)} bytes of {size}")
    return _fields(deciphered(eeprom[2:size]), size)


def encoded(identity: Identity) -> bytes:
    """A whole EEPROM, in the longer form."""
    plain = bytearray(_LONG - 2)
    plain[0] = 3
    struct.pack_into(">HH", plain, 50, identity.pcb, identity.bom)
    struct.pack_into(">HHH", plain, 56, identity.mv // 10, identity.mhz, identity.rate_pm10)
    plain[33] = identity.bin
    for at, size, text in (
        (1, 17, identity.serial),
        (18, 2, identity.die),
        (20, 10, identity.marking),
        (54, 2, identity.technology),
    ):
        plain[at : at + size] = (text.encode() + bytes(size))[:size]
    body = bytes((_FORMAT, _LONG)) + enciphered(bytes(plain))
    return body + b"\xff" * (SIZE - 1 - len(body)) + bytes((_END,))


def enciphered(plain: bytes) -> bytes:
    """XXTEA with the boards' key; a multiple of 4 bytes, at least 8."""
    v = _words(plain)
    n, total, z = len(v), 0, v[-1]
    for _ in range(6 + 52 // n):
        total = (total + _DELTA) & 0xFFFF_FFFF
        e = total >> 2 & 3
        for p in range(n):
            y = v[(p + 1) % n]
            z = v[p] = (v[p] + _mixed(z, y, total, p & 3 ^ e)) & 0xFFFF_FFFF
    return struct.pack("<%dI" % n, *v)


def deciphered(data: bytes) -> bytes:
    """The other way round."""
    v = _words(data)
    n, y = len(v), v[0]
    total = (6 + 52 // n) * _DELTA & 0xFFFF_FFFF
    while total:
        e = total >> 2 & 3
        for p in range(n - 1, -1, -1):
            z = v[p - 1]
            y = v[p] = (v[p] - _mixed(z, y, total, p & 3 ^ e)) & 0xFFFF_FFFF
        total = (total - _DELTA) & 0xFFFF_FFFF
    return struct.pack("<%dI" % n, *v)


def _fields(plain: bytes, size: int) -> Identity:
    # of the short form only what comes before its own order begins is sure
    mv = mhz = rate = 0
    if size == _LONG:
        mv, mhz, rate = struct.unpack_from(">HHH", plain, 56)
    pcb, bom = struct.unpack_from(">HH", plain, 50)
    return Identity(
        _text(plain, 1, 17),
        _text(plain, 18, 2),
        _text(plain, 20, 10),
        plain[33],
        pcb,
        bom,
        _text(plain, 54, 2),
        mv * 10,
        mhz,
        rate,
    )


def _text(plain: bytes, at: int, size: int) -> str:
    raw = plain[at : at + size]
    for byte in raw:
        if byte and not 32 <= byte < 127:
            raise IdentityError(f"no text at {at}: {raw.hex()}: another key, or nothing written")
    return raw.replace(b"\0", b"").decode()


def _words(data: bytes) -> list[int]:
    assert len(data) % 4 == 0 and len(data) >= 8
    return list(struct.unpack("<%dI" % (len(data) // 4), data))


def _mixed(z: int, y: int, total: int, key: int) -> int:
    return int(((z >> 5 ^ y << 2) + (y >> 3 ^ z << 4)) ^ ((total ^ y) + (_KEY[key] ^ z)))
