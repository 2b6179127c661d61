"""Modbus as a server speaks it: frames on a serial line and over TCP, and requests to a device.

Modbus over Serial Line V1.02, Application Protocol V1.1b3.  Whatever comes in, an answer or
nothing goes out.
"""

import struct

from protocols.registers import NO_REGISTER, NO_VALUE, RegisterError

READ, READ_INPUT, WRITE_ONE, WRITE, READ_FILE = 3, 4, 6, 16, 20
NO_FUNCTION = 1
READ_MAX, WRITE_MAX, FILE_MAX = 125, 123, 120  # words in one request
RTU_MAX, TCP_MAX = 256, 260  # bytes of one frame
EVERYBODY = 0  # a unit: all of a line; nobody answers
_TCP_HEAD = ">HHHB"  # transaction, protocol (0), bytes that follow, unit
_TCP_HEAD_SIZE = 7


class FrameError(ValueError):
    """These bytes are no Modbus over TCP: the connection has lost its place."""


class Device:
    """What is asked.  Each raises RegisterError with Modbus's own exception code."""

    def read(self, address: int, count: int) -> list[int]:
        """So many words."""
        raise RegisterError(NO_REGISTER, f"{address}: no register")

    def write(self, address: int, words: list[int]) -> None:
        raise RegisterError(NO_REGISTER, f"{address}: no register")

    def file(self, number: int, at: int, count: int) -> bytes:
        """count words of a file from word `at` on."""
        raise RegisterError(NO_REGISTER, f"file {number}: there is none")


def _nibbles() -> tuple[int, ...]:
    table = []
    for nibble in range(16):
        rest = nibble
        for _ in range(4):
            rest = rest >> 1 ^ 0xA001 if rest & 1 else rest >> 1
        table.append(rest)
    return tuple(table)


_CRC = _nibbles()  # 16 entries: a line is slow, and a table of 256 would be heap


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS as it follows a frame, lower byte first."""
    rest = 0xFFFF
    for byte in data:
        rest ^= byte
        rest = rest >> 4 ^ _CRC[rest & 15]
        rest = rest >> 4 ^ _CRC[rest & 15]
    return bytes((rest & 0xFF, rest >> 8))


def rtu(unit: int, pdu: bytes) -> bytes:
    """A frame on the line."""
    frame = bytes((unit,)) + pdu
    return frame + crc(frame)


def rtu_request(heard: bytes, unit: int) -> tuple[int, bytes] | None:
    """(unit, request) when what was heard up to a silence ends with a request to this unit.

    Others' requests and answers may stand before it: a loop that was held up has missed the
    silences between them.  After a request to us a master waits, so ours is always the last.
    """
    for at in range(max(0, len(heard) - RTU_MAX), len(heard) - 3):
        if heard[at] not in (unit, EVERYBODY):
            continue
        size = _request_size(heard, at)
        if size not in (len(heard) - at, 0) or (not size and at):
            continue
        if crc(heard[at:-2]) == heard[-2:]:
            return heard[at], heard[at + 1 : -2]
    return None


def _request_size(heard: bytes, at: int) -> int:
    """Of a request that begins there; 0 when its function is not known here."""
    function = heard[at + 1]
    if function in (READ, READ_INPUT, WRITE_ONE):
        return 8
    if function == WRITE:
        return 9 + heard[at + 6] if len(heard) > at + 6 else -1
    if function == READ_FILE:
        return 5 + heard[at + 2]
    return 0


def tcp_request(heard: bytes) -> tuple[bytes, bytes, int] | None:
    """(head to answer with, request, bytes of both) at the start of what was heard.

    None while it is not whole.  Raises FrameError.
    """
    if len(heard) < _TCP_HEAD_SIZE:
        return None
    _, protocol, size, _ = struct.unpack_from(_TCP_HEAD, heard)
    if protocol or not 2 <= size <= TCP_MAX - 6:
        raise FrameError(f"protocol {protocol}, {size} bytes: not Modbus over TCP")
    if len(heard) < 6 + size:
        return None
    return heard[:_TCP_HEAD_SIZE], heard[_TCP_HEAD_SIZE : 6 + size], 6 + size


def tcp(head: bytes, pdu: bytes) -> bytes:
    """The answer to the request with this head."""
    return head[:4] + struct.pack(">H", len(pdu) + 1) + head[6:] + pdu


def answer(pdu: bytes, device: Device) -> bytes:
    """The device's answer to a request.  Raises nothing."""
    function = pdu[0] if pdu else 0
    try:
        return bytes((function,)) + _answer(function, pdu, device)
    except RegisterError as error:
        return bytes((function & 0x7F | 0x80, error.code))


def _answer(function: int, pdu: bytes, device: Device) -> bytes:
    if function in (READ, READ_INPUT):
        address, count = _pair(pdu, 5)
        _expect(1 <= count <= READ_MAX)
        words = device.read(address, count)
        return bytes((2 * count,)) + struct.pack(f">{count}H", *words)
    if function == WRITE_ONE:
        address, word = _pair(pdu, 5)
        device.write(address, [word])
        return pdu[1:]
    if function == WRITE:
        address, count = _pair(pdu, 6 + 2 * (pdu[5] // 2 if len(pdu) > 5 else 0))
        _expect(1 <= count <= WRITE_MAX and pdu[5] == 2 * count)
        device.write(address, list(struct.unpack_from(f">{count}H", pdu, 6)))
        return pdu[1:5]
    if function == READ_FILE:
        return _file(pdu, device)
    raise RegisterError(NO_FUNCTION, f"function {function}: not known here")


def _file(pdu: bytes, device: Device) -> bytes:
    """One reference of a file record; more in one request are refused."""
    _expect(len(pdu) == 9 and pdu[1] == 7 and pdu[2] == 6)
    number, at, count = struct.unpack_from(">HHH", pdu, 3)
    _expect(1 <= count <= FILE_MAX)
    data = device.file(number, at, count)
    return bytes((len(data) + 2, len(data) + 1, 6)) + data


def _pair(pdu: bytes, size: int) -> tuple[int, int]:
    _expect(len(pdu) == size)
    first, second = struct.unpack_from(">HH", pdu, 1)
    return first, second


def _expect(right: bool) -> None:
    if not right:
        raise RegisterError(NO_VALUE, "not a request of this function")
