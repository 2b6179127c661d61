"""The site's name server and its clock, in virtual time: what a rig asks in single datagrams."""

import struct
from collections.abc import Callable

from hil.net import Net

NAMES, CLOCK = ("10.0.0.53", 53), ("10.0.0.54", 123)
CLOCK_NAME = "clock.bench.site"
UNIX_1900_S = 2_208_988_800
NO_SUCH_NAME = 3


class NameServer:
    """names: address by name; silent: it hears and says nothing."""

    def __init__(self, net: Net, names: dict[str, str]) -> None:
        self.names, self.silent = names, False
        self.asked: list[str] = []
        net.answer(*NAMES, self._answer)

    def _answer(self, data: bytes) -> bytes | None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        question, name = data[12 : at + 5], ".".join(labels)
        self.asked.append(name)
        if self.silent:
            return None
        address = self.names.get(name)
        code, answers = (0, 1) if address else (NO_SUCH_NAME, 0)
        head = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, answers, 0, 0) + question
        if not address:
            return head
        record = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4)
        return head + record + bytes(int(part) for part in address.split("."))


class TimeServer:
    """unix_s: the time it tells; silent: it tells nobody."""

    def __init__(self, net: Net, unix_s: Callable[[], float]) -> None:
        self.unix_s, self.silent = unix_s, False
        net.answer(*CLOCK, self._answer)

    def _answer(self, data: bytes) -> bytes | None:
        if self.silent:
            return None
        now = round((self.unix_s() + UNIX_1900_S) * (1 << 32)) & (1 << 64) - 1
        head = bytes((0x24, 2)) + bytes(22) + data[40:48]
        return head + bytes(8) + now.to_bytes(8, "big")
