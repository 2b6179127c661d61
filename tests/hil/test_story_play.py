"""Playing, judging, tracing and reporting stories, on a stage that is a list of numbers."""

import json
import re
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from hil import report_html, report_junit, story, story_run, story_trace
from hil.commands import stories
from hil.story_play import BROKEN, EXPECTED, FAILED, PASSED, UNEXPECTED, Player
from hil.story_tables import RIG_QUANTITIES

TALE = """
title = "A <fan> jams"
about = "Why & how."
never = "board_w > 4000"
[[step]]
wait = "1 s"
do = ["budget level 4", "break fan_stopped"]
expect = ["within 2 s: board_w == 0", "within 3 s: event fan-stopped"]
[[step]]
expect = "for 1 s: state == fault"
"""


class Stage:
    """Boards draw until off_s, then the rig is in fault and says so; look: ten a second."""

    def __init__(self, off_s: float, board_w: float = 3000.0) -> None:
        self.now_s, self._off_s, self._board_w = 0.0, off_s, board_w
        self.done: list[tuple[str, tuple[object, ...]]] = []
        self._told = False

    def do(self, call, args):
        if call == "burn":
            raise RuntimeError("the bench burns")
        self.done.append((call, args))

    def run(self):
        self.now_s = round(self.now_s + 0.1, 3)

    def look(self):
        well = {
            n: (q.words or ("",))[-1] if q.words or q.free else 0.0
            for n, q in RIG_QUANTITIES.items()
        }
        off = self.now_s >= self._off_s
        return well | {
            "board_w": 0.0 if off else self._board_w,
            "state": "fault" if off else "running",
        }

    def events(self):
        if self.now_s >= self._off_s and not self._told:
            self._told = True
            return [("fan-stopped", "fan 0 at 0 rpm of 5900")]
        return []

    def log(self):
        return "said \x00 by the firmware"

    def close(self):
        pass


def play(off_s: float, tale: str = TALE, **stage):
    return Player("tale", story.parse(tale, "tale"), 7, Stage(off_s, **stage)).play()


def kinds(run):
    return [(line.at_s, line.kind) for line in run.timeline if line.kind != "saw"]


def test_steps_follow_one_another_when_what_they_expect_has_come_true():
    run = play(2.0)
    assert run.verdict == PASSED and run.right and run.because == ""
    assert kinds(run) == [(1.0, "did"), (1.0, "did"), (2.0, "met"), (2.0, "met"), (3.0, "met")]
    assert run.virtual_s == pytest.approx(3.0)
    assert len(run.samples) == 33  # one a look: each step looks once before time passes


def test_a_deadline_passed_ends_the_story():
    run = play(3.1)
    assert run.verdict == FAILED and not run.right
    assert run.because == "within 2 s: board_w == 0: board_w is 3000, 2.0 s after it was done"
    assert kinds(run)[-1] == (3.0, "missed")
    assert play(3.0).verdict == PASSED


def test_never_is_watched_all_the_time_also_while_waiting():
    run = play(2.0, board_w=4001.0)
    assert run.verdict == FAILED and run.virtual_s < 1.0
    assert run.because == "never board_w > 4000: board_w is 4001"


def test_an_expected_failure_must_fail():
    known = TALE.replace("never", 'expected_failure = "nobody has built it"\nnever')
    assert play(9.0, known).verdict == EXPECTED and play(9.0, known).right
    assert play(2.0, known).verdict == UNEXPECTED and not play(2.0, known).right


def test_what_a_stage_cannot_do_is_a_broken_story(monkeypatch):
    def burning(_story, _seed, _speed):
        stage = Stage(1.0)
        stage.do = lambda call, args: Stage.do(stage, "burn", args)
        return stage

    monkeypatch.setattr(story_run, "_stage", burning)
    run = story_run.played("tale.toml", TALE, 0)
    assert (run.verdict, run.name) == (BROKEN, "tale")
    assert run.because == "RuntimeError: the bench burns" and "Traceback" in run.log


def test_a_timeline_tells_what_was_done_seen_and_missed():
    told = story_trace.timeline(play(3.1)).splitlines()
    assert "        1.0 s > budget level 4" in told
    assert any("! within 2 s: board_w == 0: board_w is 3000" in line for line in told)
    assert "        2.0 s   event fan-stopped: fan 0 at 0 rpm of 5900" in (
        story_trace.timeline(play(2.0)).splitlines()
    )


def test_a_trace_holds_everything_and_shows_where_two_part():
    saved = story_trace.text(play(2.0), TALE)
    head, columns, first, *_ = [json.loads(line) for line in saved.splitlines()]
    assert (head["story"], head["seed"], head["toml"]) == ("tale", 7, TALE)
    assert columns[0] == "at_s" and len(first) == len(columns)
    assert story_trace.difference(saved, story_trace.text(play(2.0), TALE)) == ""
    parted = story_trace.difference(saved, story_trace.text(play(2.1), TALE))
    assert parted.startswith("line 24: was ") and "3000" in parted
    assert "2 lines before, 1 now" in story_trace.difference("a\nb\n", "a\n")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"surplus trace": 9}', "\x00"])
def test_a_file_that_is_no_trace_is_refused(tmp_path, text):
    path = tmp_path / "x.trace"
    path.write_text(text)
    with pytest.raises(story.StoryError, match=r"x\.trace: "):
        story_trace.head(path)


# ---- reports


def test_junit_says_what_became_of_each():
    known = TALE.replace("never", 'expected_failure = "nobody has built it"\nnever')
    text = report_junit.junit([play(2.0), play(9.0), play(9.0, known)])
    suite = ElementTree.fromstring(text)
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    _, failed, skipped = suite.findall("testcase")
    failure = failed.find("failure")
    assert failure is not None and "board_w is 3000" in failure.get("message", "")
    assert "budget level 4" in (failure.text or "") and "by the firmware" in (failure.text or "")
    reason = skipped.find("skipped")
    assert reason is not None and reason.get("message") == "nobody has built it"


def test_the_page_needs_nobody_else_and_shows_what_failed_first():
    text = report_html.page([play(2.0), play(9.0)])
    assert not re.findall(r"""(?:src|href|url|@import)\s*[=(]?\s*["']?\s*(?:https?:|//|/)""", text)
    assert "<script" not in text and text.count("<details id=") == 2
    assert text.index("✗ failed") < text.index("✓ passed</span> <b>")
    assert "A &lt;fan&gt; jams" in text and "A <fan>" not in text and "Why &amp; how." in text
    assert "<title>2 stories: 1 wrong</title>" in text
    assert text.count("<svg") == 2 * 4 and "class='miss'" in text


def test_plots_stay_small_and_keep_every_spike():
    run = play(9.0)
    at = run.columns.index("board_w") + 1
    run.samples = [[n / 10, *run.samples[0][1:]] for n in range(20_000)]
    run.samples[12_345][at] = 9_000.0
    text = report_html.plots(run)
    assert len(text) < 60_000
    assert ">9 500<" in text
    assert re.search(r"class='s1' d='[^']*L617\.\d 5\.3", text), "the spike is not there"


# ---- the commands


@pytest.fixture
def app():
    made = typer.Typer()
    made.command("run")(stories.run)
    made.command("list")(stories.list_)
    return made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "no story named"),
        (["run", "fan-stop"], 'no story "fan-stop"; did you mean "fan-stops"?'),
        (["run", "nowhere.toml"], "nowhere.toml: No such file"),
        (["run", "feed-flaps", "--speed", "slow"], "--speed slow: one of fast, real"),
        (["run", "--replay", "nowhere.trace"], "nowhere.trace: No such file"),
    ],
)
def test_a_bad_call_says_what_would_be_right(app, words, said):
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2 and said in result.output


def test_a_run_reports_saves_and_replays(app, tmp_path):
    bad = tmp_path / "wishful.toml"
    bad.write_text(
        'title = "T"\nabout = "A"\non = "site"\n[site]\nrigs = 5\nlimit_mw = 0.02\n'
        '[[step]]\ndo = "ask 50 %"\nexpect = "within 4 s: awake == 5"\n'
    )
    words = ["run", str(bad), "meter-frozen", "--report", str(tmp_path / "out"), "--seed", "3"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1, result.output
    assert (
        "failed            wishful" in result.output
        and "passed            meter-frozen" in result.output
    )
    assert "> ask 50 %" in result.output and "awake is 0" in result.output
    assert (tmp_path / "out" / "stories.html").is_file() and (
        tmp_path / "out" / "junit.xml"
    ).is_file()
    trace = tmp_path / "out" / "wishful-3.trace"
    again = CliRunner().invoke(app, ["run", "--replay", str(trace)])
    assert again.exit_code == 0 and "the same as before" in again.output
    trace.write_text(trace.read_text().replace("ask 50 %", "ask 49 %"))
    assert CliRunner().invoke(app, ["run", "--replay", str(trace)]).exit_code == 1


def test_the_list_has_every_story(app):
    rows = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert [row["name"] for row in rows] == story.names()
    lines = CliRunner().invoke(app, ["list"]).stdout.splitlines()
    assert len(lines) == len(rows) and any("(expected to fail)" in line for line in lines)


def test_json_is_one_document(app):
    result = CliRunner().invoke(app, ["run", "meter-frozen", "--json"])
    (row,) = json.loads(result.stdout)
    assert result.exit_code == 0 and (row["story"], row["verdict"]) == ("meter-frozen", PASSED)
