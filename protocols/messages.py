"""The messages of the contract: fields, ranges, units, version.

One table per message; the supervisor's typed decoder, the firmware and the
page in README.md are all made from it or compared with it.  Integers only, the
unit ends the name: _w watts, _ghs GH/s, _ms milliseconds, _dc tenths of a degree
Celsius, _pm thousandths, _rpm revolutions per minute.  Unknown members are
ignored, so that a newer sender can be heard by an older rig.  In words: meanings.py.
"""

import json
from collections import namedtuple

VERSION = 1
SIZE_MAX = 4096  # bytes of one message, either way

INT, TEXT, LIST = "int", "text", "list"
# kind INT: low..high is its range.  TEXT and LIST: low..high is its length.
Field = namedtuple("Field", ("kind", "low", "high"))

_W = 10_000_000_000
_U32 = 0xFFFF_FFFF
_MS = 1 << 53

_COUNT = Field(INT, 0, _U32)
_VERSION = Field(INT, 1, 255)
_TERM = _SEQ = _EPOCH = _COUNT
_NONCE = Field(TEXT, 16, 16)

BUDGET = {
    "v": _VERSION,
    "term": _TERM,
    "seq": _SEQ,
    "epoch": _EPOCH,
    "admit_w": Field(INT, 0, _W),
    "budget_w": Field(INT, 0, _W),
    "ttl_ms": Field(INT, 100, 600_000),
    "sent_ms": Field(INT, 0, _MS),
}
CMD = {
    "v": _VERSION,
    "nonce": _NONCE,
    "id": Field(INT, 1, _U32),
    "term": _TERM,
    "seq": _COUNT,
    "epoch": _EPOCH,
    "ladder": Field(LIST, 0, 32),
    "event": _COUNT,
}
HELLO = {
    "v": _VERSION,
    "nonce": _NONCE,
    "model": Field(TEXT, 1, 48),
    "firmware": Field(TEXT, 1, 32),
    "boards": Field(INT, 0, 16),
    "chips": Field(INT, 0, 4096),
    "floor_w": Field(INT, 0, 1000),
    "points": Field(LIST, 1, 32),
    "wake_ms": Field(INT, 0, 600_000),
    "up_w_per_s": Field(INT, 1, 100_000),
}
STATE = {
    "v": _VERSION,
    "up_ms": Field(INT, 0, _MS),
    "state": Field(TEXT, 1, 12),
    "level": Field(INT, 0, 32),
    "power_w": Field(INT, 0, 100_000),
    "hash_ghs": _COUNT,
    "hot_dc": Field(INT, -1000, 3000),
    "inlet_dc": Field(INT, -1000, 3000),
    "fan_rpm": Field(INT, 0, 65_535),
    "fan_pm": Field(INT, 0, 1000),
    "cap_level": Field(INT, 0, 32),
    "term": _TERM,
    "seq": _COUNT,
    "epoch": _COUNT,
    "lease_ms": Field(INT, 0, 600_000),
    "id": _COUNT,
    "event": _COUNT,
    "why": Field(TEXT, 0, 120),
}
EVENT = {
    "v": _VERSION,
    "event": Field(INT, 1, _U32),
    "up_ms": Field(INT, 0, _MS),
    "code": Field(TEXT, 1, 32),
    "text": Field(TEXT, 0, 200),
}
# members that may be missing
OPTIONAL = {"cmd": {"do": Field(LIST, 0, 8)}}
BOX = {
    "v": _VERSION,
    "box": _COUNT,
    "part": Field(INT, 0, 64),
    "data": Field(TEXT, 0, 1200),
}
TABLES = {"budget": BUDGET, "cmd": CMD, "hello": HELLO, "state": STATE, "event": EVENT, "box": BOX}
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
    for name, field in OPTIONAL.get(kind, {}).items():
        if name in values:
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
