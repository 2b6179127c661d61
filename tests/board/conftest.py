"""The board under test: the one at --board, or a virtual one behind a pseudo-terminal.

The files are numbered, and each needs those before it: when one has failed, the rest is
skipped, because what they would say means nothing.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.boards import board_bench, files, mains
from hil.boards.serial_board import SerialBoard
from hil.boards.terminal_rig import TerminalRig
from hil.rig import settings
from tests.hil.conftest import broker_port  # noqa: F401

SITE, NAME, KEY = board_bench.SITE, board_bench.NAME, board_bench.KEY
FAILED = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Desk:
    """What there is to work with."""

    port: str
    config: dict[str, object]  # settings.json
    plug: mains.Mains | None
    parts: bool  # thermometers, supply and fans answer


@pytest.fixture(scope="session")
def desk(request, tmp_path_factory) -> Iterator[Desk]:
    option = request.config.getoption
    if option("--board") == "virtual":
        port = request.getfixturevalue("broker_port")
        config = settings(SITE, NAME, "127.0.0.1", port, KEY)
        with TerminalRig(tmp_path_factory.mktemp("board"), config) as rig:
            yield Desk(rig.port, config, rig, True)
        return
    changed = board_bench.changes(option("--board-settings"))
    host, port = str(changed.pop("broker_host", "192.0.2.1")), changed.pop("broker_port", 1883)
    config = settings(SITE, NAME, host, int(str(port)), KEY) | changed
    plug = mains.of(option("--plug")) if option("--plug") else None
    probe = board_bench.played_by(option("--probe")) if option("--probe") else None
    yield Desk(option("--board"), config, plug, option("--parts"))
    if probe:
        probe.close()


@pytest.fixture
def board(desk) -> Iterator[SerialBoard]:
    with SerialBoard(desk.port) as board:
        yield board


@pytest.fixture
def plan(desk) -> dict[str, bytes]:
    """What belongs onto its flash."""
    return {**files.of_rig(), files.SETTINGS: json.dumps(desk.config).encode()}


def needs(there: bool, what: str) -> None:
    if not there:
        pytest.skip(what)


def number(item: pytest.Item) -> int:
    match = re.match(r"test_(\d+)_", Path(item.path).name)
    return int(match[1]) if match else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and number(item):
        item.session.stash.setdefault(FAILED, []).append(item.nodeid)
    return report


def pytest_runtest_setup(item):
    for failed in item.session.stash.get(FAILED, []):
        step = re.search(r"test_(\d+)_", failed)
        if step and int(step[1]) < number(item):
            pytest.skip(f"needs {failed}, which failed")
