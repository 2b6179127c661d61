"""Checks of the certificates the site shows to control rooms, and of those it trusts."""

import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from supervisor.config import Config
from supervisor.doctor.finding import GOOD, UNSURE, Finding, good, unsure, wrong
from supervisor.units import age

SOON_S = 30 * 86_400.0
KINDS = ("openadr2", "csip")


def certificates(config: Config) -> Finding:
    """The worst of all; none is needed where no source names one."""
    found = [
        each
        for kind in KINDS
        if (section := getattr(config.signal, kind)) is not None
        for each in _of(section.cert_file, section.key_file, section.ca_file)
    ]
    if not found:
        return good("none in the settings")
    bad = [finding for finding in found if finding.verdict != GOOD]
    bad.sort(key=lambda finding: finding.verdict == UNSURE)
    return bad[0] if bad else good("; ".join(finding.found for finding in found))


def _of(cert: str | None, key: str | None, ca: str | None) -> list[Finding]:
    found = [_judged(Path(path)) for path in (cert, ca) if path]
    pair = _pair(Path(cert), Path(key)) if cert and key else None
    return found if pair is None else [*found, pair]


def _judged(path: Path) -> Finding:
    """Of every certificate in a file, the one that ends first."""
    try:
        held = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        return wrong(f"{path}: no certificate: {error}", "PEM, as the utility has issued it")
    from_s = max(one.not_valid_before_utc.timestamp() for one in held)
    until_s, now_s = min(one.not_valid_after_utc.timestamp() for one in held), time.time()
    if now_s < from_s:
        return wrong(f"{path} is not valid yet", "is the clock right?")
    if until_s <= now_s:
        return wrong(f"{path} ended {age(now_s - until_s)} ago", "a new one from who issued it")
    left = f"{path} ends in {age(until_s - now_s)}"
    soon = until_s - now_s < SOON_S
    return unsure(left, "ask for a new one now") if soon else good(left)


def _pair(cert: Path, key: Path) -> Finding | None:
    """Whether the key is that certificate's; None when it is."""
    try:
        shown = x509.load_pem_x509_certificates(cert.read_bytes())[0]
        own = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        return wrong(f"{key}: no key without a password: {error}", "PEM, unencrypted, mode 600")
    if key.stat().st_mode & 0o077:
        return wrong(f"others may read {key}", f"chmod 600 {key}")
    if own.public_key() != shown.public_key():
        return wrong(f"{key} is not the key of {cert}", "the two that were made together")
    return None
