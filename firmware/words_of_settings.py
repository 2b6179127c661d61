"""The words about settings; apart from the others because their table is the most heap of all."""

from firmware import settings
from firmware.face import AT_RIG
from firmware.settings import IDENTITY, RESTART, TABLE, SettingsError


def _get(rig, rest: str, at_rig: bool) -> str:
    if not rest:
        return ", ".join(sorted(TABLE))
    if rest not in TABLE:
        raise SettingsError(f"{rest}: no such setting")
    return f"{rest}={settings.shown(rest, rig.settings)}"


def _set(rig, rest: str, at_rig: bool) -> str:
    name, equals, text = rest.partition("=")
    name = name.strip()
    if not equals:
        return "refused: set NAME=VALUE"
    value = settings.value_of(name, text.strip())
    if IDENTITY in TABLE[name].marks and not at_rig:
        return AT_RIG
    settings.save({name: value}, rig.settings_path)
    if RESTART in TABLE[name].marks:
        return f"{name}: kept, holds after a restart"
    rig.settings[name] = value
    return f"{name}: holds"


def _factory_reset(rig, rest: str, at_rig: bool) -> str:
    settings.reset(rig.settings_path)
    rig.face.restart()
    return "as flashed, but for who it is; restarting"


def _erase(rig, rest: str, at_rig: bool) -> str:
    if not at_rig:
        return AT_RIG
    settings.erase(rig.settings_path)
    rig.face.restart()
    return "everything is erased; restarting"


WORDS = {"get": _get, "set": _set, "factory-reset": _factory_reset, "erase": _erase}


def obey(rig, word: str, rest: str, at_rig: bool) -> str:
    """The answer.  Raises SettingsError for what is wrong with a setting."""
    return WORDS[word](rig, rest, at_rig)
