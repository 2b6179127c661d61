"""The time of day from an NTP server: one question and its answer, RFC 4330."""

import struct

SIZE = 48
_UNIX_S = 2_208_988_800  # from 1900 to 1970
_ERA_S = 1 << 32  # until 2036; then the seconds begin anew


class SntpError(ValueError):
    """This is no answer to be believed; the text says why."""


def question(nonce: bytes) -> bytes:
    """nonce: 8 bytes nobody can foresee, where others tell their own time."""
    assert len(nonce) == 8
    return b"\x23" + bytes(39) + nonce


def unix_ms(nonce: bytes, data: bytes, round_trip_ms: int) -> int:
    """The time now.  Raises SntpError.

    round_trip_ms: between question and answer; half of it is taken for the way back.
    """
    if len(data) < SIZE:
        raise SntpError("too short")
    if data[0] & 7 != 4 or data[24:32] != nonce:
        raise SntpError("not an answer to this question")
    if data[0] >> 6 == 3 or not 1 <= data[1] <= 15:
        raise SntpError("the server does not know the time itself")
    seconds, fraction = struct.unpack_from(">II", data, 40)
    if not seconds:
        raise SntpError("no time in it")
    if seconds < _ERA_S // 2:
        seconds += _ERA_S
    now_ms: int = (seconds - _UNIX_S) * 1000 + (fraction * 1000 >> 32)
    return now_ms + round_trip_ms // 2
