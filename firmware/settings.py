"""The rig's settings: one table of names, types, ranges and what a change needs.

settings.json beside the code is what was put on the flash, and is never written here; what is
changed on the rig lies in two slots over it (slots.py), until other settings are flashed.
A mistake is an error that names the setting and says what would be right.
"""

import binascii
import json
import os
from collections import namedtuple

from firmware import slots
from protocols import topics

# low..high: of an integer its range, of a text its length, of a key its bytes, of a choice low
# is the choices.  marks: letters of RESTART, IDENTITY, SECRET
Setting = namedtuple("Setting", ("kind", "low", "high", "unit", "default", "marks", "what"))
INT, TEXT, NAME, HEX, HOST, CHOICE = "int", "text", "name", "hex", "host", "choice"
NEEDED = None
RESTART = "r"  # a change holds from the next start on
IDENTITY = "i"  # who it is and whom it obeys: at the rig only, kept by a factory reset
SECRET = "s"  # is never told
BROKERED = "b"  # needed only by a rig that obeys over MQTT
_ID, _KEY = RESTART + IDENTITY, RESTART + IDENTITY + SECRET

BOARDS = ("s21pro", "s21pro_line")
MASTERS, PARITIES = ("mqtt", "modbus"), ("even", "odd", "none")
WAYS = ("wifi", "ethernet", "both")
TABLE = {
    "site": Setting(NAME, 1, 32, "", NEEDED, _ID, "the site, as in topic names"),
    "rig": Setting(NAME, 1, 32, "", NEEDED, _ID, "this rig, as in topic names"),
    "board": Setting(CHOICE, BOARDS, 0, "", NEEDED, _ID, "the hardware: a file of boards/"),
    "broker_host": Setting(
        HOST, 1, 128, "", NEEDED, _ID + BROKERED, "the broker, by IPv4 address or by name"
    ),
    "broker_port": Setting(INT, 1, 65_535, "", 1883, _ID, "its MQTT port"),
    "broker_user": Setting(TEXT, 0, 64, "", "", _ID, "empty when the broker asks for none"),
    "broker_password": Setting(TEXT, 0, 64, "", "", _KEY, "goes with broker_user"),
    "broker_tls": Setting(TEXT, 0, 64, "", "", _ID, "name on its certificate; empty: no TLS"),
    "budget_key": Setting(HEX, 32, 32, "", NEEDED, _KEY + BROKERED, "seals the site's budgets"),
    "rig_key": Setting(HEX, 32, 32, "", NEEDED, _KEY + BROKERED, "seals this rig's commands"),
    "network": Setting(
        CHOICE, WAYS, 0, "", "wifi", _ID, "the way to the broker; both: cable first"
    ),
    "wifi_name": Setting(TEXT, 0, 32, "", "", _ID, "the site's network"),
    "wifi_password": Setting(TEXT, 0, 63, "", "", _KEY, "its password"),
    "ntp_host": Setting(HOST, 0, 128, "", "", _ID, "who knows the time of day; empty: nobody"),
    "clock_s": Setting(
        INT, 0, 0xFFFF_FFFF, "s", 0, _ID, "Unix time at least, for certificates without NTP"
    ),
    "state_ms": Setting(
        INT, 1_000, 60_000, "ms", 10_000, "", "how often state is told when nothing changes"
    ),
    "obeys": Setting(CHOICE, MASTERS, 0, "", "mqtt", _ID, "whose word may raise its power"),
    "modbus_unit": Setting(INT, 0, 247, "", 0, RESTART, "its address on RS-485; 0: not served"),
    "modbus_baud": Setting(INT, 1_200, 115_200, "", 19_200, RESTART, "of that line"),
    "modbus_parity": Setting(CHOICE, PARITIES, 0, "", "even", RESTART, "of that line"),
    "modbus_port": Setting(
        INT, 0, 65_535, "", 0, RESTART, "Modbus TCP, usually 502; 0: not served"
    ),
}
PATH = "settings.json"


class SettingsError(ValueError):
    """The text names the setting."""


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


def shown(name: str, settings: dict) -> str:
    """A value for people; of a secret only whether there is one."""
    value, setting = settings[name], TABLE[name]
    if SECRET in setting.marks:
        return "(set)" if value else "(not set)"
    return f"{value} {setting.unit}" if setting.unit else str(value)


def parse(raw: object, path: str = PATH) -> dict:
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
