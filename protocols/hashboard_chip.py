"""What a chain of BM13xx chips hears and says: the other side of hashboard.py, for the bench."""

import struct
from collections import namedtuple

from protocols import midstates
from protocols.crc import crc5, crc5_reply, crc16
from protocols.hashboard import (
    ALL,
    INACTIVE,
    JOB,
    JOB_SIZE,
    KIND_NONCE,
    KIND_REGISTER,
    READ,
    SET,
    TO_CHIP,
    TO_HOST,
    WRITE,
    Job,
    Nonce,
    bits_swapped,
    hunt,
    swapped,
)

# host -> chip; chip None means every chip
ReadRegister = namedtuple("ReadRegister", ("chip", "register"))
WriteRegister = namedtuple("WriteRegister", ("chip", "register", "value"))
SetAddress = namedtuple("SetAddress", ("chip",))
ChainInactive = namedtuple("ChainInactive", ())


def register_reply(chip: int, register: int, value: int, size: int = 11) -> bytes:
    """What a chip answers to a read; size 9 or 11."""
    body = struct.pack(">IBB", value, chip, register) + b"\0" * (size - 9)
    return TO_HOST + body + bytes((crc5_reply(body, KIND_REGISTER),))


def nonce_reply(nonce: Nonce, size: int = 11) -> bytes:
    """What a chip sends when it found something; the 9-byte form carries no version."""
    body = struct.pack("<IBB", nonce.nonce, nonce.excess, nonce.job)
    if size == 11:
        body += struct.pack(">H", nonce.version)
    return TO_HOST + body + bytes((crc5_reply(body, KIND_NONCE),))


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
            start = hunt(data, TO_CHIP, at)
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


def job_echo(job: int, small_core: int, small_cores: int) -> int:
    """The id byte a chip's reply carries for a job: place() the other way round."""
    return (job << 1 if small_cores == 16 else job) & 0xFF | small_core


def ticket_difficulty(mask: int) -> int:
    """The difficulty a TICKET_MASK value asks for."""
    return bits_swapped(mask) + 1


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


def _frame_size(kind: int, length: int, job_size: int) -> int:
    """Bytes of a frame of this kind, or 0 for one that cannot be."""
    if kind == JOB:  # a whole header's size is fixed, whatever its length byte says
        return job_size or midstates.frame_size(length)
    if kind in (WRITE, WRITE | ALL):
        return 11 if length == 9 else 0
    if kind in (SET, INACTIVE, READ, READ | ALL):
        return 7 if length == 5 else 0
    return 0


def _heard(body: bytes, job_size: int) -> tuple | None:  # type: ignore[type-arg]
    """A frame without its preamble as an event; None when its CRC is wrong."""
    kind = body[0]
    if kind == JOB:
        return _job(body) if job_size else midstates.heard(body)
    if crc5(body[:-1]) != body[-1]:
        return None
    if kind == SET:
        return SetAddress(body[2])
    if kind == INACTIVE:
        return ChainInactive()
    chip = None if kind & ALL else body[2]
    if kind & 0x0F == READ & 0x0F:
        return ReadRegister(chip, body[3])
    return WriteRegister(chip, body[3], struct.unpack_from(">I", body, 4)[0])


def _job(body: bytes) -> Job | None:
    if crc16(body[:-2]) != body[-2] << 8 | body[-1]:
        return None
    nonce, nbits, ntime = struct.unpack_from("<III", body, 4)
    (version,) = struct.unpack_from("<I", body, 80)
    return Job(body[2], nonce, nbits, ntime, swapped(body[16:48]), swapped(body[48:80]), version)
