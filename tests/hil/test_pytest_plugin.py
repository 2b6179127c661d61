"""The fixtures bench, rig, plant and wire, as a project of somebody else's uses them."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.boards.terminal_rig import TerminalRig
from hil.pytest_plugin import opened
from hil.rig import settings

pytestmark = pytest.mark.real_time

OUTSIDE = """
def joined(bench, rig):
    heard = bench.site.heard(rig.name)
    bench.run_until(lambda: heard.joined, 60, "joined")
    return heard


def test_it_joins_and_sleeps(bench, rig):
    heard = joined(bench, rig)
    bench.site.budget(0)
    bench.run_until(lambda: heard.state["seq"] == bench.site.seq, 15, "the budget is heard")
    assert heard.state["state"] == "asleep"
    assert heard.hello["chips"] == 195


def test_the_plant_has_the_truth(bench, rig, plant):
    joined(bench, rig)
    bench.site.level(1)
    bench.run_until(lambda: plant.hash_ghs > 0, 30, "the first hash")
    assert plant.supply.volts > 11


def test_the_wire_is_captured_and_disturbed(bench, rig, wire):
    joined(bench, rig)
    assert wire.of("i2c", 0), "thermometers are read"
    wire.clear()
    bench.site.level(1)
    wire.inject(0, b"\\xaa\\x55\\xff" * 5)
    bench.run_until(lambda: rig.hash_ghs > 0, 30, "it hashes all the same")
    assert wire.of("uart", 0)[0][1].startswith(b"\\x55\\xaa"), "a command's preamble"


def test_a_fault_is_injected(bench, rig):
    heard = joined(bench, rig)
    rig.faults.add("fan_stopped:1")
    bench.run_until(lambda: "fan-stopped" in heard.codes, 30, "it is told")


def test_that_fails(bench):
    bench.note("the last thing seen")
    assert bench.now_s < 0
"""


@pytest.fixture
def outside(tmp_path):
    """A folder that is not ours, with tests that use the fixtures; called with more arguments.

    Other plugins that happen to be installed are left out, for they take seconds to load.
    """
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_outside.py").write_text(OUTSIDE)

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", "-p", "hil.pytest_plugin", *words],
            cwd=tmp_path,
            env=dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.stdout + done.stderr

    return run


def test_an_installed_surplus_brings_its_fixtures():
    assert [e.value for e in entry_points(group="pytest11", name="surplus")] == [
        "hil.pytest_plugin"
    ]


def test_on_virtual_boards_everything_runs_and_a_failure_shows_the_timeline(outside):
    said = outside()
    assert "4 passed" in said and "1 failed" in said, said
    assert "the last thing seen" in said


@pytest.mark.timeout(120)
def test_on_a_board_what_it_cannot_give_is_skipped_with_a_reason(outside, tmp_path, broker_port):
    config = settings("bench", "desk", "127.0.0.1", 1883, bytes(32))
    wifi = tmp_path / "wifi.json"
    wifi.write_text(json.dumps({"broker_host": "127.0.0.1", "broker_port": broker_port}))
    with TerminalRig(tmp_path / "flash", config) as desk:
        said = outside(
            "--board", desk.port, "--board-settings", str(wifi), "--deselect",
            "test_outside.py::test_that_fails",
        )  # fmt: skip
    assert "1 passed, 3 skipped" in said, said
    assert "its parts' truth needs a probe: --probe PORT" in said
    assert "real wires are not captured: --board virtual" in said
    assert f"board: {desk.port}" in said


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "broker_host: missing"),
        ({"--board-settings": Path("none.json")}, r"none\.json: No such file"),
        ({"--plug": "cord"}, "'cord' is no plug: ask, modbus:HOST"),
    ],
)
def test_a_bad_call_is_told(options, told, tmp_path):
    given = {"--board": "/dev/x", "--board-settings": None, "--plug": None, **options}
    with pytest.raises(pytest.UsageError, match=told):
        opened(SimpleNamespace(getoption=given.get), tmp_path)
