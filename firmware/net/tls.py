"""TLS to the broker: whom we believe, and who we are, from files beside the settings.

The certificate is checked against tls/ca.der and the name asked for, always.  Its dates are
too, by the controller's clock: one that was never told the time says so in `last_error`.
"""

import os
import ssl

# DER: not every build of MicroPython reads PEM
CA, CERTIFICATE, KEY = "tls/ca.der", "tls/rig.der", "tls/rig-key.der"


def context():
    """What a connection is made with.  Raises OSError naming the file, ValueError of a bad one."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=_read(CA))
    made.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
    if _exists(CERTIFICATE):
        made.load_cert_chain(_read(CERTIFICATE), _read(KEY))
    return made


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        raise OSError(f"{path}: no such file") from None


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True
