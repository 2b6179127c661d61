"""The microcontroller on a Bitmain hash board, which lets the supply's volts through to the chips.

    55 AA | length | command | data | sum, high byte first        and replies:
            length | command | data | sum      of which short ones are the command and 01

The whole request is one I2C write; the reply is read after a wait.  Sources: decompiled
factory test programs and logs of S19 Pro boards; sums of every frame were computed again.
"""

import struct

ADDRESS = 0x20  # of chain 0; one more for each
JUMP, RESET, ENABLE, HEARTBEAT, VERSION = 0x06, 0x07, 0x15, 0x16, 0x17
READ_ADCS, READ_ADC, READ_ADC_N = 0x37, 0x3A, 0x41
HEARTBEAT_EVERY_MS = 10_000  # as stock programs do
# from the request to the reply, and bytes of it
WAIT_MS = {JUMP: 300, RESET: 300, ENABLE: 300, VERSION: 300}
WAIT_SHORT_MS = 10  # of all others
REPLY_SIZE = {
    JUMP: 2,
    RESET: 5,
    ENABLE: 2,
    HEARTBEAT: 6,
    VERSION: 5,
    READ_ADCS: 11,
    READ_ADC: 7,
    READ_ADC_N: 8,
}
_START = b"\x55\xaa"
_SHORT = 2  # of these replies, the command and 01 are all


class PicError(ValueError):
    """These bytes are nothing a board's microcontroller says or hears."""


def request(command: int, data: bytes = b"") -> bytes:
    body = bytes((len(data) + 4, command)) + data
    return _START + body + _sum(body)


def requested(frame: bytes) -> tuple[int, bytes]:
    """(command, data) of a request.  Raises PicError."""
    if len(frame) < 6 or frame[:2] != _START or frame[2] + 2 != len(frame):
        raise PicError(f"no request: {frame.hex()}")
    if _sum(frame[2:-2]) != frame[-2:]:
        raise PicError(f"wrong sum: {frame.hex()}")
    return frame[3], frame[4:-2]


def reply(command: int, data: bytes) -> bytes:
    """What is answered; for the short ones the data is one byte and no sum follows."""
    if REPLY_SIZE.get(command) == _SHORT:
        return bytes((command,)) + data[:1]
    body = bytes((len(data) + 4, command)) + data
    return body + _sum(body)


def replied(command: int, frame: bytes) -> bytes:
    """The data of a reply to this command.  Raises PicError."""
    if len(frame) != REPLY_SIZE.get(command, len(frame)) or len(frame) < _SHORT:
        raise PicError(f"{len(frame)} bytes in reply to {command:02x}: {frame.hex()}")
    if len(frame) == _SHORT:
        if frame[0] != command:
            raise PicError(f"no reply to {command:02x}: {frame.hex()}")
        return frame[1:]
    if len(frame) < 4 or frame[0] != len(frame) or frame[1] != command:
        raise PicError(f"no reply to {command:02x}: {frame.hex()}")
    if _sum(frame[:-2]) != frame[-2:]:
        raise PicError(f"wrong sum in reply to {command:02x}: {frame.hex()}")
    return frame[2:-2]


def _sum(body: bytes) -> bytes:
    return struct.pack(">H", sum(body) & 0xFFFF)
