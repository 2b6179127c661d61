"""The RS-485 line a rig may hang on: half duplex, so who drives it at the wrong time is not heard.

What the rig writes is on the wire only while its direction pin holds the driver on, and a
pin let go too soon cuts the frame.
"""

import asyncio
import os
import tty
from collections.abc import Callable

BITS = 10  # of a character without parity: what the rig's UART reckons with

At = Callable[[float, Callable[[], None]], object]


class Rs485:
    """heard: called with what the other side of the line hears."""

    def __init__(self, now: Callable[[], float], at: At) -> None:
        self._now, self._at = now, at
        self.heard: Callable[[bytes], None] = lambda data: None
        self.lost = 0  # bytes the rig wrote while its driver was off, or turned off too soon
        self._driving = False
        self._free_s = 0.0
        self._sending: list[tuple[float, int]] = []  # (end of a byte, byte)

    def drive(self, level: int | None) -> None:
        """The direction pin."""
        if self._driving and not level:
            self._hand_on()
            self.lost += len(self._sending)
            self._sending.clear()
        self._driving = bool(level)

    def write(self, data: bytes, baud: int) -> None:
        """The rig sends."""
        if not self._driving:
            self.lost += len(data)
            return
        start_s = max(self._now(), self._free_s)
        ends = [start_s + (n + 1) * BITS / baud for n in range(len(data))]
        self._sending += zip(ends, data, strict=True)
        self._free_s = ends[-1]
        self._at(self._free_s, self._hand_on)

    def _hand_on(self) -> None:
        """What is wholly on the wire by now."""
        now_s = self._now() + 1e-6
        out = bytes(byte for end_s, byte in self._sending if end_s <= now_s)
        if out:
            self._sending = self._sending[len(out) :]
            self.heard(out)


class Pty:
    """The line as a serial device of this host, for masters of any make.

    path is what they open; reaches: called in the loop's thread with what they send.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, reaches: Callable[[bytes], None]) -> None:
        self._loop, self._reaches = loop, reaches
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        loop.call_soon_threadsafe(loop.add_reader, self._ours, self._hear)

    def say(self, data: bytes) -> None:
        """What the rig sent."""
        os.write(self._ours, data)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def _hear(self) -> None:
        self._reaches(os.read(self._ours, 4096))

    async def _close(self) -> None:
        self._loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)
