"""The messages of the contract: fields, ranges, units, version.

One table per message; the supervisor's typed decoder, the firmware and the
page in README.md are all made from it or compared with it.  Integers only, the
unit ends the name: _w watts, _ghs GH/s, _ms milliseconds, _dc tenths of a degree
Celsius, _pm thousandths, _rpm revolutions per minute.  Unknown members are
ignored, so that a newer sender can be heard by an older rig.
"""

import json
from collections import namedtuple

VERSION = 1
SIZE_MAX = 4096  # bytes of one message, either way

INT, TEXT, LIST = "int", "text", "list"
# kind INT: low..high is its range.  TEXT and LIST: low..high is its length.
Field = namedtuple("Field", ("kind", "low", "high", "what"))

_W = 10_000_000_000
_U32 = 0xFFFF_FFFF
_MS = 1 << 53

_VERSION = Field(INT, 1, 255, "version of this contract")
_TERM = Field(INT, 0, _U32, "leadership generation of the supervisor")
_SEQ = Field(INT, 0, _U32, "budget counter within the term")
_EPOCH = Field(INT, 0, _U32, "generation of the ladders")
_NONCE = Field(TEXT, 16, 16, "hex; fresh for every joining")

BUDGET = {
    "v": _VERSION,
    "term": _TERM,
    "seq": _SEQ,
    "epoch": _EPOCH,
    "admit_w": Field(INT, 0, _W, "position on the merit order"),
    "budget_w": Field(INT, 0, _W, "watts all rigs together may draw above asleep"),
    "ttl_ms": Field(INT, 100, 600_000, "how long this holds unless renewed: the lease"),
    "sent_ms": Field(INT, 0, _MS, "the supervisor's clock, Unix time"),
}
CMD = {
    "v": _VERSION,
    "nonce": _NONCE,
    "id": Field(INT, 1, _U32, "command counter of this joining; an older one is refused"),
    "term": _TERM,
    "seq": Field(INT, 0, _U32, "budgets up to this one are not for this rig"),
    "epoch": _EPOCH,
    "ladder": Field(LIST, 0, 32, "[[level, start_w, end_w], ...] for this epoch"),
    "event": Field(INT, 0, _U32, "events up to this number are on record: forget them"),
}
HELLO = {
    "v": _VERSION,
    "nonce": _NONCE,
    "model": Field(TEXT, 1, 48, "what the rig is, as its maker calls it"),
    "firmware": Field(TEXT, 1, 32, "version running"),
    "boards": Field(INT, 0, 16, "hash boards fitted"),
    "chips": Field(INT, 0, 4096, "chips found on all boards"),
    "floor_w": Field(INT, 0, 1000, "drawn while asleep"),
    "points": Field(LIST, 1, 32, "[[watts, ghs], ...] by level from 1, watts rising"),
    "wake_ms": Field(INT, 0, 600_000, "from being admitted to the first watt of level 1"),
    "up_w_per_s": Field(INT, 1, 100_000, "how fast it climbs once awake"),
}
STATE = {
    "v": _VERSION,
    "up_ms": Field(INT, 0, _MS, "since the controller started"),
    "state": Field(TEXT, 1, 12, "joining, asleep, waking, running, fault"),
    "level": Field(INT, 0, 32, "operating point held or passed"),
    "power_w": Field(INT, 0, 100_000, "drawn by the whole rig, as it measures"),
    "hash_ghs": Field(INT, 0, _U32, "hash rate"),
    "hot_dc": Field(INT, -1000, 3000, "hottest part"),
    "inlet_dc": Field(INT, -1000, 3000, "air coming in"),
    "fan_rpm": Field(INT, 0, 65_535, "slowest fan"),
    "fan_pm": Field(INT, 0, 1000, "fan duty"),
    "cap_level": Field(INT, 0, 32, "highest level this rig can hold now"),
    "term": _TERM,
    "seq": Field(INT, 0, _U32, "last budget obeyed"),
    "epoch": Field(INT, 0, _U32, "newest ladder held"),
    "lease_ms": Field(INT, 0, 600_000, "left of the lease"),
    "id": Field(INT, 0, _U32, "last command obeyed: its echo"),
    "event": Field(INT, 0, _U32, "number of the newest event"),
    "why": Field(TEXT, 0, 120, "what limits it, in words for a person"),
}
EVENT = {
    "v": _VERSION,
    "event": Field(INT, 1, _U32, "number, rising; by one but over a start"),
    "up_ms": Field(INT, 0, _MS, "when, on the rig's own clock"),
    "code": Field(TEXT, 1, 32, "fault or action, one word"),
    "text": Field(TEXT, 0, 200, "the same for a person"),
}
TABLES = {"budget": BUDGET, "cmd": CMD, "hello": HELLO, "state": STATE, "event": EVENT}
STATES = ("joining", "asleep", "waking", "running", "fault")
UP, DOWN = b"up", b"down"  # the whole payload of a rig's `link` topic


class MessageError(ValueError):
    """These bytes are not such a message; the text names the member."""


def encode(kind: str, values: dict[str, object]) -> bytes:
    """values as the JSON body of a message of this kind; checked like a foreign one."""
    values = dict(values)
    values["v"] = VERSION
    body = json.dumps(check(kind, values), separators=(",", ":")).encode()
    if len(body) > SIZE_MAX:
        raise MessageError(f"{kind}: {len(body)} bytes, the most is {SIZE_MAX}")
    return body


def decode(kind: str, body: bytes) -> dict[str, object]:
    """The known members of a message.  Raises MessageError and nothing else."""
    if len(body) > SIZE_MAX:
        raise MessageError(f"{kind}: {len(body)} bytes, the most is {SIZE_MAX}")
    try:
        values = json.loads(body)
    except (ValueError, RuntimeError, MemoryError):
        raise MessageError(f"{kind}: not JSON") from None
    return check(kind, values)


def check(kind: str, values: object) -> dict[str, object]:
    """values reduced to the members of the table, each in its range."""
    if not isinstance(values, dict):
        raise MessageError(f"{kind}: not an object")
    checked = {}
    for name, field in TABLES[kind].items():
        if name not in values:
            raise MessageError(f"{kind}.{name}: missing")
        checked[name] = _checked(kind, name, field, values[name])
    if checked["v"] != VERSION:
        raise MessageError(f"{kind}.v: {checked['v']}, this side speaks {VERSION}")
    return checked


def _checked(kind: str, name: str, field: Field, value: object) -> object:
    if field.kind == INT:
        if type(value) is not int:
            raise MessageError(f"{kind}.{name}: not an integer")
        size = value
    else:
        if not isinstance(value, str if field.kind == TEXT else list):
            raise MessageError(f"{kind}.{name}: not a {field.kind}")
        size = len(value)
    if not field.low <= size <= field.high:
        raise MessageError(f"{kind}.{name}: {size}, from {field.low} to {field.high}")
    return value
