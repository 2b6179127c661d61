"""The command line: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
import time
from importlib.metadata import EntryPoint

import made_up
import pytest
import typer
from fake_site import FakeSite, served
from made_up import RIGS, SITE, replace
from typer.testing import CliRunner

from supervisor import cli
from supervisor.view import SignalOrder

pytestmark = pytest.mark.real_time


@pytest.fixture(scope="module")
def site():
    return FakeSite()


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory, site):
    path = tmp_path_factory.mktemp("state")
    with served(site, path):
        yield path


@pytest.fixture
def surplus(state_dir, site):
    site.now = replace(SITE, at_s=time.time())
    site.refusal, site.orders, site.withdrawn = "", [], []
    site.withdrawable = ("operator",)

    def call(*words):
        return CliRunner().invoke(cli.build(words[0]), words, env={"SURPLUS_STATE": str(state_dir)})

    return call


def test_status_of_a_good_site(surplus):
    result = surplus("status")
    assert result.exit_code == 0 and not result.stderr
    for text in (
        "karoo, decided",
        "3.20 MW from dispatch: evening peak",
        "3.19 MW, read",
        "3.05 MW budget, 3.08 MW committed",
        "1,000 rigs: 912 running, 88 asleep",
        "182 PH/s, 17.5 J/TH",
        "3.20 MW of 3.50 MW capacity",
    ):
        assert text in result.stdout


WRONG = [
    ({"silent": 8}, "8 rigs silent"),
    ({"by_state": {"fault": 1}}, "1 rig in state fault"),
    ({"meter_age_s": 6.0}, "the site meter was last read 6."),
    ({"metered_w": None, "meter_age_s": None}, "the site meter has not been read"),
    ({"metered_w": 3_300_000}, "draws 100 kW above what is asked"),
    ({"at_s": time.time() - 3600}, "decided nothing for 1 h"),
]


@pytest.mark.parametrize("change, text", WRONG)
def test_status_says_what_is_wrong_and_ends_with_1(surplus, site, change, text):
    site.now = replace(site.now, **change)
    result = surplus("status")
    assert result.exit_code == 1
    assert text in next(line for line in result.stdout.splitlines() if line.startswith("wrong"))
    result = surplus("status", "--json")
    assert result.exit_code == 1 and text in " ".join(json.loads(result.stdout)["wrong"])


RIGHT = [
    {"metered_w": 3_217_000},  # within half a percent of capacity
    {"metered_w": 3_390_000, "asked_history_w": [3_400_000] * 3 + [3_200_000] * 5},  # still falling
    {"metered_w": 2_000_000},
    {"meter_age_s": 3.0},
]


@pytest.mark.parametrize("change", RIGHT)
def test_what_is_not_wrong(surplus, site, change):
    site.now = replace(site.now, **change)
    assert surplus("status").exit_code == 0


def test_the_grace_of_a_fall_ends(surplus, site):
    history = [3_400_000] * 3 + [3_200_000] * 6
    site.now = replace(site.now, metered_w=3_390_000, asked_history_w=history)
    assert surplus("status").exit_code == 1


def test_status_for_scripts(surplus):
    found = json.loads(surplus("status", "--json").stdout)
    assert found["wrong"] == [] and found["site"]["asked_w"] == 3_200_000


def test_no_signal_reads_as_such(surplus, site):
    site.now = replace(site.now, next_change_s=None, by_state={}, rigs=0, hash_ghs=0)
    shown = surplus("status").stdout
    for text in ("no change announced", "0 rigs: none heard yet", "0 GH/s, ? at the meter"):
        assert text in shown


def test_why(surplus):
    result = surplus("why", "rig-0007")
    assert (result.exit_code, result.stdout) == (0, "dispatch allows 3.20 MW\nit runs\n")
    assert json.loads(surplus("why", "rig-0007", "--json").stdout)["lines"][1] == "it runs"


def test_why_then_and_why_of_the_site(surplus, site):
    assert surplus("why", "--json").exit_code == 0 and site.past.asked_at_s is None
    assert surplus("why", "rig-0007", "--at", "2026-12-01T14:00Z").exit_code == 0
    assert site.past.asked_at_s == 1_796_133_600
    surplus("why", "--at", "10m")
    assert site.past.asked_at_s == pytest.approx(time.time() - 600, abs=5)
    assert surplus("why", "--at", "yesterday").exit_code == 2


def test_why_of_an_unknown_rig_is_a_bad_call(surplus):
    result = surplus("why", "rig-9999")
    assert result.exit_code == 2 and "rig-9999" in result.stderr and not result.stdout


def test_rigs(surplus):
    result = surplus("rigs", "--limit", "2")
    rows = result.stdout.splitlines()
    assert rows[1].split()[:2] == ["rig-0007", "silent"] and rows[1].endswith(
        "not heard of for 95 s"
    )
    assert "3.08 kW" in rows[1] and "215 TH/s" in rows[1] and "64 °C" in rows[1]
    assert len(rows) == 3 and "--limit" in result.stderr
    assert len(json.loads(surplus("rigs", "--json", "--limit", "300").stdout)) == len(RIGS)
    assert surplus("rigs", "stands still").stdout.count("\n") == 2
    assert surplus("rigs", "unheard-of").stderr == "no such rig\n"
    assert surplus("rigs", "--order", "beauty").exit_code == 2


def test_a_signal_is_set_listed_and_cleared(surplus, site):
    result = surplus("signal", "set", "3.2MW", "--for", "15m", "--by", "ada")
    assert (result.exit_code, result.stdout) == (0, "3.20 MW for 15 m 00 s, by ada\n")
    assert site.orders == [SignalOrder(mw=3.2, for_s=900.0, by="ada")]
    first, second = surplus("signal", "list").stdout.splitlines()
    assert first.startswith("dispatch") and "3.20 MW" in first and first.endswith("evening peak")
    assert "no limit  over, heard 15 m" in second
    assert surplus("signal", "clear").exit_code == 0 and site.withdrawn == ["operator"]


def test_a_refused_signal_ends_with_1_and_the_reason(surplus, site):
    site.refusal = "two people must agree"
    result = surplus("signal", "set", "3.2MW", "--for", "15m")
    assert result.exit_code == 1 and "two people must agree" in result.stderr
    site.withdrawable = ()
    result = surplus("signal", "clear")
    assert result.exit_code == 1 and "'operator' has said nothing" in result.stderr


def test_a_token_is_made_shown_once_listed_and_revoked(surplus):
    made = surplus("token", "add", "ann", "--role", "technician", "--days", "1")
    assert made.exit_code == 0 and made.stdout.startswith("surplus_") and "once" in made.stderr
    assert (
        "ann" in surplus("token", "list").stdout and "technician" in surplus("token", "list").stdout
    )
    again = surplus("token", "add", "ann", "--role", "viewer")
    assert again.exit_code == 2 and "revoke it first" in again.stderr and not again.stdout
    forever = json.loads(
        surplus("token", "add", "bob", "--role", "viewer", "--days", "0", "--json").stdout
    )
    assert forever["token"].startswith("surplus_")
    listed = json.loads(surplus("token", "list", "--json").stdout)
    assert [(t["name"], t["until_s"] is None) for t in listed] == [("ann", False), ("bob", True)]
    assert surplus("token", "revoke", "ann").stdout == "ann is let in no more\n"
    assert surplus("token", "revoke", "bob").exit_code == 0
    assert surplus("token", "revoke", "ann").exit_code == 1
    assert "nobody has a token" in surplus("token", "list").stderr


def test_alarms_say_what_to_do_and_end_with_1(surplus, site):
    for words in (["alarms"], ["alarms", "list"]):
        shown = surplus(*words)
        assert shown.exit_code == 1
        head, *rest = shown.stdout.splitlines()
        assert head.startswith("warning  rig-silent c07 (300 rigs): silent  [for ")
        assert [line.split(None, 1) for line in rest] == [
            ["means", "nothing heard"],
            ["check", "its switch port"],
            ["bring", "network cable"],
            ["rigs", "c07-r1-1, c07-r1-2 ..."],
        ]
    assert surplus("alarms", "list", "--brief").stdout.count("\n") == 1
    assert json.loads(surplus("alarms", "list", "--json").stdout)[0]["key"] == "rig-silent c07"
    site.alarms.found = []
    assert surplus("alarms").exit_code == 0 and "nothing is wrong" in surplus("alarms").stderr
    site.alarms.found = [replace(made_up.ALARM, silenced=True)]
    assert surplus("alarms").exit_code == 0 and "silenced" in surplus("alarms").stdout
    site.alarms.found = [made_up.ALARM]


def test_an_alarm_is_acknowledged_and_silenced(surplus, site):
    assert surplus("alarms", "ack", "rig-silent c07", "--by", "ann").exit_code == 0
    assert site.alarms.acked[-1] == ("rig-silent c07", "ann")
    assert surplus("alarms", "ack", "no such").exit_code == 1
    done = surplus("alarms", "silence", "--for", "2h", "--subject", "c07", "--why", "painting")
    assert done.stdout == "everything of c07: silent for 2 h 00 m\n"
    assert site.alarms.wishes[-1].until_s == made_up.NOW_S + 7200
    assert "/c07 " in surplus("alarms", "silences").stdout
    assert json.loads(surplus("alarms", "silences", "--json").stdout)[0]["why"] == "painting"
    assert "nothing is silenced" in surplus("alarms", "silences", "--end", "/c07").stderr
    wrong = surplus("alarms", "silence", "--for", "2h", "--rule", "nonsense")
    assert wrong.exit_code == 2 and "rig-silent" in wrong.stderr
    assert surplus("alarms", "silence", "--for", "2h").exit_code == 2
    assert surplus("alarms", "silence", "--for", "soon", "--rule", "rig-hot").exit_code == 2


def test_one_rig_in_full(surplus):
    shown = surplus("rig", "show", "rig-0007").stdout
    assert "rig       rig-0007, S21 Pro" in shown and "held      by nobody" in shown
    assert "points    1.00 kW 60.0 TH/s, 3.10 kW 215 TH/s" in shown and "1 to 975 W" in shown
    assert json.loads(surplus("rig", "show", "rig-0007", "--json").stdout)["epoch"] == 2
    assert surplus("rig", "show", "nobody").exit_code == 2


def test_rigs_are_held_and_let_go(surplus, site):
    site.holding.orders.clear()
    assert "nobody holds" in surplus("rig", "held").stderr
    done = surplus("rig", "sleep", "rig-0007", "--for", "30m", "--by", "ann", "--why", "a smell")
    assert (done.exit_code, done.stdout) == (0, "rig-0007         held\n")
    order = site.holding.orders[-1]
    assert (order.rigs, order.for_s, order.level, order.by, order.why) == (
        ["rig-0007"], 1800.0, 0, "ann", "a smell",
    )  # fmt: skip
    surplus("rig", "limit", "rig-0007", "--watts", "2000", "--for", "1h")
    assert (site.holding.orders[-1].watts, site.holding.orders[-1].level) == (2000, None)
    surplus("rig", "maintenance", "rig-0007", "rig-0008", "--for", "2d")
    assert site.holding.orders[-1].maintenance and len(site.holding.orders[-1].rigs) == 2
    assert (
        "rig-0007" in surplus("rig", "held").stdout and "a smell" in surplus("rig", "held").stdout
    )
    assert surplus("rig", "sleep", "nobody", "--for", "1m").exit_code == 1
    assert surplus("rig", "limit", "rig-0007", "--for", "1m").exit_code == 2
    assert surplus("rig", "wake", "rig-0007", "--by", "bob").stdout == "rig-0007         released\n"
    assert site.holding.released[-1] == (["rig-0007"], "bob")


def test_what_it_would_do_is_said_before(surplus, site):
    count = len(site.holding.orders)
    shown = surplus("rig", "sleep", "rig-0007", "--for", "1m", "--preview").stdout
    assert shown.splitlines() == [
        "3.19 MW now, 2.00 MW then",
        "340 rigs to sleep",
        "1 rig to run lower",
    ]
    assert len(site.holding.orders) == count
    assert surplus("signal", "preview", "2MW").stdout == shown
    assert json.loads(surplus("signal", "preview", "2MW", "--json").stdout)["sleep"] == 340
    assert site.orders == []


def test_what_people_did_is_told(surplus, site):
    site.deeds.clear()
    assert "nobody has done anything" in surplus("audit").stderr
    surplus("signal", "set", "3.2MW", "--for", "15m", "--by", "ada")
    told = surplus("audit", "--limit", "1").stdout
    assert "local (admin)  POST /api/signal" in told and told.rstrip().endswith(
        '200 {"accepted":"ada"}'
    )
    assert json.loads(surplus("audit", "--json").stdout)[0]["status"] == 200
    assert surplus("audit", "--who", "nobody").stdout == ""


def test_somebody_elses_token_and_address(state_dir, site, tmp_path):
    mine = tmp_path / "mine"
    words = ["token", "add", "eve", "--role", "viewer", "--state", str(state_dir)]
    mine.write_text(CliRunner().invoke(cli.build("token"), words).stdout)
    port = json.loads((state_dir / "api.json").read_text())["port"]
    env = {"SURPLUS_API": f"127.0.0.1:{port}", "SURPLUS_TOKEN_FILE": str(mine)}
    site.now = replace(SITE, at_s=time.time())

    def call(*words, **more):
        return CliRunner().invoke(cli.build(words[0]), words, env=env | more)

    assert "karoo" in call("status").stdout
    refused = call("signal", "set", "1MW", "--for", "1m")
    assert refused.exit_code == 1 and "needs the role operator; eve is viewer" in refused.stderr
    assert "address and a port" in call("status", SURPLUS_API="here").stderr


BAD_CALLS = [
    (["signal", "set", "3.2", "--for", "15m"], "as in 3.2MW"),
    (["signal", "set", "3.2MW", "--for", "15"], "as in 15m"),
    (["signal", "set", "3.2MW"], "--for"),
    (["why", "a", "b"], "b"),
    (["rigs", "--limit", "0"], "--limit"),
    (["status", "--jsn"], "--jsn"),
    (["top"], "terminal"),
]


@pytest.mark.parametrize("words, text", BAD_CALLS)
def test_bad_calls_end_with_2_and_what_would_be_right(surplus, site, words, text):
    result = surplus(*words)
    assert result.exit_code == 2 and text in result.stderr and not result.stdout
    assert site.orders == []


def test_no_supervisor(tmp_path):
    words = ["status", "--state", str(tmp_path)]
    result = CliRunner().invoke(cli.build("status"), words)
    assert result.exit_code == 1 and "not running: no api.json" in result.stderr


def test_foreign_text_cannot_command_the_terminal(surplus, site):
    site.now = replace(site.now, because="peak\x1b[2J\nwrong   nothing")
    shown = surplus("status").stdout
    assert "\x1b" not in shown and "peak�[2J�wrong" in shown


def test_a_command_that_cannot_be_loaded_costs_only_itself(monkeypatch, capsys):
    def good(app):
        app.command("good")(lambda: typer.echo("here"))

    def bad():
        raise ImportError("no such board")

    app = typer.Typer()
    cli.add(app, "bad", bad)
    cli.add(app, "worse", lambda: bad)
    cli.add(app, "good", lambda: good)
    assert CliRunner().invoke(app, []).stdout == "here\n"
    said = capsys.readouterr().err
    assert "command bad cannot be loaded: ImportError: no such board" in said and "worse" in said


def test_commands_of_other_packages_are_found(monkeypatch, capsys):
    plug_in = EntryPoint("other", "test_cli:register_other", cli.GROUP)
    monkeypatch.setattr(cli, "entry_points", lambda group: [plug_in] if group == cli.GROUP else [])
    assert CliRunner().invoke(cli.build("other"), ["other"]).stdout == "another\n"
    assert "other" not in CliRunner().invoke(cli.build("status"), ["--help"]).stdout


def register_other(app):
    app.command("other")(lambda: typer.echo("another"))


def run(*words):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_real_command_from_outside(state_dir, site):
    site.now = replace(SITE, at_s=time.time())
    done = run("-m", "supervisor", "status", "--state", str(state_dir))
    assert (done.returncode, done.stderr) == (0, "") and "karoo" in done.stdout
    assert run("-m", "supervisor", "--version").stdout.startswith("surplus 0.")


def test_status_starts_without_the_heavy_libraries(state_dir):
    code = (
        "import sys; from supervisor import cli\n"
        f"sys.argv = ['surplus', 'status', '--state', {str(state_dir)!r}]\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'textual', 'litestar', 'numpy', 'uvicorn', 'pymodbus'} & set(sys.modules)))"
    )
    done = run("-c", code)
    assert "karoo" in done.stdout and done.stdout.splitlines()[-1] == "[]", done.stderr
