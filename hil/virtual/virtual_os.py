"""The os module and open() in virtual time: chance from a seed, and a flash that can lose power.

What is written to a file is not there before it is flushed or closed, all at once, as
with littlefs; the bench is asked before every step, and may take the power away.
"""

import builtins
import hashlib
import io
import random

import esp32
import lockstep
import uos
import wire
from uos import *  # noqa: F403

_seed = (uos.getenv("BENCH_SEED") or "0").encode()
_drawn = 0
_open = builtins.open


def urandom(size: int) -> bytes:
    """Nobody but the bench can foresee it."""
    global _drawn
    data = b""
    while len(data) < size:
        _drawn += 1
        data += hashlib.sha256(_seed + b"/%d" % _drawn).digest()
    return data[:size]


def rename(old, new) -> None:
    _step(wire.FLASH_RENAME, new)
    uos.rename(old, new)


def remove(path) -> None:
    _step(wire.FLASH_REMOVE, path)
    uos.unlink(path)


unlink = remove


def sync() -> None:
    pass


class _File(io.IOBase):
    """A file open for writing: what was written waits in memory for flush() or close()."""

    def __init__(self, path: str, mode: str) -> None:
        if mode not in ("w", "wb", "a", "ab", "wt", "at"):
            raise NotImplementedError("the bench's flash has modes r, w and a")
        _step(wire.FLASH_OPEN, path)
        self._path, self._mode = path, mode[0] + "b"
        self._parts = []
        self._closed = False

    def write(self, data) -> int:
        _step(wire.FLASH_WRITE, self._path)
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        return len(data)

    def flush(self) -> None:
        _step(wire.FLASH_SYNC, self._path)
        with _open(self._path, self._mode) as file:
            file.write(b"".join(self._parts))
        self._parts, self._mode = [], "ab"

    def close(self) -> None:
        if not self._closed:
            self.flush()
            self._closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _virtual_open(path, mode="r", *args, **kwargs):
    if mode[:1] == "r" and "+" not in mode:
        return _open(path, mode, *args, **kwargs)
    return _File(path, mode)


def _step(step: int, path: str) -> None:
    lockstep.ask(wire.FLASH, step, path.encode())


def install() -> None:
    random.seed(int.from_bytes(hashlib.sha256(_seed).digest()[:4], "big"))
    builtins.open = _virtual_open
    esp32.open = _open  # a partition of its own, where a commit is whole or not at all
