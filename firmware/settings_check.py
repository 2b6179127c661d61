"""Whether a value is one of a setting; the text of what is wrong names it."""

import binascii

from firmware.settings_table import BROKERED, CHOICE, HEX, HOST, INT, NAME, NEEDED, TABLE, Setting
from protocols import topics


class SettingsError(ValueError):
    """The text names the setting."""


def parse(raw: object, path: str = "settings.json") -> dict:
    """raw with its defaults, keys as bytes.  Raises SettingsError."""
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: not an object")
    for name in raw:
        if name not in TABLE:
            raise SettingsError(f"{path}: {name}: no such setting; there are {_names()}")
    settings, lined = {}, raw.get("obeys") == "modbus"
    for name, setting in TABLE.items():
        if name in raw:
            settings[name] = _checked(f"{path}: {name}", setting, raw[name])
        elif setting.default is NEEDED and not (lined and BROKERED in setting.marks):
            raise SettingsError(f"{path}: {name}: missing; it is {setting.what}")
        else:
            settings[name] = setting.default
    return settings


def value_of(name: str, text: str) -> object:
    """A value as somebody typed it.  Raises SettingsError."""
    setting = TABLE.get(name)
    if setting is None:
        raise SettingsError(f"{name}: no such setting; there are {_names()}")
    value: object = text
    if setting.kind == INT:
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{name}: not an integer") from None
    _checked(name, setting, value)
    return value


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
    if setting.kind == CHOICE:
        if value not in setting.low:
            raise SettingsError(f"{where}: not {value!r}; there are {', '.join(setting.low)}")
        return value
    if not setting.low <= len(value) <= setting.high:
        raise SettingsError(f"{where}: {setting.low} to {setting.high} characters")
    if setting.kind == NAME and topics.name_error(value):
        raise SettingsError(f"{where}: {topics.name_error(value)}")
    if setting.kind == HOST and value and not _is_host(value):
        raise SettingsError(f"{where}: an address like 192.168.1.10 or a name, not {value!r}")
    return value


def _key(where: str, setting: Setting, value: str) -> bytes:
    try:
        key = binascii.unhexlify(value)
    except ValueError:
        raise SettingsError(f"{where}: not hex") from None
    if len(key) != setting.low:
        raise SettingsError(f"{where}: {setting.low} bytes in hex")
    return key


def _is_host(text: str) -> bool:
    if text.replace(".", "").isdigit():
        return _is_ipv4(text)
    for label in text.split("."):
        plain = label.replace("-", "")
        if not 1 <= len(label) <= 63 or plain != "".join([one for one in plain if _is_plain(one)]):
            return False
    return True


def _is_plain(letter: str) -> bool:
    return "a" <= letter <= "z" or "A" <= letter <= "Z" or letter.isdigit()


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    for part in parts:
        if not part.isdigit() or len(part) > 3 or int(part) > 255:
            return False
    return len(parts) == 4
