"""A report in a file checked: the signature, and for a page that it shows what was signed."""

from pathlib import Path

from supervisor.settlement import page
from supervisor.settlement.report import Report
from supervisor.settlement.seal import SealError, opened

__all__ = ["SealError", "file"]


def file(path: Path, key_hex: str | None = None) -> tuple[Report, str]:
    """The report in it, and the key that signed.  Raises SealError and OSError."""
    data = path.read_bytes()
    if path.suffix.lower() != ".html":
        sealed = opened(data, key_hex)
        return sealed.report, sealed.ed25519.key
    text = data.decode("utf-8", "replace")
    sealed = opened(page.sealed_of(text), key_hex)
    if page.page(sealed) != text:
        raise SealError("the page shows something else than what was signed inside it")
    return sealed.report, sealed.ed25519.key
