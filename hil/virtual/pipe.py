"""The board's end of the pipe to the bench; wire.py has the frames."""

import os
import select
import struct

import wire

_in = open("/dev/fd/" + (os.getenv("BENCH_IN") or "3"), "rb")  # noqa: SIM115
_out = open("/dev/fd/" + (os.getenv("BENCH_OUT") or "4"), "wb")  # noqa: SIM115
_poll = select.poll()
_poll.register(_in, select.POLLIN)
_ears = {}  # uart -> called with the bytes that came in
turns = []  # called at every drain


def listen(uart: int, ear) -> None:
    _ears[uart] = ear


def send(op: int, n: int, payload: bytes = b"") -> None:
    """Drive a wire; nobody answers."""
    try:
        _out.write(struct.pack(wire.HEADER, op, n, len(payload)) + payload)
    except OSError:
        raise SystemExit("the bench is gone") from None


def ask(op: int, n: int, payload: bytes = b"") -> bytes:
    """One round trip; UART bytes that come in between are passed on."""
    send(op, n, payload)
    while True:
        got, m, data = _frame()
        if got == wire.ANSWER:
            return data
        _pass_on(m, data)


ask_kept = ask  # in virtual time, what was asked once need not be asked again


def drain() -> None:
    """Pass on what has come in, without waiting."""
    while _poll.poll(0):
        _, m, data = _frame()
        _pass_on(m, data)
    for turn in turns:
        turn()


def _frame() -> tuple:
    head = _in.read(wire.HEADER_SIZE)
    if not head or len(head) < wire.HEADER_SIZE:
        raise SystemExit("the bench is gone")
    op, n, size = struct.unpack(wire.HEADER, head)
    return op, n, _in.read(size) if size else b""


def _pass_on(uart: int, data: bytes) -> None:
    if uart in _ears:
        _ears[uart](data)
