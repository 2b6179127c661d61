"""The board's end of the pipe in virtual time; takes the place of pipe.py.

While the program runs the clock stands still.  It moves when the program waits: all
that was sent meanwhile goes to the bench in one write, and what came back in one read
holds the new time and what arrived.  wire.py has the frames.

An hour is some fifty thousand waits and half a million transactions, so what runs for
each of them is native code.
"""

import os
import struct

import micropython
import wire

_in = open("/dev/fd/" + (os.getenv("BENCH_IN") or "3"), "rb")  # noqa: SIM115
_out = open("/dev/fd/" + (os.getenv("BENCH_OUT") or "4"), "wb")  # noqa: SIM115
_queue = []  # frames not yet sent
_ears = {}  # (op, n) or op -> called with what came
_kept = {}  # what was asked -> n of the kept answer
_answers = {}  # n -> the answer in this instant, as far as the bench foresaw it
_seen = [b""]  # by n: the frame that says so
# these change nothing that could be read in the same instant
_HARMLESS = (wire.UART_WRITE, wire.WDT_FEED, wire.SOCKET_SEND, wire.SOCKET_CONNECT)
_HARMLESS += (wire.PWM, wire.PIXELS)
turns = []  # called at every drain, as in pipe.py
now_us = int(os.getenv("BENCH_TICKS_US") or 0)  # since power-on
now_ms = now_us // 1000
_answer = (0, b"")


def listen(uart: int, ear) -> None:
    _ears[wire.UART_READ, uart] = ear


def on(op: int, ear) -> None:
    """ear(n, payload) for every frame of this kind."""
    _ears[op] = ear


def send(op: int, n: int, payload: bytes = b"") -> None:
    """Drive a wire; nobody answers."""
    _queue.append(struct.pack(wire.HEADER, op, n, len(payload)) + payload)
    if op not in _HARMLESS:
        _answers.clear()


def ask(op: int, n: int, payload: bytes = b"") -> bytes:
    """One round trip, in no time."""
    send(op, n, payload)
    _exchange()
    return _answer[1]


@micropython.native
def ask_kept(op: int, n: int, payload: bytes = b"") -> bytes:
    """The same for what can be known beforehand."""
    number = _kept.get((op, n, payload), 0)
    answer = _answers.get(number)
    if answer:
        _queue.append(_seen[number])
        return answer
    return _ask_to_keep(op, n, payload)


def _ask_to_keep(op: int, n: int, payload: bytes) -> bytes:
    _queue.append(struct.pack(wire.HEADER, op, n, len(payload)) + payload)
    _exchange()
    number, answer = _answer
    if not number:  # who knows what that has changed
        _answers.clear()
        return answer
    _kept[op, n, payload] = number
    _answers[number] = answer
    if len(_seen) == number:
        _seen.append(struct.pack(wire.HEADER, wire.SEEN, number, 0))
    return answer


def drain() -> None:
    """What came in was passed on when the clock moved."""
    for turn in turns:
        turn()


def wait(us, by: int = 0) -> None:
    """Let so much time pass, for ever when None; by: arrivals that end it early."""
    _answers.clear()
    left_us = wire.FOR_EVER if us is None else us
    _queue.append(struct.pack(wire.WAIT_FRAME, wire.WAIT, by, 8, left_us))
    _exchange()


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


@micropython.native
def _take(frames: bytes) -> None:
    global now_us, now_ms
    at, end = 0, len(frames)
    while at < end:
        op, n = frames[at], frames[at + 1]
        start = at + 4
        at = start + (frames[at + 2] | frames[at + 3] << 8)
        if op == 66:  # wire.NOW
            now_us = struct.unpack_from("<Q", frames, start)[0]
            now_ms = now_us // 1000
        elif op == 67:  # wire.KEPT
            _answers[n] = frames[start:at]
        else:
            _arrived(op, n, frames[start:at])


def _arrived(op: int, n: int, payload: bytes) -> None:
    global _answer
    if op == wire.ANSWER:
        _answer = (n, payload)
    elif op == wire.UART_READ:
        if (op, n) in _ears:
            _ears[op, n](payload)
    elif op in _ears:
        _ears[op](n, payload)
