"""The bench's end of the pipe to a virtual ESP32: frames in, answers out.

Knows the frames (hil/virtual/wire.py) and nothing about what hangs on the
wires; that is the Board it is given.  Runs on an event loop in a thread of its
own, so that a busy program around it does not hold up the firmware's buses.
"""

import asyncio
import os
import struct
import threading
from collections.abc import Callable
from typing import Protocol

from hil.virtual import wire

_READ_SIZE = 65536


class Board(Protocol):
    """What the firmware's machine module reaches on the other side."""

    def pin(self, pin: int, level: int | None) -> None:
        """Driven to a level, or let go (None)."""

    def pwm(self, pin: int, frequency_hz: int, duty_u16: int) -> None: ...
    def pixels(self, pin: int, data: bytes) -> None:
        """Green, red and blue of each pixel on the line."""

    def uart_setup(self, uart: int, baud: int, unsent: int) -> None: ...
    def uart_write(self, uart: int, data: bytes) -> None: ...
    def feed(self, period_ms: int) -> None: ...
    def reset(self) -> None: ...
    def level(self, pin: int) -> int: ...
    def edges(self, pin: int) -> int: ...
    def i2c(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes]:
        """One transfer, write then read; the status (wire.I2C_OK...) and what was read."""

    def i2c_kept(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes] | None:
        """What i2c() would answer now, changing nothing; None when it has to be asked."""

    def info(self) -> bytes: ...


def cut(data: bytes) -> tuple[list[tuple[int, int, bytes]], bytes]:
    """Whole frames as (op, n, payload), and the part of the next one."""
    frames, at = [], 0
    while len(data) - at >= wire.HEADER_SIZE:
        op, n, size = struct.unpack_from(wire.HEADER, data, at)
        end = at + wire.HEADER_SIZE + size
        if end > len(data):
            break
        frames.append((op, n, data[at + wire.HEADER_SIZE : end]))
        at = end
    return frames, data[at:]


def frame(op: int, n: int, payload: bytes) -> bytes:
    return struct.pack(wire.HEADER, op, n, len(payload)) + payload


def carry(board: Board, op: int, n: int, payload: bytes) -> bytes | None:
    """One frame to its place on the board; the answer's payload, None when nobody waits."""
    if op in wire.ASKS:
        return _answer(board, op, n, payload)
    if op == wire.UART_WRITE:
        board.uart_write(n, payload)
    elif op == wire.PIN_WRITE:
        board.pin(n, payload[0])
    elif op == wire.PIN_FLOAT:
        board.pin(n, None)
    elif op == wire.PWM:
        board.pwm(n, *struct.unpack("<IH", payload))
    elif op == wire.PIXELS:
        board.pixels(n, payload)
    elif op == wire.UART_SETUP:
        board.uart_setup(n, *struct.unpack("<II", payload))
    elif op == wire.WDT_FEED:
        board.feed(*struct.unpack("<I", payload))
    elif op == wire.RESET:
        board.reset()
    else:
        raise ValueError(f"a frame of an unknown kind: {op}")
    return None


def _answer(board: Board, op: int, n: int, payload: bytes) -> bytes:
    if op == wire.I2C:
        status, data = board.i2c(n, *transfer(payload))
        return bytes((status,)) + data
    if op == wire.COUNTER:
        return struct.pack("<I", board.edges(payload[0]) & 0xFFFF_FFFF)
    if op == wire.PIN_READ:
        return bytes((board.level(n),))
    return board.info()


def foreseeing(board: Board, op: int, n: int, payload: bytes) -> Callable[[], bytes | None] | None:
    """Says what carry() would answer now, changing nothing; None when it has to be asked."""
    if op == wire.I2C:
        address, out, size = transfer(payload)

        def read() -> bytes | None:
            answer = board.i2c_kept(n, address, out, size)
            return None if answer is None else bytes((answer[0],)) + answer[1]

        return read
    if op in (wire.COUNTER, wire.PIN_READ):
        return lambda: _answer(board, op, n, payload)
    return None


def touching(board: Board, op: int, n: int, payload: bytes) -> Callable[[], object] | None:
    """Does what a foreseen asking writes, such as a register's number; None where nothing is."""
    if op != wire.I2C:
        return None
    address, out, _ = transfer(payload)
    return lambda: board.i2c(n, address, out, 0)


def transfer(payload: bytes) -> tuple[int, bytes, int]:
    """(address, bytes to write, bytes to read)."""
    address, size = struct.unpack_from(wire.I2C_HEAD, payload)
    return address, payload[struct.calcsize(wire.I2C_HEAD) :], size


class Link:
    """One virtual ESP32's pipes, served on the loop; gone() once it has closed them."""

    def __init__(self, read_fd: int, write_fd: int, board: Board, gone: Callable[[], None]) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._board, self._gone = board, gone
        self._tail = b""
        self.frames = 0
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)  # a firmware that does not listen holds nobody up
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(read_fd, self._serve)

    def push(self, uart: int, data: bytes) -> None:
        """Bytes arriving at a UART; lost when the firmware has let 64 KB pile up."""
        for at in range(0, len(data), wire.PAYLOAD_MAX):
            self._send(frame(wire.UART_READ, uart, data[at : at + wire.PAYLOAD_MAX]))

    def close(self) -> None:
        if self._read_fd >= 0:
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            os.close(self._write_fd)
            self._read_fd = self._write_fd = -1

    def _serve(self) -> None:
        try:
            data = os.read(self._read_fd, _READ_SIZE)
        except BlockingIOError:
            return
        if not data:
            self.close()
            self._gone()
            return
        frames, self._tail = cut(self._tail + data)
        self.frames += len(frames)
        for op, n, payload in frames:
            answer = carry(self._board, op, n, payload)
            if self._read_fd < 0:
                return  # that frame was a reset
            if answer is not None:
                self._send(frame(wire.ANSWER, n, answer))

    def _send(self, data: bytes) -> None:
        try:
            os.write(self._write_fd, data)
        except (BlockingIOError, BrokenPipeError):
            pass


_shared: asyncio.AbstractEventLoop | None = None
_shared_lock = threading.Lock()


def shared_loop() -> asyncio.AbstractEventLoop:
    """The bench's event loop: one thread for all rigs of this process."""
    global _shared  # noqa: PLW0603
    with _shared_lock:
        if _shared is None:
            _shared = asyncio.new_event_loop()
            threading.Thread(target=_shared.run_forever, name="bench", daemon=True).start()
    return _shared
