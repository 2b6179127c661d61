"""The bench's end of the pipe in virtual time: a program runs from one wait to the next.

Blocking, and without a clock: while the program runs no time passes, and whoever calls
go_on() decides how much has passed when it does.
"""

import os
import select
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hil import link
from hil.virtual import wire

_READ_SIZE = 65536
HUNG_S = 20.0  # of real time: a program that neither waits nor looks at the clock


class BenchError(RuntimeError):
    """The bench itself cannot go on; the text says with which rig and why."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The program waits: so long, or for ever (None); by: arrivals that end it early."""

    us: int | None
    by: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The program runs no more: it ended, asked for a reset, or lost its power."""

    asked: bool  # for a reset


class Host(Protocol):
    """What a virtual ESP32 reaches beside its board: the network and the flash."""

    @property
    def recording(self) -> bool:
        """Whether saw() wants to know."""

    def net(self, op: int, n: int, payload: bytes) -> None:
        """A frame of a socket or of the Wi-Fi."""

    def flash_step(self, step: int, path: str) -> bool:
        """Before a step that changes a file: whether power lasts."""

    def saw(self, op: int, n: int, payload: bytes, answer: bytes) -> None:
        """A bus transaction went by; answer is empty where there is none."""


_SOCKETS = (wire.SOCKET_CONNECT, wire.SOCKET_SEND, wire.SOCKET_CLOSE, wire.UDP_SEND)
_NET = (*_SOCKETS, wire.WLAN, wire.LAN, wire.RTC_SET)
_BUS = (wire.I2C, wire.COUNTER, wire.PIN_READ, wire.UART_WRITE, wire.PIN_WRITE, wire.PIN_FLOAT)
_HEAD, _NOW = struct.Struct(wire.HEADER), struct.Struct(wire.HEADER + "Q")
_WAIT = struct.Struct(wire.WAIT_HEAD)


@dataclass(slots=True)
class Kept:
    """A read the board need not ask for: the bench foresees when, by its period, and what."""

    frame: tuple[int, int, bytes]  # op, n, payload of the asking
    foresee: Callable[[], bytes | None]
    touch: Callable[[], object] | None  # what asking does to the part, beside the answer
    value: bytes
    used_us: int
    due_us: int

    def used(self, now_us: int) -> None:
        self.due_us, self.used_us = 2 * now_us - self.used_us, now_us


class Lockstep:
    """One virtual ESP32's pipes.

    strict: every read the bench foresaw is done all the same and compared, for tests of
    parts that say what they would answer.
    """

    strict = False

    def __init__(self, read_fd: int, write_fd: int, board: link.Board, host: Host) -> None:
        self._read_fd, self._write_fd, self._board, self._host = read_fd, write_fd, board, host
        self._tail = b""
        self._arrived: list[bytes] = []
        self._kept: list[Kept] = []  # by n - 1
        self._now_us = 0
        self._ready = select.poll()
        self._ready.register(read_fd, select.POLLIN)
        self.asks = self.seen = self.waits = 0

    def arrive(self, op: int, n: int, payload: bytes) -> None:
        """Something for the program, seen by it when it next goes on."""
        for at in range(0, len(payload) or 1, wire.PAYLOAD_MAX):
            self._arrived.append(link.frame(op, n, payload[at : at + wire.PAYLOAD_MAX]))

    def push(self, uart: int, data: bytes) -> None:
        """Bytes arriving at a UART."""
        self.arrive(wire.UART_READ, uart, data)

    def begin(self) -> Wait | Gone:
        """From power-on to the first wait."""
        return self._serve()

    def go_on(self, now_us: int) -> Wait | Gone:
        """The wait is over; now_us since power-on.  Runs to the next one."""
        self._now_us = now_us
        arrived, self._arrived = self._arrived, []
        arrived.append(_NOW.pack(wire.NOW, 0, 8, now_us))
        for number, kept in enumerate(self._kept, 1):
            if kept.due_us <= now_us:
                kept.value = kept.foresee() or b""
                arrived.append(link.frame(wire.KEPT, number, kept.value))
        self._say(arrived)
        return self._serve()

    def close(self) -> None:
        if self._read_fd >= 0:
            os.close(self._read_fd)
            os.close(self._write_fd)
            self._read_fd = self._write_fd = -1

    def _serve(self) -> Wait | Gone:
        data, at = self._tail, 0
        while True:
            while len(data) - at >= wire.HEADER_SIZE:
                op, n, size = _HEAD.unpack_from(data, at)
                start, end = at + wire.HEADER_SIZE, at + wire.HEADER_SIZE + size
                if end > len(data):
                    break
                at = end
                if op == wire.SEEN:
                    self._replay(self._kept[n - 1])
                elif op == wire.WAIT:
                    self.waits += 1
                    self._tail = data[at:]
                    (us,) = _WAIT.unpack_from(data, start)
                    return Wait(None if us == wire.FOR_EVER else us, n)
                elif op == wire.RESET:
                    return Gone(True)
                elif not self._one(op, n, data[start:end]):
                    return Gone(False)
            more = self._read()
            if not more:
                return Gone(False)
            data, at = data[at:] + more, 0

    def _one(self, op: int, n: int, payload: bytes) -> bool:
        """One frame; False when it took the power away."""
        host = self._host
        if op == wire.FLASH:
            if not host.flash_step(n, payload.decode()):
                return False
            self._say([link.frame(wire.ANSWER, 0, b"")])
        elif op in _NET:
            host.net(op, n, payload)
        else:
            answer = link.carry(self._board, op, n, payload)
            if host.recording and op in _BUS:
                host.saw(op, n, payload, answer or b"")
            if answer is not None:
                self.asks += 1
                self._say([link.frame(wire.ANSWER, self._keep(op, n, payload, answer), answer)])
        return True

    def _replay(self, kept: Kept) -> None:
        """The board answered itself.  What it wrote is written; reading would change nothing."""
        self.seen += 1
        kept.used(self._now_us)
        if self.strict:
            answer = link.carry(self._board, *kept.frame)
            if answer != kept.value:
                raise BenchError(f"foreseen {kept.value!r}, but it is {answer!r}: {kept.frame}")
        elif kept.touch:
            kept.touch()
        if self._host.recording:
            self._host.saw(*kept.frame, kept.value)

    def _keep(self, op: int, n: int, payload: bytes, answer: bytes) -> int:
        """The number under which the board may keep this answer; 0: it must ask again."""
        frame = (op, n, payload)
        foresee = link.foreseeing(self._board, *frame)
        value = foresee() if foresee else None
        for number, kept in enumerate(self._kept, 1):
            if kept.frame == frame:
                kept.used(self._now_us)
                kept.value = answer
                return number if value else 0
        if foresee is None or not value or len(self._kept) == wire.KEPT_MAX:
            return 0
        touch = link.touching(self._board, *frame)
        self._kept.append(Kept(frame, foresee, touch, answer, self._now_us, self._now_us))
        return len(self._kept)

    def _read(self) -> bytes:
        if not self._ready.poll(HUNG_S * 1000):
            raise BenchError(f"a program that ran {HUNG_S} s without waiting")
        return os.read(self._read_fd, _READ_SIZE)

    def _say(self, frames: list[bytes]) -> None:
        data = b"".join(frames)
        data = len(data).to_bytes(4, "little") + data
        try:
            while data:
                data = data[os.write(self._write_fd, data) :]
        except BrokenPipeError:
            pass  # the next read says so
