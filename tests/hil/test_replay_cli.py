"""surplus replay, as it is run from outside."""

import json
import subprocess
import sys

import pytest

KEYS = {
    "rigs",
    "firmware_rigs",
    "energy_mwh",
    "hashrate_ths_mean",
    "tracking_error_pct",
    "tracking_error_pct_max",
    "overshoot_w_max",
    "overshoot_s",
    "signal_to_95pct_s_p95",
    "messages_lost",
    "errors",
    "simulated_s",
    "wall_s",
}
PLAIN = "time,mw\n0,0.2\n120,0.35\n240,0.05\n"
AEMO = """REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE
SA1,2024/12/25 10:00:00,900,-20,TRADE
SA1,2024/12/25 10:05:00,700,-30,TRADE
SA1,2024/12/25 10:10:00,1200,10,TRADE
SA1,2024/12/25 10:15:00,1300,40,TRADE
"""


@pytest.fixture
def replay(tmp_path):
    """replay(text, option...): what `surplus replay` of a file with this text did."""

    def run(text, *options):
        file = tmp_path / "signal.csv"
        if text is not None:
            file.write_text(text)
        command = [sys.executable, "-m", "supervisor", "replay", "--signal", str(file), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)

    return run


def test_as_json_one_object_with_the_keys_and_nothing_else(replay):
    done = replay(PLAIN, "--rigs", "120", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    more = {"falls", "sleeps_per_rig_day"}
    leases = {"committed_above_limit_s_max", "drawn_above_committed_s"}
    assert KEYS <= set(result) <= KEYS | more | leases
    assert all(type(value) in (int, float) for value in result.values())
    assert (result["rigs"], result["firmware_rigs"]) == (120, 0)
    assert result["simulated_s"] == 360 and result["errors"] == 0
    assert result["overshoot_s"] == 0 and 0 < result["tracking_error_pct"] < 5
    assert result["falls"] == 1 and result["signal_to_95pct_s_p95"] <= 5


def test_aemos_layout_is_known_by_its_header(replay):
    done = replay(AEMO, "--rigs", "50", "--step", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["simulated_s"] == 1200 and result["energy_mwh"] > 0


def test_for_people_a_line_a_figure(replay):
    done = replay("time,mw\n0,0.1\n60,0.1\n", "--rigs", "40")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[:2]] == ["rigs", "firmware_rigs"]


@pytest.mark.parametrize(
    ("text", "options", "word"),
    [
        (None, [], "signal.csv"),
        ("time,mw\n0,much\n", [], "much"),
        ("colour\nred\n", [], "signal.csv"),
        (PLAIN, ["--rigs", "0"], "rigs"),
        (PLAIN, ["--step", "0"], "step"),
        (PLAIN, ["--pace", "9"], "pace"),
    ],
)
def test_a_bad_call_is_2_and_says_what_is_wrong(replay, text, options, word):
    done = replay(text, *options, "--json")
    assert done.returncode == 2
    assert done.stdout == "" and word in done.stderr
    assert "Traceback" not in done.stderr
