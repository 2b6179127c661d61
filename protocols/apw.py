"""Bitmain's APW power supplies: frames of both versions, and volts as each type counts them.

    55 AA | length | command | data | sum, low byte first

Each byte is an I2C transfer of its own, the port's register before it.  Ports, waits,
commands and what is not known: apw.md, beside this file.
"""

import struct
from collections import namedtuple

ADDRESS = 0x10
PORT, OLD_PORT = 0x11, 0x00  # registers the bytes go through
PACKETS = 0xF5  # what OLD_PORT reads on a supply that talks in frames

FIRMWARE, TYPE, GET_VOLTAGE, MEASURED, ENABLED, READ_EEPROM = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
RELEASED, INPUT_POWER, TEMPERATURES, STATUS, AGE = 0x07, 0x08, 0x09, 0x0A, 0x0B
RUNNING, INPUT_STATUS, ERRORS, ERROR_DATA = 0x0C, 0x0D, 0x0E, 0x0F
WATCHDOG, SET_VOLTAGE, CLEAR_STATUS, CLEAR_ERRORS = 0x81, 0x83, 0x8A, 0x8E
REPLY_WAIT_MS = {1: 400, 2: 500}  # by version, after the last byte of a request
SIZE_MAX = 76  # of any frame on record

_START = b"\x55\xaa"

# what counts volts in version 1: n = a - b * volts, both in millionths; range in mV; what one
# count of MEASURED is worth in microvolts, 0 where it is not known
Type = namedtuple("Type", ("a", "b", "low_mv", "high_mv", "sample_uv"))
_APW12 = Type(1_190_935_338, 78_742_588, 11_960, 15_120, 15_876)
_APW12_HIGH = Type(1_280_577_821, 73_979_365, 13_900, 17_300, 18_957)
_APW17 = Type(1_083_750_000, 70_833_333, 11_700, 15_300, 3_965)
_APW17_EARLY = Type(1_275_000_000, 85_000_000, 12_000, 15_000, 3_965)  # firmware below 4
_OLD = Type(765_411_764, 35_833_333, 14_200, 21_400, 0)
TYPES = {
    0x22: Type(1_215_894_440, 59_931_507, 16_000, 20_300, 0),
    0x41: _OLD,
    0x42: _OLD,
    0x43: Type(933_240_365, 59_806_034, 11_300, 15_600, 0),
    0x61: Type(1_144_502_262, 52_243_589, 17_000, 21_900, 0),
    0x71: _APW12,
    0x72: Type(1_190_935_338, 78_742_588, 11_960, 15_120, 0),
    0x73: _APW12_HIGH,
    0x74: Type(1_156_107_585, 76_090_494, 11_840, 15_190, 0),
    0x75: _APW12,
    0x76: Type(1_156_107_585, 76_090_494, 11_840, 15_190, 15_876),
    0x77: _APW12,
    0x78: _APW12_HIGH,
    0xC1: _APW17,
    0xC2: _APW17,
}
# of version 2, which says volts themselves: range in mV
TYPES_2 = {
    0x62: (17_000, 21_600),
    0x64: (17_000, 21_600),
    0x65: (17_000, 21_600),
    0x66: (17_000, 21_600),
    0x6A: (12_000, 16_000),
}


class ApwError(ValueError):
    """These bytes are no frame of an APW, or this supply cannot do that."""


def frame(command: int, data: bytes = b"", version: int = 1) -> bytes:
    """A request or a reply, whole.  Version 2 takes an even number of data bytes."""
    body = bytes((len(data) + 4, command)) + data
    return _START + body + struct.pack("<H", _sum(body, version))


def decoded(data: bytes, version: int = 1) -> tuple[int, bytes]:
    """(command, data) of a whole frame.  Raises ApwError."""
    if len(data) < 6 or data[:2] != _START:
        raise ApwError(f"no frame: {data.hex()}")
    if data[2] + 2 != len(data):
        raise ApwError(f"{len(data)} bytes, and its length says {data[2] + 2}: {data.hex()}")
    if version == 2 and len(data) % 2:
        raise ApwError(f"an odd frame in version 2: {data.hex()}")
    if _sum(data[2:-2], version) != data[-2] | data[-1] << 8:
        raise ApwError(f"wrong sum: {data.hex()}")
    return data[3], data[4:-2]


def reply_size(command: int, version: int = 1, asked: int = 0) -> int:
    """Bytes of the reply to a command, 0 for one we do not know; asked: EEPROM bytes wanted."""
    if command == READ_EEPROM:
        return asked + (7 if version == 1 else 8)
    sizes = _REPLY_BYTES if version == 1 else _REPLY_BYTES_2
    return sizes[command] + 6 if command in sizes else 0


def settings(kind: int, firmware: int = 4) -> Type:
    """How a supply of this type counts volts.  Raises ApwError."""
    if kind not in TYPES:
        raise ApwError(f"no supply of version 1 has type 0x{kind:02x}")
    return _APW17_EARLY if kind in (0xC1, 0xC2) and firmware < 4 else TYPES[kind]


def n_of(mv: int, kind: int, firmware: int = 4) -> int:
    """The set point for a voltage; a larger one is a lower voltage.  Raises ApwError."""
    own = settings(kind, firmware)
    if not own.low_mv <= mv <= own.high_mv:
        raise ApwError(f"{mv} mV, from {own.low_mv} to {own.high_mv} for type 0x{kind:02x}")
    n = int((own.a * 1000 - own.b * mv) // 1_000_000_000)
    if not 0 <= n <= 255:
        raise ApwError(f"{mv} mV is set point {n} of type 0x{kind:02x}, from 0 to 255")
    return n


def mv_of(n: int, kind: int, firmware: int = 4) -> int:
    """The voltage of a set point, to the nearest mV."""
    own = settings(kind, firmware)
    return int(((own.a - n * 1_000_000) * 1000 + own.b // 2) // own.b)


def sampled_mv(count: int, kind: int) -> int:
    """What a count of MEASURED is worth.  Raises ApwError where nobody knows."""
    sample_uv = settings(kind).sample_uv
    if not sample_uv:
        raise ApwError(f"what MEASURED of type 0x{kind:02x} means is not known")
    return int((count * sample_uv + 500) // 1000)


def word(data: bytes) -> int:
    """The number in two or four bytes.  Raises ApwError."""
    if len(data) not in (2, 4):
        raise ApwError(f"a number has 2 or 4 bytes, not {len(data)}")
    return int(struct.unpack("<H" if len(data) == 2 else "<I", data)[0])


def volts(mv: int) -> bytes:
    """Data of SET_VOLTAGE in version 2."""
    return struct.pack("<f", mv / 1000)


def milli(data: bytes) -> int:
    """Thousandths of a number of version 2.  Raises ApwError."""
    if len(data) != 4:
        raise ApwError(f"a number of version 2 has 4 bytes, not {len(data)}")
    value: float = struct.unpack("<f", data)[0]
    if not -1e6 < value < 1e6:  # no number at all, too
        raise ApwError(f"{value} cannot be")
    return round(value * 1000)


def _sum(body: bytes, version: int) -> int:
    """Of bytes in version 1, of little-endian words in version 2."""
    if version == 1:
        return sum(body) & 0xFFFF
    return sum([byte << 8 * (at & 1) for at, byte in enumerate(body)]) & 0xFFFF


# data bytes of each reply; SET_VOLTAGE and WATCHDOG are the request again
_REPLY_BYTES = {
    FIRMWARE: 2,
    TYPE: 2,
    GET_VOLTAGE: 2,
    MEASURED: 2,
    ENABLED: 2,
    INPUT_POWER: 2,
    TEMPERATURES: 6,
    STATUS: 8,
    RUNNING: 4,
    INPUT_STATUS: 4,
    CLEAR_STATUS: 0,
    WATCHDOG: 2,
    SET_VOLTAGE: 2,
}
_REPLY_BYTES_2 = {
    FIRMWARE: 2,
    TYPE: 2,
    GET_VOLTAGE: 4,
    MEASURED: 4,
    ENABLED: 2,
    RELEASED: 2,
    INPUT_POWER: 4,
    TEMPERATURES: 10,
    AGE: 2,
    RUNNING: 4,
    INPUT_STATUS: 4,
    ERRORS: 10,
    CLEAR_ERRORS: 10,
    ERROR_DATA: 68,
    WATCHDOG: 2,
    SET_VOLTAGE: 4,
}
