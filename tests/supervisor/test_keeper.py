"""Alarms of a living site: what is measured on it, what is on record, what a restart finds."""

import dataclasses

import msgspec
import pytest
from test_people import Seen

from supervisor.alarms.keeper import Keeper, remembered
from supervisor.alarms.rules import RULES
from supervisor.alarms.state import Silence
from supervisor.fleet import ASLEEP, RUNNING
from supervisor.inbox import Reading
from supervisor.ledger import Ledger
from supervisor.people import People
from supervisor.sections.meter import MeterKeys
from tests.scenarios.world import UNIX_S


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    made.told = []
    made.people = People(made.world.site, made.told.extend)
    made.tick(5)
    yield made
    made.world.site.ledger.close()


def keys(seen):
    return [alarm.key for alarm in seen.people.alarms.views()]


def test_a_good_site_has_no_alarm(seen):
    seen.tick(30)
    assert keys(seen) == [] and seen.told == []


def test_a_fault_is_told_and_on_record(seen):
    seen.world.fault("r2")
    seen.tick(4)
    (alarm,) = [a for a in seen.people.alarms.views() if a.rule == "rig-fault"]
    assert (alarm.subject, alarm.severity, alarm.rigs) == ("r2", "warning", ["r2"])
    assert "supply" in alarm.tool and alarm.check and alarm.means
    assert [c.change for c in seen.told if c.alarm.rule == "rig-fault"] == ["raised"]
    rows = seen.world.site.ledger.of_source("alarm", "rig-fault r2", 9)
    assert [row.body["change"] for row in rows] == ["raised"] and "in fault" in rows[0].why
    seen.world.heal("r2")
    seen.tick(20)
    rows = seen.world.site.ledger.of_source("alarm", "rig-fault r2", 9)
    assert [row.body["change"] for row in rows] == ["raised", "cleared"]
    assert keys(seen) == []


def test_silent_and_cut_off_rigs(seen):
    seen.world.cut("r1")
    seen.tick(34)
    assert keys(seen) == ["rigs-out", "rig-down r1"]
    seen.world.mend("r1")
    seen.world.cut("r3")
    seen.world.rigs["r3"].cut_at = 0.0  # and not even the broker notices
    seen.tick(100)
    assert "rig-silent r3" in keys(seen) and "rig-down r1" not in keys(seen)


def test_the_worst_come_first(seen):
    seen.world.fault("r2")
    seen.tick(90)
    severities = [alarm.severity for alarm in seen.people.alarms.views()]
    assert severities == sorted(severities, key=("critical", "warning", "notice").index)
    assert len(severities) > 1


def test_a_rig_that_stays_on(seen):
    fleet, row = seen.world.site.fleet, seen.world.site.fleet.row_of["r0"]
    seen.world.ask(0)
    for _ in range(20):
        seen.world.tick()
        fleet.power_w[row], fleet.state[row] = 900, ASLEEP
        seen.people.look(seen.world.now_s)
    assert "rig-stays-on r0" in keys(seen)


def test_a_hot_rig_without_a_fan_that_hashes_too_little(seen):
    fleet, row = seen.world.site.fleet, seen.world.site.fleet.row_of["r0"]
    for _ in range(70):
        seen.world.now_s += 9.0
        seen.world.tick()
        fleet.level[row], fleet.state[row] = 2, RUNNING
        fleet.hot_dc[row], fleet.fan_rpm[row], fleet.hash_ghs[row] = 710, 0, 100
        fleet.power_w[row], fleet.cap_level[row] = 5000, 1
        seen.people.look(seen.world.now_s)
    found = {key.split()[0] for key in keys(seen) if key.endswith(" r0")}
    assert {"rig-fan", "rig-hot", "rig-poor", "rig-greedy", "rig-capped"} <= found


def test_the_sites_own_measures(seen):
    site = seen.world.site
    meter = MeterKeys(name="site", gateway="g", map="sunspec", stale_s=5.0)
    site.config = msgspec.structs.replace(site.config, meters=(meter,))
    for _ in range(8):
        seen.world.tick()
        site.inbox.readings["site"] = Reading("site", 9_000, seen.world.now_s)
        site.decision = dataclasses.replace(site.decision, metered_w=9_000, committed_w=7_500)
        seen.people.look(seen.world.now_s)
    assert keys(seen) == ["above-asked", "above-lease"]
    seen.tick(9)
    assert "meter-stale site" in keys(seen)


def test_every_measure_of_a_rule_is_taken_by_somebody(seen):
    keeper = seen.people.alarms
    keeper.others |= dict.fromkeys(
        (
            "broker.lost_s",
            "notify.failing_s",
            "door.wrong_per_min",
            "drive.unproven_s",
            "standby.unready_s",
            "history.failing",
        ),
        lambda: {"": 1e9},
    )
    seen.world.site.inbox.refuse("mqtt", "no")
    seen.tick()
    known = {name for name, watch in keeper.state.watches.items() if len(watch.raised)}
    assert {rule.name for rule in RULES} - known <= {"meter-stale", "behind", "above-asked"}
    assert {"broker-lost", "wrong-tokens"} <= {key.split()[0] for key in keys(seen)}


def test_a_source_refused_again_and_again(seen):
    for _ in range(4):
        seen.world.inbox.refuse("mqtt", "it is not JSON")
        seen.tick()
    assert "signal-refused mqtt" in keys(seen)
    seen.tick(200)
    assert "signal-refused mqtt" not in keys(seen)


def test_a_clock_that_jumps(seen):
    world, unix = seen.world, UNIX_S

    def tick(offset):
        world.now_s += 1
        world.site.tick(world.now_s, unix + world.now_s + offset, lambda *_: True)
        seen.people.look(world.now_s)

    for _ in range(5):
        tick(0)
    seen.told.clear()
    tick(3)
    tick(3)
    assert [c.alarm.rule for c in seen.told if c.alarm.rule == "clock-stepped"] == ["clock-stepped"]


def test_seen_and_silenced_are_on_record_and_survive_a_kill(seen, tmp_path):
    seen.world.fault("r2")
    seen.tick(4)
    alarms = seen.people.alarms
    assert alarms.acknowledge("rig-fault r2", "ann") and not alarms.acknowledge("nothing", "ann")
    unix_s = seen.people.unix_s()
    alarms.silence(Silence(rule="", subject="r3", until_s=unix_s + 600, by="bob", why="painting"))
    alarms.silence(Silence(rule="rig-hot", subject="", until_s=unix_s, by="bob"))
    ledger = Ledger(seen.world.site.ledger.path, readonly=True)  # as the next supervisor finds it
    state = remembered(ledger, 0.0, unix_s)
    ledger.close()
    assert state.alarms["rig-fault r2"].acked_by == "ann"
    assert [(w.subject, w.by, w.why) for w in state.silences.values()] == [
        ("r3", "bob", "painting")
    ]
    next_one = Keeper(seen.world.site)
    next_one.look(seen.world.now_s, seen.people.table, [0])
    assert [a.acked_by for a in next_one.views() if a.key == "rig-fault r2"] == ["ann"]
    assert next_one.silences()[0].until_s == unix_s + 600


def test_what_is_silenced_is_shown_and_said_to_be(seen):
    unix_s = seen.people.unix_s()
    seen.people.alarms.silence(Silence(rule="rig-fault", subject="", until_s=unix_s + 99, by="b"))
    seen.world.fault("r2")
    seen.tick(4)
    (alarm,) = [a for a in seen.people.alarms.views() if a.rule == "rig-fault"]
    assert alarm.silenced and [c.silenced for c in seen.told if c.alarm.key == alarm.key] == [True]
