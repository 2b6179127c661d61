"""Two files that are one: what was last written whole, wherever the power went.

The older slot is written over, so the newer one is untouched until the write is complete; a
checksum tells a half-written slot from a whole one.  What is kept belongs to one base (the
settings.json of this flash): under another base it counts for nothing.
"""

import binascii
import json

SLOTS = (".1", ".2")


def read(path: str, base: int) -> dict:
    """What is kept beside path for this base; empty when nothing is, or nothing whole."""
    newest = max(_slots(path), key=lambda slot: slot[0])
    return newest[2] if newest[1] == base else {}


def write(path: str, base: int, kept: dict) -> None:
    """Keep this instead.  Raises OSError when the flash cannot be written."""
    slots = _slots(path)
    older = 0 if slots[0][0] <= slots[1][0] else 1
    number = max(slots[0][0], slots[1][0]) + 1
    body = json.dumps([number, base, kept])
    with open(path + SLOTS[older], "w") as file:
        file.write(f"{binascii.crc32(body.encode()):08x}{body}")


def _slots(path: str) -> list[tuple[int, int, dict]]:
    return [_slot(path + end) for end in SLOTS]


def _slot(path: str) -> tuple[int, int, dict]:
    """(number, base, kept); number -1 when there is nothing whole."""
    nothing: tuple[int, int, dict] = (-1, 0, {})
    try:
        with open(path) as file:
            text = file.read()
        if int(text[:8], 16) != binascii.crc32(text[8:].encode()):
            return nothing
        number, base, kept = json.loads(text[8:])
    except (OSError, ValueError):
        return nothing
    return number, base, kept
