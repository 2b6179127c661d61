"""What a host says to a chain of BM13xx chips, and hears: bytes and events.

The host's side, which the firmware speaks; the chips' is hashboard_chip.py, which no rig
has to hold in memory.  Field layout, captures, open questions: hashboard.md, beside this file.
"""

import struct
from collections import namedtuple

from protocols.crc import crc5, crc16

TO_CHIP, TO_HOST = b"\x55\xaa", b"\xaa\x55"

# registers, as far as we use them
CHIP_ID, PLL0, NONCE_OFFSET, HASH_COUNTING, TICKET_MASK = 0x00, 0x08, 0x0C, 0x10, 0x14
MISC_CONTROL, UART_BAUD, UART_RELAY, CORE_CONTROL = 0x18, 0x28, 0x2C, 0x3C
NONCE_ERRORS, ANALOG_MUX, IO_DRIVER, PLL3 = 0x4C, 0x54, 0x58, 0x68
DOMAIN_HASHES, TOTAL_HASHES, VERSION_ROLLING, SOFT_RESET = 0x88, 0x8C, 0xA4, 0xA8

LOCKED = 1 << 31  # of PLL0, when it is read

# a whole header but its nonce; merkle_root and prev_hash are 32 bytes in header order
Job = namedtuple("Job", ("job", "nonce", "nbits", "ntime", "merkle_root", "prev_hash", "version"))

# chip -> host; nonce as the header's number, job the id byte as sent: split it by place()
Register = namedtuple("Register", ("chip", "register", "value"))
Nonce = namedtuple("Nonce", ("nonce", "excess", "job", "version"))

SET, INACTIVE, JOB = 0x40, 0x53, 0x21
WRITE, READ, ALL = 0x41, 0x42, 0x10
JOB_SIZE = 88
JOB_LENGTH, JOB_LENGTH_STOCK = 0x56, 0x36  # the chips take either, and go by the size
KIND_REGISTER, KIND_NONCE = 0, 4


def read_register(register: int, chip: int | None = None) -> bytes:
    """Ask one chip, or all, for a register."""
    return _command(READ | ALL if chip is None else READ, chip or 0, bytes((register,)))


def write_register(register: int, value: int, chip: int | None = None) -> bytes:
    """Set a register of one chip, or of all."""
    kind = WRITE | ALL if chip is None else WRITE
    return _command(kind, chip or 0, struct.pack(">BI", register, value))


def set_address(chip: int) -> bytes:
    """The first chip without an address takes this one."""
    return _command(SET, chip, b"\0")


def chain_inactive() -> bytes:
    """Every chip forgets its address."""
    return _command(INACTIVE, 0, b"\0")


def job_frame(job: Job, length: int = JOB_LENGTH) -> bytes:
    """Work in the full-header form: BM1362, BM1366, BM1368, BM1370.

    job.job has bits 7-3 only.  length is the byte on the wire, not a size.
    """
    frame = struct.pack(
        "<BBBBIII", JOB, length, job.job, 1, job.nonce, job.nbits, job.ntime
    ) + b"".join((swapped(job.merkle_root), swapped(job.prev_hash)))
    frame += struct.pack("<I", job.version)
    return TO_CHIP + frame + struct.pack(">H", crc16(frame))


class Receiver:
    """The host's ear: cuts bytes, however they arrive, into Register and Nonce.

    Never keeps more than one partial reply, and counts the bytes it dropped.
    size: 9 on BM1397, and on the others until VERSION_ROLLING is written; then 11.
    """

    def __init__(self, size: int = 11) -> None:
        self.size = size
        self.dropped = 0
        self._tail = b""

    def feed(self, data: bytes) -> list[Register | Nonce]:
        data, events, at = self._tail + data, [], 0
        while True:
            start = hunt(data, TO_HOST, at)
            self.dropped += start - at
            at = start
            if len(data) - at < self.size:
                break
            event = _reply(data[at + 2 : at + self.size])
            if event is None:
                self.dropped += 1
                at += 1
            else:
                events.append(event)
                at += self.size
        self._tail = data[at:]
        return events


def place(nonce: Nonce, small_cores: int) -> tuple[int, int, int]:
    """(job, core, small core) of a reply, on chips with 8 or 16 small cores a core.

    8: BM1362, BM1366.  16: BM1368, BM1370.
    """
    core = (nonce.nonce & 0xFF) >> 1
    if small_cores == 16:
        return (nonce.job & 0xF0) >> 1, core, nonce.job & 0x0F
    return nonce.job & 0xF8, core, nonce.job & 0x07


def ticket_mask(difficulty: int) -> int:
    """TICKET_MASK value: report hashes of at least this difficulty, rounded down to 2^n."""
    mask = 1
    while mask * 2 <= difficulty:
        mask *= 2
    return bits_swapped(mask - 1)


def core_write(register: int, value: int) -> int:
    """CORE_CONTROL value that sets a register of every core of the chip."""
    return 0x8000_8000 | register << 8 | value


def _command(kind: int, chip: int, payload: bytes) -> bytes:
    body = bytes((kind, len(payload) + 4, chip)) + payload
    return TO_CHIP + body + bytes((crc5(body),))


def swapped(words: bytes) -> bytes:
    """Eight 4-byte words in the opposite order, as the chips want their hashes."""
    assert len(words) == 32
    return b"".join(words[at : at + 4] for at in range(28, -1, -4))


def bits_swapped(value: int) -> int:
    """The bits of each byte in the opposite order."""
    swapped = 0
    for bit in range(32):
        if value >> bit & 1:
            swapped |= 1 << (bit ^ 7)
    return swapped


def hunt(data: bytes, preamble: bytes, at: int) -> int:
    """Where the next frame may begin; the end of data when nowhere."""
    found = data.find(preamble, at)
    if found >= 0:
        return found
    half = len(data) - 1
    return half if half >= at and data[half] == preamble[0] else len(data)


def _reply(body: bytes) -> Register | Nonce | None:
    """A reply without its preamble as an event; None when it is not one."""
    kind = body[-1] >> 5
    if kind not in (KIND_REGISTER, KIND_NONCE) or crc5(body):
        return None
    if kind == KIND_NONCE:
        nonce, excess, job = struct.unpack_from("<IBB", body)
        return Nonce(nonce, excess, job, body[6] << 8 | body[7] if len(body) == 9 else 0)
    value, chip, register = struct.unpack_from(">IBB", body)
    return Register(chip, register, value)
