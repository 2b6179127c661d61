"""Jobs of BM1397 chips: SHA-256 states of a header's first 64 bytes instead of the header.

A chip tries the four at once, each made with another version.  hashboard.md has the layout.
"""

import struct
from collections import namedtuple

from protocols.crc import crc16

# midstates: one to four, 32 bytes each, as SHA-256 gives them (word 0 first, big-endian);
# merkle_tail: the last 4 bytes of the merkle root in header order
MidstateJob = namedtuple(
    "MidstateJob", ("job", "nonce", "nbits", "ntime", "merkle_tail", "midstates")
)

JOB = 0x21
MOST = 4  # midstates of a job
_FIXED, _EACH = 22, 32  # what the length byte counts: everything from the kind to the CRC


def frame_size(length: int) -> int:
    """Bytes of a job with this length byte, preamble included; 0 for one that cannot be."""
    count, rest = divmod(length - _FIXED, _EACH)
    return length + 2 if rest == 0 and 1 <= count <= MOST else 0


def midstate_frame(job: MidstateJob) -> bytes:
    """The whole frame: 56 bytes with one midstate, 152 with four."""
    count = len(job.midstates)
    assert 1 <= count <= MOST and len(job.merkle_tail) == 4
    body = struct.pack(
        "<BBBBIII", JOB, _FIXED + _EACH * count, job.job, count, job.nonce, job.nbits, job.ntime
    )
    body += job.merkle_tail + b"".join([_reversed(state) for state in job.midstates])
    frame: bytes = b"\x55\xaa" + body + struct.pack(">H", crc16(body))
    return frame


def heard(body: bytes) -> MidstateJob | None:
    """A frame without its preamble as a job; None when its CRC is wrong."""
    if crc16(body[:-2]) != body[-2] << 8 | body[-1]:
        return None
    nonce, nbits, ntime = struct.unpack_from("<III", body, 4)
    states = [_reversed(body[at : at + _EACH]) for at in range(20, len(body) - 2, _EACH)]
    return MidstateJob(body[2], nonce, nbits, ntime, body[16:20], tuple(states))


def place(job: int) -> tuple[int, int]:
    """(job, midstate) of a reply's id byte."""
    return job & 0xFC, job & 3


def _reversed(state: bytes) -> bytes:
    """The eight words in the opposite order."""
    assert len(state) == _EACH
    return b"".join([state[at : at + 4] for at in range(28, -1, -4)])
