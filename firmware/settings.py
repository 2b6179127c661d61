"""The rig's settings: one table of names, types and ranges; settings.json beside the code.

A mistake is an error that names the setting and says what would be right.
"""

import binascii
import json
import os
from collections import namedtuple

from protocols import topics

Setting = namedtuple("Setting", ("kind", "low", "high", "default", "what"))
INT, TEXT, NAME, HEX, IPV4 = "int", "text", "name", "hex", "IPv4 address"
NEEDED = None

BOARDS = ("s21pro",)
TABLE = {
    "site": Setting(NAME, 1, 32, NEEDED, "the site, as in topic names"),
    "rig": Setting(NAME, 1, 32, NEEDED, "this rig, as in topic names"),
    "board": Setting(TEXT, 1, 16, NEEDED, "which file of firmware/boards describes the hardware"),
    "broker_host": Setting(
        IPV4, 7, 15, NEEDED, "the broker; a name would need a lookup that blocks"
    ),
    "broker_port": Setting(INT, 1, 65_535, 1883, "its MQTT port"),
    "broker_user": Setting(TEXT, 0, 64, "", "empty when the broker asks for none"),
    "broker_password": Setting(TEXT, 0, 64, "", "goes with broker_user"),
    "budget_key": Setting(HEX, 32, 32, NEEDED, "seals the site's budgets"),
    "rig_key": Setting(HEX, 32, 32, NEEDED, "seals this rig's commands"),
    "wifi_name": Setting(TEXT, 0, 32, "", "the site's network"),
    "wifi_password": Setting(TEXT, 0, 63, "", "its password"),
    "state_ms": Setting(
        INT, 1_000, 60_000, 10_000, "how often state is published when nothing changes"
    ),
}


class SettingsError(ValueError):
    """The text names the setting."""


def load(path: str = "settings.json") -> dict:
    """The settings in that file.  Raises SettingsError."""
    return parse(_raw(path), path)


def save(changes: dict, path: str = "settings.json") -> None:
    """Put these into the file.  Raises SettingsError, and then nothing has changed.

    Power may go at any point: what is read afterwards is the old file or the new one,
    because a rename is one step of the flash's file system.
    """
    raw = _raw(path)
    if isinstance(raw, dict):
        raw.update(changes)
    parse(raw, path)
    with open(path + ".new", "w") as file:
        file.write(json.dumps(raw))
    os.rename(path + ".new", path)


def _raw(path: str) -> object:
    try:
        with open(path) as file:
            return json.load(file)
    except OSError:
        raise SettingsError(f"{path}: no such file") from None
    except ValueError:
        raise SettingsError(f"{path}: not JSON") from None


def parse(raw: object, path: str = "settings.json") -> dict:
    """raw with its defaults, keys as bytes.  Raises SettingsError."""
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: not an object")
    for name in raw:
        if name not in TABLE:
            raise SettingsError(f"{path}: {name}: no such setting; there are {_names()}")
    settings = {}
    for name, setting in TABLE.items():
        if name in raw:
            settings[name] = _checked(f"{path}: {name}", setting, raw[name])
        elif setting.default is NEEDED:
            raise SettingsError(f"{path}: {name}: missing; it is {setting.what}")
        else:
            settings[name] = setting.default
    if settings["board"] not in BOARDS:
        raise SettingsError(f"{path}: board: no such board; there are {', '.join(BOARDS)}")
    return settings


def _names() -> str:
    return ", ".join(sorted(TABLE))


def _checked(where: str, setting: Setting, value: object) -> object:
    if setting.kind == INT:
        if type(value) is not int:
            raise SettingsError(f"{where}: not an integer")
        if not setting.low <= value <= setting.high:
            raise SettingsError(f"{where}: {value}, from {setting.low} to {setting.high}")
        return value
    if not isinstance(value, str):
        raise SettingsError(f"{where}: not a text")
    if setting.kind == HEX:
        return _key(where, setting, value)
    if not setting.low <= len(value) <= setting.high:
        raise SettingsError(f"{where}: {setting.low} to {setting.high} characters")
    if setting.kind == NAME and topics.name_error(value):
        raise SettingsError(f"{where}: {topics.name_error(value)}")
    if setting.kind == IPV4 and not _is_ipv4(value):
        raise SettingsError(f"{where}: an {IPV4} like 192.168.1.10, not {value!r}")
    return value


def _key(where: str, setting: Setting, value: str) -> bytes:
    try:
        key = binascii.unhexlify(value)
    except ValueError:
        raise SettingsError(f"{where}: not hex") from None
    if len(key) != setting.low:
        raise SettingsError(f"{where}: {setting.low} bytes in hex")
    return key


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    for part in parts:
        if not part.isdigit() or len(part) > 3 or int(part) > 255:
            return False
    return len(parts) == 4
