"""surplus hil rigs: what it refuses, what it prints, how its rigs are broken by hand."""

import json

import pytest
import typer
from typer.testing import CliRunner

from hil.commands import rigs
from hil.live_peer import KEY


@pytest.fixture
def app():
    app = typer.Typer()
    rigs.register(app)

    return app


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "site.key"
    path.write_bytes(KEY)
    return path


def test_a_line_a_second_for_all_rigs(app, key_file, broker_port):
    asked = ["hil", "rigs", "2", "--broker", f"127.0.0.1:{broker_port}", "--site", "bench"]
    result = CliRunner().invoke(app, [*asked, "--keys", str(key_file), "--seconds", "2", "--json"])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == 2 and set(lines[1]) == {"bench-1", "bench-2"}
    for rig in lines[1].values():
        assert rig["alive"] and 10 < rig["power_w"] < 150 and rig["hash_ghs"] == 0


@pytest.mark.parametrize(
    "change, said",
    [
        ({"--broker": "127.0.0.1"}, "HOST:PORT"),
        ({"--site": "No Site"}, "a-z"),
        ({"--keys": "/nowhere/site.key"}, "/nowhere/site.key"),
    ],
)
def test_a_bad_call_says_what_would_be_right(app, key_file, change, said):
    options = {"--broker": "127.0.0.1:1883", "--site": "bench", "--keys": str(key_file)} | change
    result = CliRunner().invoke(app, ["hil", "rigs", "1", *sum(options.items(), ())])
    assert result.exit_code == 2 and said in result.output


def test_typed_lines_break_and_mend(tmp_path, key_file):
    config = rigs.plan(1, "127.0.0.1:1", "bench", key_file, "rig")[0]
    rig = rigs.VirtualRig(tmp_path / "rig", config)
    assert rigs.obey({"rig-1": rig}, "rig-1 +fan_stopped:2\n") == ""
    assert rigs.measured(rig)["faults"] == ["fan_stopped:2"]
    assert rigs.obey({"rig-1": rig}, "rig-1 -fan_stopped:2\n") == "" and not rig.faults
    assert "no fault" in rigs.obey({"rig-1": rig}, "rig-1 +fan_stoped\n")
    assert "rig-2" in rigs.obey({"rig-1": rig}, "rig-2 kill\n")
    assert "restart" in rigs.obey({"rig-1": rig}, "rig-1 explode\n")
