"""What every part on an I2C bus does: the same three methods, so that any can be wired anywhere."""

from typing import Protocol


class Part(Protocol):
    """A target.  A transfer is a write, then a read; either may be empty.

    A part whose reads change nothing may also have kept(out, size): what writing out and
    reading would answer now, or None when it has to be asked; the bench saves round trips by it.
    """

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        """False when nobody acknowledges."""

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        """So many bytes; None when nobody acknowledges."""
