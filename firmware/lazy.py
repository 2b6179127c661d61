"""Modules that are used once in a while, and cost no heap in between."""

import sys

from firmware.clock import ON_MICROPYTHON

SETTINGS = ("settings", "settings_check", "settings_table", "slots")


def forget_settings() -> None:
    """Their table and all that goes with it."""
    for name in SETTINGS:
        forget("firmware." + name)


def forget(name: str) -> None:
    """Let go of a module; whoever imports it again compiles it again.

    On a desktop Python it stays: there is heap enough, and tests know it by its name.
    """
    if not ON_MICROPYTHON:
        return
    parent, _, child = name.rpartition(".")
    sys.modules.pop(name, None)
    if hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)
