"""A report with its signature: Ed25519 over the report's own bytes.

The key of the site is made once and stays in its state directory; the public half is
what an operator is given when the contract is signed, and checks every report with.
"""

from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from supervisor import keys
from supervisor.settlement.report import Report


class SealError(ValueError):
    """Not a report as this site signed it; the text says why."""


class Signature(msgspec.Struct, frozen=True):
    """Both in hex.  The key is the public half."""

    key: str
    value: str


class Sealed(msgspec.Struct, frozen=True):
    report: Report
    ed25519: Signature


def signing_key(state_dir: Path) -> Ed25519PrivateKey:
    """Made at the first report; raises keys.SecretError when others may read it."""
    return Ed25519PrivateKey.from_private_bytes(keys.report_key(state_dir))


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def seal(report: Report, key: Ed25519PrivateKey) -> Sealed:
    value = key.sign(signed_bytes(report)).hex()
    return Sealed(report, Signature(public_hex(key), value))


def signed_bytes(report: Report) -> bytes:
    """What is signed: the report as JSON with no spaces, its keys in the order of the form."""
    return msgspec.json.encode(report)


def encoded(sealed: Sealed) -> bytes:
    return msgspec.json.encode(sealed) + b"\n"


def opened(data: bytes, key_hex: str | None = None) -> Sealed:
    """What is in a sealed file, its signature checked.  Raises SealError.

    key_hex: the public key the site is known by; without it the one in the file is used,
    which proves only that the file is whole.
    """
    try:
        sealed = msgspec.json.decode(data, type=Sealed)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sealed.ed25519.key))
        value = bytes.fromhex(sealed.ed25519.value)
    except ValueError as error:
        raise SealError(f"not a sealed report: {error}") from None
    if key_hex is not None and sealed.ed25519.key != key_hex.strip().lower():
        raise SealError(f"signed by another key, {sealed.ed25519.key}")
    try:
        key.verify(value, signed_bytes(sealed.report))
    except InvalidSignature:
        raise SealError("the signature does not fit: the report was changed") from None
    return sealed
