"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

import json

from protocols import messages
from protocols.messages import INT, LIST, TABLES, MessageError

GOOD = {
    "budget": {
        "v": 1,
        "term": 3,
        "seq": 70_000,
        "epoch": 12,
        "admit_w": 99_876_543,
        "budget_w": 99_000_000,
        "ttl_ms": 10_000,
        "sent_ms": 1_767_225_600_123,
    },
    "cmd": {
        "v": 1,
        "nonce": "0123456789abcdef",
        "id": 1,
        "term": 3,
        "seq": 70_000,
        "epoch": 12,
        "ladder": [[1, 900, 1000], [2, 2000, 2400]],
        "event": 5,
    },
    "hello": {
        "v": 1,
        "nonce": "0123456789abcdef",
        "model": "S21 Pro",
        "firmware": "0.1.0",
        "boards": 3,
        "chips": 195,
        "floor_w": 25,
        "points": [[900, 79_560], [3510, 234_702]],
        "wake_ms": 12_000,
        "up_w_per_s": 1040,
    },
    "state": {
        "v": 1,
        "up_ms": 86_400_000,
        "state": "running",
        "level": 2,
        "power_w": 3510,
        "hash_ghs": 234_702,
        "hot_dc": 653,
        "inlet_dc": -15,
        "fan_rpm": 5940,
        "fan_pm": 920,
        "cap_level": 2,
        "term": 3,
        "seq": 70_000,
        "epoch": 12,
        "lease_ms": 9_876,
        "id": 1,
        "event": 5,
        "why": "inlet 35 °C",
    },
    "box": {"v": 1, "box": 3, "part": 5, "data": "U0Ix"},
    "event": {"v": 1, "event": 5, "up_ms": 86_400_000, "code": "fan", "text": "fan 2 stopped"},
}


def refusal(kind, values):
    """Why it is refused as a message from outside; "" when it is not."""
    try:
        messages.decode(kind, json.dumps(values).encode())
    except MessageError as error:
        return str(error)
    return ""


def sample(kind, size):
    """A value of this kind whose number or length is size; None when there is none."""
    if kind == INT:
        return size
    if size < 0:
        return None
    return [0] * size if kind == LIST else "x" * size


def test_every_message_comes_back():
    assert sorted(GOOD) == sorted(TABLES)
    for kind, values in GOOD.items():
        assert messages.decode(kind, messages.encode(kind, values)) == values


def test_messages_are_small():
    for kind, values in GOOD.items():
        assert len(messages.encode(kind, values)) < 512
        assert b" :" not in messages.encode(kind, values)


def test_the_version_is_put_in_by_whoever_sends():
    values = dict(GOOD["event"])
    del values["v"]
    assert messages.decode("event", messages.encode("event", values))["v"] == messages.VERSION
    assert "v" not in values


def test_a_newer_sender_is_heard():
    for kind, values in GOOD.items():
        assert messages.check(kind, values | {"new": 1, "mac": "00"}) == values


def test_another_version_is_refused_and_named():
    for kind, values in GOOD.items():
        assert f"{kind}.v: 2" in refusal(kind, values | {"v": 2})


def test_every_missing_member_is_named():
    for kind, values in GOOD.items():
        for name in TABLES[kind]:
            rest = {other: value for other, value in values.items() if other != name}
            assert refusal(kind, rest) == f"{kind}.{name}: missing"


def test_every_member_of_a_wrong_type_is_named():
    for kind, values in GOOD.items():
        for name, field in TABLES[kind].items():
            for wrong in (None, True, 1.5, {}, [], "x", 1):
                if type(wrong) is {"int": int, "text": str, "list": list}[field.kind]:
                    continue
                assert f"{kind}.{name}: not a" in refusal(kind, values | {name: wrong}), (
                    name,
                    wrong,
                )


def test_every_member_at_its_bounds():
    for kind, values in GOOD.items():
        for name, field in TABLES[kind].items():
            if name == "v":
                continue
            for size, good in (
                (field.low - 1, False),
                (field.low, True),
                (field.high, True),
                (field.high + 1, False),
            ):
                value = sample(field.kind, size)
                if value is None or (size > 3000 and field.kind != INT):
                    continue
                text = refusal(kind, values | {name: value})
                assert good == (text == "") and (good or f"{kind}.{name}: " in text), text


def test_what_is_no_message_is_refused():
    for body in (
        b"",
        b"{",
        b"}",
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b"{}x",
        b"\xff\xfe",
        b'{"v":',
        b"[" * 4000,
        b'{"a":' * 800,
        b" " * 4097,
        b'{"v":"\xff"}',
    ):
        for kind in TABLES:
            try:
                messages.decode(kind, body)
            except MessageError as error:
                assert str(error).startswith(kind)
            else:
                raise AssertionError(body[:20])


def test_a_message_too_long_is_neither_sent_nor_heard():
    good = GOOD["event"]
    body = messages.encode("event", good)
    assert messages.decode("event", body + b" " * (messages.SIZE_MAX - len(body))) == good
    try:
        messages.decode("event", body + b" " * (messages.SIZE_MAX + 1 - len(body)))
    except MessageError as error:
        assert "4097 bytes" in str(error)
    else:
        raise AssertionError("heard")
    try:
        messages.encode("hello", GOOD["hello"] | {"points": [[10**130, 1]] * 32})
    except MessageError as error:
        assert "bytes" in str(error)
    else:
        raise AssertionError("sent")


def test_our_own_mistakes_are_refused_too():
    try:
        messages.encode("event", GOOD["event"] | {"event": 0})
    except MessageError as error:
        assert str(error) == "event.event: 0, from 1 to 4294967295"
    else:
        raise AssertionError("sent")
