"""The port of an APW supply: a frame in byte by byte, its reply out byte by byte, and late.

Bytes that are no frame are passed over.  Whoever reads too soon gets what was there before.
"""

from collections.abc import Callable

from protocols import apw

SLOW_S = 0.3  # from the last byte of a request to its reply
PORTS = (apw.PORT, apw.OLD_PORT)


class ApwPort:
    """answer: from a whole frame to the reply's, or None for silence."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self.slow_s = SLOW_S
        self.clear()

    def clear(self) -> None:
        self._heard, self._pointer = b"", 0
        self._reply, self._stale, self._ready_s = b"", b"", 0.0

    def write(self, data: bytes, now_s: float) -> None:
        """One transfer: a register, and one byte for it; more are not heard."""
        if data:
            self._pointer = data[0]
        if len(data) >= 2 and data[0] in PORTS:
            self._take(data[1], now_s)

    def read(self, size: int, now_s: float) -> bytes:
        return bytes(self._next(now_s) for _ in range(size))

    def _next(self, now_s: float) -> int:
        if self._pointer in PORTS:
            if now_s < self._ready_s and self._stale:
                first, self._stale = self._stale[0], self._stale[1:] + self._stale[:1]
                return first
            if now_s >= self._ready_s and self._reply:
                first, self._reply = self._reply[0], self._reply[1:]
                return first
        return apw.PACKETS if self._pointer == apw.OLD_PORT else 0xFF

    def _take(self, byte: int, now_s: float) -> None:
        if not self._heard and byte == apw.PACKETS:  # read back, it tells a host which port
            self._reply, self._ready_s = bytes((byte,)), now_s
            return
        self._heard += bytes((byte,))
        if not b"\x55\xaa".startswith(self._heard[:2]):
            self._heard = b"\x55" if byte == 0x55 else b""
        elif len(self._heard) > 2:
            size = self._heard[2] + 2
            if not 6 <= size <= apw.SIZE_MAX:
                self._heard = b""
            elif len(self._heard) == size:
                request, self._heard = self._heard, b""
                self._heed(request, now_s)

    def _heed(self, request: bytes, now_s: float) -> None:
        reply = self._answer(request)
        if reply is not None:
            self._stale, self._reply = self._reply, reply
            self._ready_s = now_s + self.slow_s
