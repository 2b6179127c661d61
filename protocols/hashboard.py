"""What a host and a chain of BM13xx chips say to each other, as bytes and as events.

Both ways: the firmware speaks the host's side, a virtual chip the other.
Field layout, captures, open questions: hashboard.md, beside this file.
"""

import struct
from collections import namedtuple

from protocols import midstates
from protocols.crc import crc5, crc5_reply, crc16

TO_CHIP, TO_HOST = b"\x55\xaa", b"\xaa\x55"

# registers, as far as we use them
CHIP_ID, PLL0, NONCE_OFFSET, HASH_COUNTING, TICKET_MASK = 0x00, 0x08, 0x0C, 0x10, 0x14
MISC_CONTROL, UART_BAUD, UART_RELAY, CORE_CONTROL = 0x18, 0x28, 0x2C, 0x3C
NONCE_ERRORS, ANALOG_MUX, IO_DRIVER, PLL3 = 0x4C, 0x54, 0x58, 0x68
DOMAIN_HASHES, TOTAL_HASHES, VERSION_ROLLING, SOFT_RESET = 0x88, 0x8C, 0xA4, 0xA8

# host -> chip; chip None means every chip
ReadRegister = namedtuple("ReadRegister", ("chip", "register"))
WriteRegister = namedtuple("WriteRegister", ("chip", "register", "value"))
SetAddress = namedtuple("SetAddress", ("chip",))
ChainInactive = namedtuple("ChainInactive", ())
# a whole header but its nonce; merkle_root and prev_hash are 32 bytes in header order
Job = namedtuple("Job", ("job", "nonce", "nbits", "ntime", "merkle_root", "prev_hash", "version"))

# chip -> host; nonce as the header's number, job the id byte as sent: split it by place()
Register = namedtuple("Register", ("chip", "register", "value"))
Nonce = namedtuple("Nonce", ("nonce", "excess", "job", "version"))

_SET_ADDRESS, _INACTIVE, _JOB = 0x40, 0x53, 0x21
_WRITE, _READ, _ALL = 0x41, 0x42, 0x10
JOB_SIZE = 88
JOB_LENGTH, JOB_LENGTH_STOCK = 0x56, 0x36  # the chips take either, and go by the size
_KIND_REGISTER, _KIND_NONCE = 0, 4


def read_register(register: int, chip: int | None = None) -> bytes:
    """Ask one chip, or all, for a register."""
    return _command(_READ | _ALL if chip is None else _READ, chip or 0, bytes((register,)))


def write_register(register: int, value: int, chip: int | None = None) -> bytes:
    """Set a register of one chip, or of all."""
    kind = _WRITE | _ALL if chip is None else _WRITE
    return _command(kind, chip or 0, struct.pack(">BI", register, value))


def set_address(chip: int) -> bytes:
    """The first chip without an address takes this one."""
    return _command(_SET_ADDRESS, chip, b"\0")


def chain_inactive() -> bytes:
    """Every chip forgets its address."""
    return _command(_INACTIVE, 0, b"\0")


def job_frame(job: Job, length: int = JOB_LENGTH) -> bytes:
    """Work in the full-header form: BM1362, BM1366, BM1368, BM1370.

    job.job has bits 7-3 only.  length is the byte on the wire, not a size.
    """
    frame = struct.pack(
        "<BBBBIII", _JOB, length, job.job, 1, job.nonce, job.nbits, job.ntime
    ) + b"".join((_swapped(job.merkle_root), _swapped(job.prev_hash)))
    frame += struct.pack("<I", job.version)
    return TO_CHIP + frame + struct.pack(">H", crc16(frame))


def register_reply(chip: int, register: int, value: int, size: int = 11) -> bytes:
    """What a chip answers to a read; size 9 or 11."""
    body = struct.pack(">IBB", value, chip, register) + b"\0" * (size - 9)
    return TO_HOST + body + bytes((crc5_reply(body, _KIND_REGISTER),))


def nonce_reply(nonce: Nonce, size: int = 11) -> bytes:
    """What a chip sends when it found something; the 9-byte form carries no version."""
    body = struct.pack("<IBB", nonce.nonce, nonce.excess, nonce.job)
    if size == 11:
        body += struct.pack(">H", nonce.version)
    return TO_HOST + body + bytes((crc5_reply(body, _KIND_NONCE),))


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
            start = _hunt(data, TO_HOST, at)
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


class CommandReceiver:
    """A chip's ear: cuts bytes into commands and jobs; of BM1397 jobs when it takes midstates.

    Counts the frames it refused (bad) and all bytes that were no part of a good
    one (dropped).  Never keeps more than one partial frame.
    """

    def __init__(self, takes_midstates: bool = False) -> None:
        self._job_size = 0 if takes_midstates else JOB_SIZE
        self.bad = 0
        self.dropped = 0
        self._tail = b""

    def feed(self, data: bytes) -> list[tuple]:  # type: ignore[type-arg]
        data, events, at = self._tail + data, [], 0
        while True:
            start = _hunt(data, TO_CHIP, at)
            self.dropped += start - at
            at = start
            if len(data) - at < 4:
                break
            size = _frame_size(data[at + 2], data[at + 3], self._job_size)
            if len(data) - at < size:
                break
            event = _heard(data[at + 2 : at + size], self._job_size) if size else None
            if event is None:
                self.bad += 1
                self.dropped += 1
                at += 1
            else:
                events.append(event)
                at += size
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


def job_echo(job: int, small_core: int, small_cores: int) -> int:
    """The id byte a chip's reply carries for a job: place() the other way round."""
    return (job << 1 if small_cores == 16 else job) & 0xFF | small_core


def ticket_mask(difficulty: int) -> int:
    """TICKET_MASK value: report hashes of at least this difficulty, rounded down to 2^n."""
    mask = 1
    while mask * 2 <= difficulty:
        mask *= 2
    return _bits_swapped(mask - 1)


def ticket_difficulty(mask: int) -> int:
    """The difficulty a TICKET_MASK value asks for."""
    return _bits_swapped(mask) + 1


def core_write(register: int, value: int) -> int:
    """CORE_CONTROL value that sets a register of every core of the chip."""
    return 0x8000_8000 | register << 8 | value


def baud(word: int) -> int:
    """Bits per second a UART_BAUD value sets; PLL1 taken as 2800 MHz when it is used."""
    clock_hz = 25_000_000
    if word >> 26 & 3:
        clock_hz = 2_800_000_000 // ((word >> 20 & 15) + 1)
    eighths = 8 * ((word >> 8 & 0xFF) + 1)
    return (clock_hz + eighths // 2) // eighths


def baud_1397(misc: int, fast_uart: int, pll3: int) -> int:
    """The same of a BM1397: MISC_CONTROL divides the crystal, or PLL3 through FAST_UART."""
    clock_hz = 25_000_000
    if misc >> 16 & 1:
        post = (pll3 >> 8 & 0x3F) * (pll3 >> 4 & 7) * (pll3 & 7) * ((fast_uart >> 24 & 15) + 1)
        clock_hz = 25_000_000 * (pll3 >> 16 & 0xFFF) // post if post else 0
    eighths = 8 * ((misc >> 19 & 0x1E0 | misc >> 8 & 0x1F) + 1)
    return (clock_hz + eighths // 2) // eighths


def _command(kind: int, chip: int, payload: bytes) -> bytes:
    body = bytes((kind, len(payload) + 4, chip)) + payload
    return TO_CHIP + body + bytes((crc5(body),))


def _swapped(words: bytes) -> bytes:
    """Eight 4-byte words in the opposite order, as the chips want their hashes."""
    assert len(words) == 32
    return b"".join(words[at : at + 4] for at in range(28, -1, -4))


def _bits_swapped(value: int) -> int:
    """The bits of each byte in the opposite order."""
    swapped = 0
    for bit in range(32):
        if value >> bit & 1:
            swapped |= 1 << (bit ^ 7)
    return swapped


def _hunt(data: bytes, preamble: bytes, at: int) -> int:
    """Where the next frame may begin; the end of data when nowhere."""
    found = data.find(preamble, at)
    if found >= 0:
        return found
    half = len(data) - 1
    return half if half >= at and data[half] == preamble[0] else len(data)


def _frame_size(kind: int, length: int, job_size: int) -> int:
    """Bytes of a frame of this kind, or 0 for one that cannot be."""
    if kind == _JOB:  # a whole header's size is fixed, whatever its length byte says
        return job_size or midstates.frame_size(length)
    if kind in (_WRITE, _WRITE | _ALL):
        return 11 if length == 9 else 0
    if kind in (_SET_ADDRESS, _INACTIVE, _READ, _READ | _ALL):
        return 7 if length == 5 else 0
    return 0


def _heard(body: bytes, job_size: int) -> tuple | None:  # type: ignore[type-arg]
    """A frame without its preamble as an event; None when its CRC is wrong."""
    kind = body[0]
    if kind == _JOB:
        return _job(body) if job_size else midstates.heard(body)
    if crc5(body[:-1]) != body[-1]:
        return None
    if kind == _SET_ADDRESS:
        return SetAddress(body[2])
    if kind == _INACTIVE:
        return ChainInactive()
    chip = None if kind & _ALL else body[2]
    if kind & 0x0F == _READ & 0x0F:
        return ReadRegister(chip, body[3])
    return WriteRegister(chip, body[3], struct.unpack_from(">I", body, 4)[0])


def _job(body: bytes) -> Job | None:
    if crc16(body[:-2]) != body[-2] << 8 | body[-1]:
        return None
    nonce, nbits, ntime = struct.unpack_from("<III", body, 4)
    (version,) = struct.unpack_from("<I", body, 80)
    return Job(body[2], nonce, nbits, ntime, _swapped(body[16:48]), _swapped(body[48:80]), version)


def _reply(body: bytes) -> Register | Nonce | None:
    """A reply without its preamble as an event; None when it is not one."""
    kind = body[-1] >> 5
    if kind not in (_KIND_REGISTER, _KIND_NONCE) or crc5(body):
        return None
    if kind == _KIND_NONCE:
        nonce, excess, job = struct.unpack_from("<IBB", body)
        return Nonce(nonce, excess, job, body[6] << 8 | body[7] if len(body) == 9 else 0)
    value, chip, register = struct.unpack_from(">IBB", body)
    return Register(chip, register, value)
