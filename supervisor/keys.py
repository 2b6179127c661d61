"""The site's secrets: files nobody else may read, made once and never overwritten.

site.key signs the budget and every command; api.token lets the site's own screens
and commands in.  A secret that others can read, or of the wrong size, is refused:
the text says which file and what to do.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32
TOKEN_BYTES = 32  # twice as many hex digits in the file
PASSWORD_MAX = 256


class SecretError(ValueError):
    """A secret cannot be used; the text names the file and what would be right."""


def site_key(state_dir: Path) -> bytes:
    """The 32 bytes all seals of this site come from; made at the first start."""
    path = state_dir / "site.key"
    key = _once(path, lambda: secrets.token_bytes(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise _wrong(path, f"{len(key)} bytes, a site key has {KEY_BYTES}", "restore it")
    return key


def report_key(state_dir: Path) -> bytes:
    """The 32 bytes that reports are signed with (Ed25519); made at the first report."""
    path = state_dir / "report.key"
    key = _once(path, lambda: secrets.token_bytes(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise _wrong(path, f"{len(key)} bytes, a report's key has {KEY_BYTES}", "restore it")
    return key


def api_token(state_dir: Path) -> str:
    """What a client of the API shows; made at the first start."""
    path = state_dir / "api.token"
    text = _once(path, lambda: secrets.token_hex(TOKEN_BYTES).encode() + b"\n")
    token = text.decode("ascii", "replace").strip()
    if len(token) != 2 * TOKEN_BYTES or set(token) - set("0123456789abcdef"):
        raise _wrong(path, f"a token is {2 * TOKEN_BYTES} hex digits", "remove it for a new one")
    return token


def password(path: Path) -> str:
    """A password kept in a file, alone on its first line."""
    text = _read(path).decode("utf-8", "replace").rstrip("\r\n")
    if not 0 < len(text) <= PASSWORD_MAX or "\n" in text or "\ufffd" in text:
        raise _wrong(path, f"a password is one line of 1 to {PASSWORD_MAX} letters", "correct it")
    return text


def _once(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes; made first when there is no file.

    Written whole under another name and then linked, so that a crash leaves either no
    secret or a whole one, and of two starting at once both get the same.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        _write(draft, make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _read(path)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise _wrong(path, f"others may read it (mode {mode:o})", f"chmod 600 {path}")
            return file.read(4096)
    except OSError as error:
        raise _wrong(path, error.strerror or str(error), "let this user read it") from None


def _wrong(path: Path, what: str, remedy: str) -> SecretError:
    return SecretError(f"{path}: {what}; {remedy}")
