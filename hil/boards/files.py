"""What goes onto a board's flash: our folders, a main.py and its settings, as bytes by path."""

import json
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

REPO = Path(__file__).resolve().parents[2]
MAIN = "from firmware.main import run\n\nrun()\n"
PROBE_MAIN = "from hil.probe.play import run\n\nrun()\n"
SETTINGS = "settings.json"


class FilesError(ValueError):
    """The text names the file and says what would be right."""


def of_rig(
    settings: Path | None = None, main: str = MAIN, tls: Path | None = None
) -> dict[str, bytes]:
    """A rig's controller.  Without settings those on the board stay as they are."""
    files = {**_folder("protocols"), **_folder("firmware"), "main.py": main.encode()}
    if settings is not None:
        files[SETTINGS] = settings_of(settings)
    if tls is not None:
        files.update(of_tls(tls))
    return files


def of_tls(folder: Path) -> dict[str, bytes]:
    """ca.pem, and rig.pem with rig.key where they are, as MicroPython reads them: in DER."""
    files = {"tls/ca.der": _certificate(folder / "ca.pem")}
    if (folder / "rig.pem").exists():
        files["tls/rig.der"] = _certificate(folder / "rig.pem")
        files["tls/rig-key.der"] = _key(folder / "rig.key")
    return files


def _certificate(path: Path) -> bytes:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise FilesError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise FilesError(f"{path}: no certificate in PEM") from None
    return certificate.public_bytes(serialization.Encoding.DER)


def _key(path: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise FilesError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise FilesError(f"{path}: no private key in PEM, or one with a password") from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def of_probe(main: str = PROBE_MAIN) -> dict[str, bytes]:
    """The controller that plays the parts: see hil/probe/play.py."""
    shared = ("hil/__init__.py", "protocols/__init__.py", "protocols/crc.py")
    return {
        **{path: (REPO / path).read_bytes() for path in shared},
        **_folder("hil/probe"),
        "main.py": main.encode(),
    }


def _folder(name: str) -> dict[str, bytes]:
    """The Python files of a folder of the repository, by their path on the board."""
    return {
        str(path.relative_to(REPO)): path.read_bytes()
        for path in sorted((REPO / name).rglob("*.py"))
    }


def settings_of(path: Path) -> bytes:
    """The file as it is; that it is an object is all that is known here.

    What the settings mean is the firmware's: SerialBoard.wrong_settings asks it.
    """
    try:
        raw = path.read_bytes()
        value = json.loads(raw)
    except OSError as error:
        raise FilesError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise FilesError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, Mapping):
        raise FilesError(f"{path}: not an object of settings")
    return raw
