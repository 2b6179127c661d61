"""The address of a name: one question and its answer, RFC 1035; IPv4 and nothing else."""

import struct

ANSWERS_MAX = 16  # looked at; a name of a site has few
_A, _IN = 1, 1
_ANSWER, _TRUNCATED, _CODE = 0x8000, 0x0200, 0x000F
_CODES = {1: "not understood", 2: "the server failed", 3: "no such name", 5: "refused"}


class DnsError(ValueError):
    """This is no answer to that question; the text says why."""


def question(number: int, name: str) -> bytes:
    """number: 16 bits nobody can foresee, which the answer must repeat.

    name: as in a settings file, checked there.
    """
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + _asked(name)


def addresses(number: int, name: str, data: bytes) -> list[str]:
    """The IPv4 addresses in an answer.  Raises DnsError."""
    asked = _asked(name)
    if len(data) < 12 + len(asked):
        raise DnsError("too short")
    heard, flags, questions, answers, _, _ = struct.unpack_from(">HHHHHH", data)
    echoed = data[12 : 12 + len(asked)].lower()
    if heard != number or not flags & _ANSWER or questions != 1 or echoed != asked.lower():
        raise DnsError("not an answer to this question")
    if flags & _CODE:
        raise DnsError(_CODES.get(flags & _CODE, f"code {flags & _CODE}"))
    found = _records(data, 12 + len(asked), min(answers, ANSWERS_MAX))
    if not found:
        raise DnsError("no IPv4 address" if not flags & _TRUNCATED else "cut off")
    return found


def _records(data: bytes, at: int, count: int) -> list[str]:
    found = []
    for _ in range(count):
        at = _behind_name(data, at)
        if at + 10 > len(data):
            raise DnsError("a record beyond its end")
        kind, group, _, size = struct.unpack_from(">HHIH", data, at)
        at += 10
        if at + size > len(data):
            raise DnsError("a record beyond its end")
        if (kind, group, size) == (_A, _IN, 4):
            found.append(".".join([str(byte) for byte in data[at : at + 4]]))
        at += size
    return found


def _behind_name(data: bytes, at: int) -> int:
    """Names are not read: only those that were asked for can be meant."""
    while at < len(data):
        size = data[at]
        if size >= 0xC0:
            return at + 2
        if size == 0:
            return at + 1
        if size > 63:
            break
        at += size + 1
    raise DnsError("a name beyond its end")


def _asked(name: str) -> bytes:
    labels = [label.encode() for label in name.split(".") if label]
    assert all(len(label) < 64 for label in labels)
    body = b"".join([bytes((len(label),)) + label for label in labels])
    return body + b"\0" + struct.pack(">HH", _A, _IN)
