"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

import hashlib

from protocols import mac, messages, topics
from protocols.mac import SealError

# RFC 4231, but for test case 5, which cuts the code short: key, data, code
RFC_4231 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data."
        b" The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)
SITE = b"a key of the site, thirty-two by"
BODY = b'{"v":1,"id":7}'
TOPIC = topics.rig("north", "r1", "cmd")
KEY = mac.rig_key(SITE, "r1")


def refused(key, topic, message):
    try:
        mac.unseal(key, topic, message)
    except SealError:
        return True
    return False


def test_hmac_as_published():
    for key, data, code in RFC_4231:
        assert mac.hmac_sha256(key, data).hex() == code


def test_a_key_of_a_whole_block_is_not_hashed():
    inner = hashlib.sha256(b"\x36" * 64 + b"m").digest()
    assert mac.hmac_sha256(b"\0" * 64, b"m") == hashlib.sha256(b"\x5c" * 64 + inner).digest()
    assert mac.hmac_sha256(b"\0" * 65, b"m") != mac.hmac_sha256(b"\0" * 64, b"m")
    assert mac.hmac_sha256(b"", b"m") == mac.hmac_sha256(b"\0" * 64, b"m")


def test_a_seal_holds():
    sealed = mac.seal(KEY, TOPIC, BODY)
    assert sealed[:21] == BODY[:-1] + b',"mac":"' and sealed[-2:] == b'"}'
    assert mac.unseal(KEY, TOPIC, sealed) == BODY


def test_a_sealed_message_is_still_the_message():
    body = messages.encode("budget", dict.fromkeys(messages.BUDGET, 1000) | {"v": 1})
    sealed = mac.seal(mac.budget_key(SITE), topics.budget("north"), body)
    assert messages.decode("budget", sealed) == messages.decode("budget", body)


def test_any_single_flipped_bit_is_refused():
    sealed = mac.seal(KEY, TOPIC, BODY)
    for bit in range(8 * len(sealed)):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        assert refused(KEY, TOPIC, bytes(broken)), bit


def test_any_cut_is_refused():
    sealed = mac.seal(KEY, TOPIC, BODY)
    for cut in range(len(sealed)):
        assert refused(KEY, TOPIC, sealed[:cut]), cut
        assert refused(KEY, TOPIC, sealed[cut + 1 :]), cut
    assert refused(KEY, TOPIC, sealed + b" ")


def test_a_command_cannot_be_carried_to_another_rig():
    sealed = mac.seal(KEY, TOPIC, BODY)
    assert refused(KEY, topics.rig("north", "r2", "cmd"), sealed)
    assert refused(mac.rig_key(SITE, "r2"), TOPIC, sealed)
    assert refused(mac.budget_key(SITE), TOPIC, sealed)
    assert refused(SITE, TOPIC, sealed)


def test_topic_and_body_cannot_be_traded():
    sealed = mac.seal(KEY, "a", b'{"b":1}')
    assert refused(KEY, 'a\n{"b', sealed)


def test_a_seal_needs_something_to_seal():
    code = mac.hmac_sha256(KEY, TOPIC.encode() + b"\n}").hex().encode()
    assert refused(KEY, TOPIC, b',"mac":"' + code + b'"}')


def test_every_key_is_its_own():
    keys = [SITE, mac.budget_key(SITE), mac.rig_key(SITE, "r1"), mac.rig_key(SITE, "r2")]
    assert len(set(keys)) == 4
    assert mac.rig_key(SITE, "r1") == mac.hmac_sha256(SITE, b"rig/r1")
    assert mac.budget_key(SITE) == mac.hmac_sha256(SITE, b"budget")


def test_only_an_object_with_members_can_be_sealed():
    for body in (b"{}", b"[1]", b"", b'{"a":1'):
        try:
            mac.seal(KEY, TOPIC, body)
        except AssertionError:
            continue
        raise ValueError(body)
