"""Alarms step by step: delay, hysteresis, many together, what people do, a restart."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.alarms import step as steps
from supervisor.alarms.rules import BY_NAME, RULES, SEVERITIES
from supervisor.alarms.state import EMPTY, Measured, Silence, Snapshot, Watch

UNIX_S = 1_800_000_000.0
HOT = BY_NAME["rig-hot"]  # above 70 for 30 s, below 65 for 60 s
FAULT = BY_NAME["rig-fault"]  # 2 s, 5 s
SIGNAL = BY_NAME["signal-silent"]  # 2 s, 5 s


class Story:
    """Seconds pass; what is measured stays what it was until told otherwise."""

    def __init__(self, containers=1, rigs=3):
        self.state, self.now_s, self.told = EMPTY, 0.0, []
        self.names = [f"c{c}-r{n}" for c in range(containers) for n in range(rigs)]
        self.places = [f"c{c}" for c in range(containers)]
        self.place = np.repeat(np.arange(containers), rigs)
        self.values, self.numbers = {}, {}

    def rigs(self, measure, **by_name):
        column = self.values.setdefault(measure, np.zeros(len(self.names)))
        for name, value in by_name.items():
            column[self.names.index(name.replace("_", "-"))] = value

    def pass_(self, seconds, each=1.0):
        for _ in range(int(seconds / each)):
            self.now_s += each
            measured = {
                f"rig.{name}": Measured(
                    self.names,
                    column.copy(),
                    ["it says"] * len(self.names),
                    self.place,
                    self.places,
                )
                for name, column in self.values.items()
            } | {
                name: Measured(list(by), np.array(list(by.values()), dtype=float))
                for name, by in self.numbers.items()
            }
            snapshot = Snapshot(self.now_s, UNIX_S + self.now_s, measured)
            self.state, changes = steps.step(snapshot, self.state)
            self.told += [(c.change, c.alarm.key, c.alarm.count, c.silenced) for c in changes]
        news, self.told = self.told, []
        return [(change, key) for change, key, _, _ in news]


@pytest.fixture
def story():
    return Story()


# ---- one rule


def test_raised_after_its_delay_and_cleared_after_its_hold(story):
    story.rigs("hot_c", c0_r1=71)
    assert story.pass_(30) == []
    assert story.pass_(1) == [("raised", "rig-hot c0-r1")]
    story.rigs("hot_c", c0_r1=66)  # between the bounds: it stays
    assert story.pass_(300) == []
    story.rigs("hot_c", c0_r1=64)
    assert story.pass_(60) == []
    assert story.pass_(1) == [("cleared", "rig-hot c0-r1")] and not story.state.alarms


def test_a_spike_raises_nothing_and_a_dip_clears_nothing(story):
    for _ in range(10):
        story.rigs("hot_c", c0_r1=71)
        assert story.pass_(29) == []
        story.rigs("hot_c", c0_r1=69)
        assert story.pass_(1) == []
    story.rigs("hot_c", c0_r1=71)
    story.pass_(31)
    for _ in range(10):
        story.rigs("hot_c", c0_r1=60)
        assert story.pass_(59) == []
        story.rigs("hot_c", c0_r1=65)
        assert story.pass_(1) == []
    assert list(story.state.alarms) == ["rig-hot c0-r1"]


@given(st.lists(st.floats(0, 100), min_size=5, max_size=60))
def test_an_alarm_is_news_only_when_it_turns(values):
    story = Story(rigs=1)
    stands = False
    for value in values:
        story.rigs("hot_c", c0_r0=value)
        for change, _ in story.pass_(10, each=5.0):
            assert (change == "raised") != stands and change in ("raised", "cleared")
            stands = not stands
    assert stands == bool(story.state.alarms)


def test_what_is_no_longer_measured_clears(story):
    story.numbers["signal.silent"] = {"mqtt": 1.0, "csv": 0.0}
    assert story.pass_(3) == [("raised", "signal-silent mqtt")]
    story.numbers["signal.silent"] = {"csv": 0.0}
    assert story.pass_(6) == [("cleared", "signal-silent mqtt")]
    story.numbers = {}
    assert story.pass_(10) == []


def test_a_source_that_comes_later_is_watched_too(story):
    story.numbers["signal.silent"] = {"mqtt": 1.0}
    story.pass_(3)
    story.numbers["signal.silent"] = {"csv": 1.0, "mqtt": 1.0}
    assert story.pass_(3) == [("raised", "signal-silent csv")]


def test_the_text_says_what_the_rig_says(story):
    story.rigs("fault", c0_r1=1)
    story.pass_(3)
    (alarm,) = story.state.alarms.values()
    assert (alarm.text, alarm.rigs, alarm.severity) == ("in fault: it says", ["c0-r1"], "warning")
    assert alarm.since_s == UNIX_S + 3


def test_rigs_that_join_later_are_watched_too(story):
    story.rigs("fault", c0_r1=1)
    story.pass_(3)
    story.names.append("c0-r3")
    story.place = np.append(story.place, 0)
    story.values["fault"] = np.array([0.0, 1.0, 0.0, 1.0])
    assert story.pass_(3) == [("raised", "rig-fault c0-r3")]


# ---- many together


def test_a_container_of_silent_rigs_is_one_alarm():
    story = Story(containers=4, rigs=300)
    story.rigs("missed", c3_r7=5)
    assert story.pass_(11) == [("raised", "rig-silent c3-r7")]
    story.values["missed"][story.place == 1] = 5
    assert story.pass_(11) == [("raised", "rig-silent c1")]
    alarm = story.state.alarms["rig-silent c1"]
    assert (alarm.count, len(alarm.rigs), alarm.text) == (300, 10, "silent")
    story.values["missed"][story.place == 1] = 0
    story.rigs("missed", c1_r5=5)  # one is left: still the container's
    assert story.pass_(6) == [] and story.state.alarms["rig-silent c1"].count == 1
    story.rigs("missed", c1_r5=0)
    assert story.pass_(6) == [("cleared", "rig-silent c1")]
    assert list(story.state.alarms) == ["rig-silent c3-r7"]


def test_single_alarms_become_one_and_that_is_said(story):
    story = Story(containers=2, rigs=20)
    for n in range(4):
        story.values.setdefault("fault", np.zeros(40))[n] = 1
        story.pass_(3)
    story.rigs("fault", c1_r3=1)
    story.pass_(3)
    assert len(story.state.alarms) == 5
    story.rigs("fault", c0_r9=1)
    news = story.pass_(3)
    assert news[0] == ("raised", "rig-fault c0")
    assert sorted(news[1:]) == [("merged", f"rig-fault c0-r{n}") for n in range(4)]
    assert sorted(story.state.alarms) == ["rig-fault c0", "rig-fault c1-r3"]


def test_a_rig_that_is_well_while_others_merge_is_cleared():
    story = Story(containers=2, rigs=20)
    story.rigs("fault", c1_r3=1)
    story.pass_(3)
    story.values["fault"][:] = 0
    story.pass_(3)  # of its hold
    story.values["fault"][:10] = 1
    assert sorted(story.pass_(3)) == [("cleared", "rig-fault c1-r3"), ("raised", "rig-fault c0")]


def test_many_containers_are_one_alarm_of_the_site():
    story = Story(containers=8, rigs=10)
    story.values["down_s"] = np.where(story.place < 2, 60.0, 0.0)
    assert story.pass_(1) == [("raised", "rig-down c0"), ("raised", "rig-down c1")]
    story.values["down_s"] = np.where(story.place < 6, 60.0, 0.0)
    news = story.pass_(1)
    assert news[0] == ("raised", "rig-down") and {n[0] for n in news[1:]} == {"merged"}
    assert story.state.alarms["rig-down"].count == 60 and len(story.state.alarms) == 1
    story.values["down_s"][:] = 0
    assert story.pass_(6) == [("cleared", "rig-down")]


def test_an_alarm_that_grows_much_is_news_once():
    story = Story(containers=1, rigs=100)
    counts = []
    for count in range(5, 101, 5):
        story.values["fault"] = (np.arange(100) < count).astype(float)
        counts += [(change, count) for change, _ in story.pass_(3)]
    assert counts == [("raised", 5), ("grew", 10), ("grew", 20), ("grew", 40), ("grew", 80)]


def test_rigs_without_a_place_are_the_sites():
    story = Story(containers=1, rigs=6)
    story.place, story.places = np.full(6, -1), []
    story.values["fault"] = np.ones(6)
    assert story.pass_(3) == [("raised", "rig-fault")]


# ---- what people do


def test_who_acknowledged_is_kept_until_it_grows():
    story = Story(containers=1, rigs=100)
    story.values["fault"] = (np.arange(100) < 5).astype(float)
    story.pass_(3)
    story.state, changes = steps.acknowledge(story.state, "rig-fault c0", "ann", UNIX_S)
    assert [c.change for c in changes] == ["acked"]
    story.values["fault"] = (np.arange(100) < 9).astype(float)
    story.pass_(3)
    assert story.state.alarms["rig-fault c0"].acked_by == "ann"
    story.values["fault"] = np.ones(100)
    story.pass_(3)
    assert story.state.alarms["rig-fault c0"].acked_by == ""
    with pytest.raises(KeyError):
        steps.acknowledge(story.state, "no such", "ann", UNIX_S)


def silenced(until_s, rule="", subject=""):
    return Silence(rule=rule, subject=subject, until_s=UNIX_S + until_s, by="ann")


@pytest.mark.parametrize(
    "rule, subject, covers",
    [
        ("rig-fault", "", True),
        ("rig-hot", "", False),
        ("", "c0", True),
        ("", "c0-r1", True),
        ("", "c", False),
        ("", "c0-r", False),
        ("", "c0-r11", False),
        ("rig-fault", "c0", True),
        ("rig-fault", "c1", False),
    ],
)
def test_what_a_silence_covers(story, rule, subject, covers):
    story.state = steps.silence(story.state, silenced(100, rule, subject))
    story.rigs("fault", c0_r1=1)
    story.pass_(2)
    story.now_s += 1
    story.rigs("fault", c0_r1=1)
    snapshot = Snapshot(
        story.now_s, UNIX_S + story.now_s,
        {"rig.fault": Measured(story.names, story.values["fault"], None, story.place, ["c0"])},
    )  # fmt: skip
    _, (change,) = steps.step(snapshot, story.state)
    assert change.silenced is covers


def test_a_silence_ends_and_can_be_ended(story):
    story.state = steps.silence(story.state, silenced(10, "rig-fault"))
    story.pass_(9)
    assert story.state.silences
    story.pass_(1)
    assert not story.state.silences
    story.state = steps.silence(story.state, silenced(1000, "rig-fault"))
    story.state = steps.silence(story.state, silenced(0, "rig-fault"))
    story.pass_(1)
    assert not story.state.silences


# ---- a restart


def restarted(story):
    state = steps.taken_over(
        list(story.state.alarms.values()), list(story.state.silences.values()), story.now_s
    )
    story.state = state


def test_what_stood_before_a_restart_is_no_news_after_it():
    story = Story(containers=3, rigs=50)
    story.rigs("fault", c0_r1=1)
    story.values["missed"] = np.where(story.place == 1, 5.0, 0.0)
    story.numbers["signal.silent"] = {"mqtt": 1.0}
    story.pass_(15)
    before = dict(story.state.alarms)
    assert len(before) == 3
    restarted(story)
    assert story.pass_(200) == []
    assert story.state.alarms.keys() == before.keys() and not story.state.kept
    since = {key: alarm.since_s for key, alarm in story.state.alarms.items()}
    assert since == {key: alarm.since_s for key, alarm in before.items()}


def test_a_container_stays_one_alarm_across_a_restart():
    story = Story(containers=3, rigs=50)
    story.values["missed"] = np.where(story.place == 1, 5.0, 0.0)
    story.pass_(15)
    restarted(story)
    story.values["missed"][:] = 0
    story.rigs("missed", c1_r5=5)
    assert story.pass_(20) == [] and list(story.state.alarms) == ["rig-silent c1"]
    assert story.state.alarms["rig-silent c1"].count == 1


def test_what_ended_during_a_restart_clears_when_it_could_have_been_seen():
    story = Story(containers=3, rigs=50)
    story.values["missed"] = np.where(story.place == 1, 5.0, 0.0)
    story.pass_(15)
    restarted(story)
    story.values["missed"][:] = 0
    assert story.pass_(69) == []
    assert story.pass_(2) == [("cleared", "rig-silent c1")]


# ---- the table


def test_the_table_makes_sense():
    assert len(BY_NAME) == len(RULES) and [r.severity for r in RULES].count("critical") > 3
    for rule in RULES:
        assert rule.below <= rule.above and rule.delay_s >= 0 and rule.hold_s > 0, rule.name
        assert rule.severity in SEVERITIES and rule.means and rule.check and rule.tool
    assert Watch.none().subjects == []


def test_the_page_tells_every_rule():
    page = (Path(__file__).parents[2] / "supervisor" / "README.md").read_text()
    told = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.split("\n## Alarms\n")[1].split("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert told == [
        [f"`{r.name}`", r.severity, f"{r.above:g} for {r.delay_s:g} s",
         f"{r.below:g} for {r.hold_s:g} s", r.text, r.means, r.check, r.tool]
        for r in RULES
    ]  # fmt: skip
