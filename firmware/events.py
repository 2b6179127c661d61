"""Events, numbered, and kept until the supervisor has them on record: over reset and loss of power.

    add() --> kept --in batches, a few an hour--> flash, two files by turns
               '--> sent in order, and again, until record()

A file is lines with a checksum: events, and [numbers in use, on record up to].  Numbers are
put on the flash before they are used, so that none is ever given twice; a start leaves some out.
"""

import binascii
import json

from protocols import messages

KEPT_MAX = 32
TEXT_MAX = messages.EVENT["text"].high
RESERVE = 64  # numbers taken at once
FILE_MAX = 8_192  # then the other file is begun, with what is still kept
BATCH_MS = 1_000
# of the flash, which wears: so many writes at once, and one more in so long; a block of a
# 2 MB file system is then written every day or two, and stands 100,000
WRITES, WRITE_MS = 6, 360_000
PATHS = ("events.1", "events.2")


class Events:
    """paths: of the two files."""

    def __init__(self, paths: tuple = PATHS) -> None:
        self._paths = paths
        self.dropped = 0  # forgotten before they were on record
        self.unwritten = 0  # times the flash would not take them
        self._on_record = 0
        self._kept: list[tuple[int, bytes]] = []  # (number, message body)
        self._place = 0  # of the newer file
        self.newest = 0
        self._load()
        self._reserved = self._written = self.newest
        self._size = FILE_MAX  # of the newer file: the other one is next
        self._news = False  # something is on record that the flash does not know of
        self._wait_ms, self._credit_ms = 0, WRITES * WRITE_MS

    def add(self, code: str, text: str, up_ms: int) -> None:
        """Something happened; up_ms: when, by the rig's own clock."""
        self.newest += 1
        values = {"event": self.newest, "up_ms": up_ms, "code": code, "text": text[:TEXT_MAX]}
        self._kept.append((self.newest, messages.encode("event", values)))
        if len(self._kept) > KEPT_MAX:
            self._kept.pop(0)
            self.dropped += 1
        if self.newest > self._reserved:
            self._write()

    def after(self, number: int) -> tuple[int, bytes] | None:
        """(number, body) of the next to be told; None when there is none."""
        for kept in self._kept:
            if kept[0] > number:
                return kept
        return None

    def record(self, number: int) -> None:
        """Events up to this number are on record: forget them."""
        if self._kept and number >= self._kept[0][0]:
            self._kept = [kept for kept in self._kept if kept[0] > number]
            self._on_record, self._news = number, True

    def turn(self, elapsed_ms: int) -> None:
        """Time has passed: write what waits, if the flash may be written again."""
        self._credit_ms = min(WRITES * WRITE_MS, self._credit_ms + elapsed_ms)
        if self.newest == self._written and not self._news:
            self._wait_ms = 0
            return
        self._wait_ms += elapsed_ms
        # that something is on record only spares its repetition after a reset: no hurry
        least_ms = WRITE_MS if self.newest > self._written else WRITES * WRITE_MS // 2
        if self._wait_ms >= BATCH_MS and self._credit_ms >= least_ms:
            self._write()

    def _write(self) -> None:
        self._wait_ms = 0
        self._credit_ms = max(0, self._credit_ms - WRITE_MS)
        fresh = self._size >= FILE_MAX
        reserved = self._reserved  # a file begun later has a higher one
        if fresh or self.newest > reserved:
            reserved += RESERVE
        place = 1 - self._place if fresh else self._place
        lines = [_line(json.dumps([reserved, self._on_record]).encode())]
        lines += [_line(body) for number, body in self._kept if fresh or number > self._written]
        data = b"".join(lines)
        try:
            with open(self._paths[place], "wb" if fresh else "ab") as file:
                file.write(data)
        except OSError:
            self.unwritten += 1
            return
        self._size = len(data) if fresh else self._size + len(data)
        self._place, self._reserved, self._written, self._news = place, reserved, self.newest, False

    def _load(self) -> None:
        """What the files hold; numbers go on behind the last one that may have been used."""
        found: dict[int, bytes] = {}
        newest = [0, 0]
        for place, path in enumerate(self._paths):
            for body in _lines(path):
                mark = _mark(body)
                if mark:
                    newest[place] = max(newest[place], mark[0])
                    self._on_record = max(self._on_record, mark[1])
                else:
                    found[_number(body)] = body
        found.pop(0, None)
        self._place = 0 if newest[0] > newest[1] else 1
        self.newest = max(newest + list(found) + [self._on_record])
        kept = [number for number in sorted(found) if number > self._on_record]
        self._kept = [(number, found[number]) for number in kept[-KEPT_MAX:]]


def _line(body: bytes) -> bytes:
    return b"%08x" % binascii.crc32(body) + body + b"\n"


def _lines(path: str):
    """What the whole lines of a file hold; a torn one, and what was never ours, is left out."""
    try:
        with open(path, "rb") as file:
            for line in file:
                body = line[8:-1]
                if line[:8] == b"%08x" % binascii.crc32(body) and line[-1:] == b"\n":
                    yield body
    except OSError:
        pass  # it was never written


def _mark(body: bytes) -> tuple[int, int] | None:
    """[numbers in use, on record up to]; None for anything else."""
    try:
        reserved, on_record = json.loads(body)
    except (ValueError, TypeError):
        return None
    if type(reserved) is int and type(on_record) is int:
        return reserved, on_record
    return None


def _number(body: bytes) -> int:
    """Of an event; 0 of what is none."""
    try:
        number = messages.decode("event", body)["event"]
    except messages.MessageError:
        return 0
    assert isinstance(number, int)
    return number
