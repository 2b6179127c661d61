"""The folders lean on each other one way only, and shared code only on what a rig has."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"protocols", "firmware", "supervisor", "hil", "tests"}

# what a rig has: MicroPython's built-in modules that we use
PROTOCOLS = {"protocols", "struct", "collections", "binascii", "json", "hashlib"}
FIRMWARE = {
    *("protocols", "firmware", "asyncio", "time", "gc", "json", "os", "binascii", "random"),
    *("errno", "select", "struct", "socket", "ssl", "sys", "collections", "array"),
}
CHIP = {"machine", "network", "esp32"}  # the rig's own, behind the board
BOARD_FILES = ("firmware/board.py", "firmware/boards/")

BENCHES = "hil/benches/"
# parts of the bench that play a whole site, with the supervisor in it
WHOLE_SITE = {
    *("hil/commands/bench.py", "hil/commands/demo.py", "hil/commands/replay.py"),
    *("hil/bridge.py", "hil/day.py", "hil/demo.py", "hil/fleet.py", "hil/modelled.py"),
    *("hil/playback.py", "hil/score.py", "hil/supervised.py", "hil/surplus.py"),
    *("hil/commands/stories.py", "hil/story_parts.py"),
    *("hil/story_site.py", "hil/story_world.py", "hil/peers/rooms.py"),
}


def imported(source: str) -> set[str]:
    """The modules a file names, from anywhere in it, also as a string handed to an importer."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("__import__", "import_module")
        ):
            names |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    return names


def wrong(path: str, source: str) -> list[str]:
    """What this file may not import.  path: from the root."""
    names = {name.split(".")[0] for name in imported(source)}
    folder = path.partition("/")[0]
    if folder == "protocols":
        bad = names - PROTOCOLS
    elif folder == "firmware":
        bad = names - FIRMWARE - (CHIP if path.startswith(BOARD_FILES) else set())
    elif folder == "supervisor":
        bad = names & (OURS - {"protocols", "supervisor"})
    else:
        bad = names & {"firmware", "tests"} | (names & {"supervisor"} - whole_site(path))
    return sorted(f"{path} imports {name or 'from beside itself'}" for name in bad)


def whole_site(path: str) -> set[str]:
    return {"supervisor"} if path in WHOLE_SITE or path.startswith(BENCHES) else set()


FILES = sorted(
    str(path.relative_to(ROOT))
    for folder in ("protocols", "firmware", "supervisor", "hil")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", FILES)
def test_a_file_leans_only_on_what_it_may(path):
    assert wrong(path, (ROOT / path).read_text()) == []


def test_all_folders_were_looked_at():
    assert {path.split("/")[0] for path in FILES} == OURS - {"tests"}
    assert len(FILES) > 80


def test_the_list_of_exceptions_has_none_that_needs_no_exception():
    needs = {path for path in FILES if path.startswith("hil/")}
    needs = {p for p in needs if any(n.startswith("supervisor") for n in modules(p))}
    assert {path for path in needs if not path.startswith(BENCHES)} == WHOLE_SITE


def modules(path: str) -> set[str]:
    return imported((ROOT / path).read_text())


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("protocols/crc.py", "import socket"),
        ("protocols/crc.py", "import time"),
        ("protocols/crc.py", "from typing import Any"),
        ("protocols/crc.py", "def f():\n    import firmware.board"),
        ("protocols/crc.py", "from . import mac"),
        ("protocols/crc.py", "__import__('socket')"),
        ("firmware/safety.py", "import machine"),
        ("firmware/link.py", "from network import WLAN"),
        ("firmware/link.py", "import dataclasses"),
        ("firmware/drivers/fan.py", "from hil import plant"),
        ("supervisor/line.py", "from firmware import dispatch"),
        ("supervisor/app.py", "import json, hil.demo"),
        ("supervisor/app.py", "import importlib\nimportlib.import_module('hil.demo')"),
        ("hil/plant.py", "from supervisor.merit import Points"),
        ("hil/rig.py", "import firmware"),
        ("hil/demo.py", "from tests import world"),
    ],
)
def test_what_it_may_not_is_noticed(path, source):
    assert len(wrong(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("protocols/crc.py", "import struct\nfrom protocols import mac"),
        ("firmware/board.py", "import machine"),
        ("firmware/boards/s21pro.py", "from esp32 import NVS"),
        ("supervisor/line.py", "import socket\nfrom protocols.ladder import Step"),
        ("hil/demo.py", "from supervisor import ramp"),
    ],
)
def test_what_it_may_it_may(path, source):
    assert wrong(path, source) == []
