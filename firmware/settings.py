"""The rig's settings: one table of names, types, ranges and what a change needs.

settings.json beside the code is what was put on the flash, and is never written here; what is
changed on the rig lies in two slots over it (slots.py), until other settings are flashed.
A mistake is an error that names the setting and says what would be right.
"""

import binascii
import json
import os

from firmware import slots
from firmware.settings_check import SettingsError, parse, value_of
from firmware.settings_table import (
    CHOICE,
    HEX,
    IDENTITY,
    INT,
    NEEDED,
    RESTART,
    SECRET,
    TABLE,
    Setting,
)

PATH = "settings.json"
__all__ = ["CHOICE", "HEX", "IDENTITY", "INT", "NEEDED", "RESTART", "SECRET", "TABLE"]
__all__ += ["Setting", "SettingsError", "parse", "value_of"]


def load(path: str = PATH) -> dict:
    """The settings in force: the file's, and over them what was changed on the rig.

    Raises SettingsError.
    """
    base, raw = _flashed(path)
    return parse(_over(path, raw, _kept(path, base)), path)


def save(changes: dict, path: str = PATH) -> None:
    """Change these.  Raises SettingsError, and then nothing has changed.

    Power may go at any point: what is read afterwards is the old or the new.
    """
    base, raw = _flashed(path)
    kept = _kept(path, base)
    kept.update(changes)
    parse(_over(path, raw, kept), path)
    slots.write(path, base, kept)


def reset(path: str = PATH) -> None:
    """Factory reset: as flashed, but for who the rig is and whom it obeys.

    So it comes back on its network and to its site, and nobody has to drive there.
    """
    base, _ = _flashed(path)
    kept = _kept(path, base)
    slots.write(path, base, {name: kept[name] for name in kept if IDENTITY in TABLE[name].marks})


def erase(path: str = PATH) -> None:
    """Everything, keys too: the rig goes to somebody else.  The next start does nothing."""
    for end in ("",) + slots.SLOTS:
        try:
            os.remove(path + end)
        except OSError:
            pass  # it was not there


def shown(name: str, settings: dict) -> str:
    """A value for people; of a secret only whether there is one."""
    value, setting = settings[name], TABLE[name]
    if SECRET in setting.marks:
        return "(set)" if value else "(not set)"
    return f"{value} {setting.unit}" if setting.unit else str(value)


def _flashed(path: str) -> tuple[int, object]:
    """(checksum, content) of the file; (0, None) when there is none."""
    try:
        with open(path) as file:
            text = file.read()
        return binascii.crc32(text.encode()), json.loads(text)
    except OSError:
        return 0, None
    except ValueError:
        raise SettingsError(f"{path}: not JSON") from None


def _kept(path: str, base: int) -> dict:
    """What was changed on the rig, as far as this firmware knows it: an older one knows less."""
    kept = slots.read(path, base)
    return {name: kept[name] for name in kept if name in TABLE}


def _over(path: str, raw: object, kept: dict) -> object:
    """The file's settings with the rig's over them; on a bare flash the rig's alone."""
    if raw is None and not kept:
        raise SettingsError(f"{path}: no such file")
    if raw is not None and not isinstance(raw, dict):
        return raw  # parse() says what is wrong
    merged = dict(raw or {})
    merged.update(kept)
    return merged
