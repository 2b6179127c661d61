"""The seal on budgets and commands: HMAC-SHA256 over topic and body.

A sealed message is its JSON body with one last member, "mac".  The code is
taken over the bytes as sent, so nobody has to agree on how JSON is spelled;
the topic is part of it, so a command cannot be carried over to another rig.
"""

import binascii
import hashlib

_BLOCK = 64
_OPEN = b',"mac":"'
_TRAILER = len(_OPEN) + 64 + 2


class SealError(ValueError):
    """The message carries no seal, or not ours."""


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 over SHA-256; MicroPython has hashlib but no hmac."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + b"\0" * (_BLOCK - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


def rig_key(site_key: bytes, rig: str) -> bytes:
    """The key that seals one rig's commands, made from the site's."""
    return hmac_sha256(site_key, b"rig/" + rig.encode())


def budget_key(site_key: bytes) -> bytes:
    """The key that seals the broadcast; every rig of the site holds it."""
    return hmac_sha256(site_key, b"budget")


def seal(key: bytes, topic: str, body: bytes) -> bytes:
    """body, a JSON object in bytes, with its mac as the last member."""
    assert body[:1] == b"{" and body[-1:] == b"}" and len(body) > 2
    return body[:-1] + _OPEN + _code(key, topic, body) + b'"}'


def unseal(key: bytes, topic: str, message: bytes) -> bytes:
    """The body of a sealed message.  Raises SealError when it is not ours."""
    body = message[:-_TRAILER] + b"}"
    tail = message[-_TRAILER:]
    if len(message) <= _TRAILER or tail[: len(_OPEN)] != _OPEN or tail[-2:] != b'"}':
        raise SealError("no mac at the end")
    if not _same(tail[len(_OPEN) : -2], _code(key, topic, body)):
        raise SealError("wrong mac")
    return body


def _code(key: bytes, topic: str, body: bytes) -> bytes:
    return binascii.hexlify(hmac_sha256(key, topic.encode() + b"\n" + body))


def _same(one: bytes, other: bytes) -> bool:
    """Compared in constant time, so that nobody can guess byte by byte."""
    difference = len(one) ^ len(other)
    for a, b in zip(one, other):
        difference |= a ^ b
    return difference == 0
