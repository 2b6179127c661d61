"""How a settings file is found wrong, and how that is said: with the key and what is right.

Knows the form of settings, not their meaning: that is supervisor/config.py.
"""

import difflib
import math
import re
import typing
from typing import Any

import msgspec

# how msgspec says it, and how a person with a TOML file would
_WORDS = {
    "Expected ": "expected ",
    "Invalid enum value": "no such choice:",
    "`object | null`": "a table",
    "`object`": "a table",
    "`array`": "tables in double brackets",
    " | null`": "`",
    "`float`": "a number",
    "`int`": "a whole number",
    "`str`": "text in quotes",
    "`bool`": "true or false",
    "`datetime`": "a date and time",
    "`date`": "a date",
}


class ConfigError(ValueError):
    """The settings cannot be used; the text names the file, the key and what is right."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a settings file."""


def keys(section: type, above: str = "") -> dict[str, str]:
    """Every key there is, dotted, with what is right for it."""
    found: dict[str, str] = {}
    for name, hint in typing.get_type_hints(section, include_extras=True).items():
        parts = (hint, *typing.get_args(hint))
        metas = [meta for part in parts for meta in getattr(part, "__metadata__", ())]
        found[above + name] = (metas[0].description or "") if metas else ""
        inner = [part for part in parts if _is_section(part)]
        if inner:
            found |= keys(inner[0], f"{above}{name}.")
    return found


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def check_keys(table: dict[str, Any], known: dict[str, str], above: str = "") -> None:
    """Refuses keys nobody reads, and numbers that are none."""
    for name, value in table.items():
        key = above + name
        if key not in known:
            here = [k for k in known if k.startswith(above) and "." not in k[len(above) :]]
            near = difflib.get_close_matches(key, here, 1) or difflib.get_close_matches(key, known)
            raise ConfigError(f"{key}: no such key; {_instead(near, here)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{key}: {value} is no quantity; right is: {known[key]}")
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                check_keys(inner, known, key + ".")


def _instead(near: list[str], here: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(here)}"


def sentence(text: str, known: dict[str, str]) -> str:
    """msgspec's words, with the key first and as TOML writes it."""
    wrong, _, where = text.partition(" - at `$")
    key = re.sub(r"\[\d*\]|\[\.\.\.\]", "", where.rstrip("`")).lstrip(".")
    if wrong.startswith("Object missing required field"):
        key = ".".join(filter(None, (key, wrong.split("`")[1])))
        wrong = "is missing"
    for theirs, ours in _WORDS.items():
        wrong = wrong.replace(theirs, ours)
    right = known.get(key, "")
    return f"{key}: {wrong}" + (f"; right is: {right}" if right else "")
