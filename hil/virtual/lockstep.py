"""The board's end of the pipe in virtual time; takes the place of pipe.py.

While the program runs the clock stands still.  It moves when the program waits: all
that was sent meanwhile goes to the bench in one write, and what came back in one read
holds the new time and what arrived.  wire.py has the frames.
"""

import os
import struct

import wire

_in = open("/dev/fd/" + (os.getenv("BENCH_IN") or "3"), "rb")  # noqa: SIM115
_out = open("/dev/fd/" + (os.getenv("BENCH_OUT") or "4"), "wb")  # noqa: SIM115
_queue = []  # frames not yet sent
_ears = {}  # (op, n) or op -> called with what came
_kept = {}  # what was asked -> n of the kept answer
_answers = {}  # n -> that answer
# these change nothing that could be read in the same instant
_HARMLESS = (wire.UART_WRITE, wire.WDT_FEED, wire.SOCKET_SEND, wire.SOCKET_CONNECT, wire.SEEN)
turns = []  # called at every drain, as in pipe.py
now_us = 0  # since power-on
_now_ms = 0
_fresh = False  # the kept answers are those of this instant
_answer = None


def listen(uart: int, ear) -> None:
    _ears[wire.UART_READ, uart] = ear


def on(op: int, ear) -> None:
    """ear(n, payload) for every frame of this kind."""
    _ears[op] = ear


def send(op: int, n: int, payload: bytes = b"") -> None:
    """Drive a wire; nobody answers."""
    global _fresh
    _queue.append(struct.pack(wire.HEADER, op, n, len(payload)) + payload)
    if op not in _HARMLESS:
        _fresh = False


def ask(op: int, n: int, payload: bytes = b"") -> bytes:
    """One round trip, in no time."""
    send(op, n, payload)
    _exchange()
    return _answer[1]


def ask_kept(op: int, n: int, payload: bytes = b"") -> bytes:
    """The same for what can be known beforehand."""
    key = (op, n, payload)
    kept = _kept.get(key)
    if _fresh and kept and _answers[kept]:
        _queue.append(struct.pack(wire.HEADER, wire.SEEN, kept, 0))
        return _answers[kept]
    fresh = _fresh
    data = ask(op, n, payload)
    if _answer[0]:
        _keep(key, _answer[0], data, fresh)
    return data


def _keep(key: tuple, number: int, data: bytes, fresh: bool) -> None:
    """A read that could be foreseen has changed nothing."""
    global _fresh
    _kept[key], _answers[number] = number, data
    _fresh = fresh


def drain() -> None:
    """What came in was passed on when the clock moved."""
    for turn in turns:
        turn()


def wait(us, by: int = 0) -> None:
    """Let so much time pass, for ever when None; by: arrivals that end it early."""
    global _fresh
    left_us = wire.FOR_EVER if us is None else us
    send(wire.WAIT, by, struct.pack(wire.WAIT_HEAD, left_us))
    _exchange()
    _fresh = True


def now_ms() -> int:
    return _now_ms


def _exchange() -> None:
    try:
        _out.write(b"".join(_queue))
    except OSError:
        raise SystemExit("the bench is gone") from None
    _queue.clear()
    head = _in.read(4)
    if not head or len(head) < 4:
        raise SystemExit("the bench is gone")
    _take(_in.read(struct.unpack("<I", head)[0]))


def _take(frames: bytes) -> None:
    global now_us, _now_ms, _answer
    at = 0
    while at < len(frames):
        op, n, size = struct.unpack_from(wire.HEADER, frames, at)
        at += wire.HEADER_SIZE
        payload = frames[at : at + size]
        at += size
        if op == wire.NOW:
            now_us = struct.unpack("<Q", payload)[0]
            _now_ms = now_us // 1000
        elif op == wire.KEPT:
            _answers[n] = payload
        elif op == wire.ANSWER:
            _answer = (n, payload)
        elif op == wire.UART_READ:
            if (op, n) in _ears:
                _ears[op, n](payload)
        elif op in _ears:
            _ears[op](n, payload)
