"""Modules that are used once in a while, and cost no heap in between."""

import sys


def forget(name: str) -> None:
    """Let go of a module; whoever imports it again compiles it again."""
    parent, _, child = name.rpartition(".")
    sys.modules.pop(name, None)
    if hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)
