"""The real firmware on virtual parts: the contract, seen from outside.

Stories are in virtual time; the first one goes over real sockets and a real broker.
"""

import base64
import json

import pytest

from hil.bench import Bench
from hil.live_peer import met
from protocols import messages, topics
from protocols.blackbox_reading import read

RIG = "rig-1"


def near(watts, wanted_w):
    return abs(watts - wanted_w) < 0.02 * wanted_w


@pytest.fixture
def bench(tmp_path):
    with Bench(tmp_path, seed=7) as bench:
        yield bench


@pytest.mark.real_time
@pytest.mark.asyncio
@pytest.mark.timeout(60)
async def test_over_real_sockets_it_joins_hashes_sleeps_and_dies(tmp_path, broker_port):
    async with met(tmp_path, broker_port, "rig-real") as (peer, rig):
        ladder = await peer.welcome()
        assert peer.state["level"] == 0 and rig.board_w == 0 and not rig.plant.supply.enabled
        await peer.budget(ladder[0][2])
        await peer.until(lambda: rig.hash_ghs > 0, 15, "the first hash")
        await peer.budget(0)
        assert await peer.until(lambda: rig.board_w == 0, 1, "budget 0") < 1
        rig.kill()
        await peer.until(lambda: peer.links[-1:] == [b"down"], 10, "the will")


def joined(bench):
    """A rig that has joined, what the site hears of it, its ladder and its watts by level."""
    rig, heard = bench.rig(RIG), bench.site.heard(RIG)
    bench.run_until(lambda: heard.joined, 10, "joined")
    watts = [heard.hello["floor_w"]] + [point[0] for point in heard.hello["points"]]
    return rig, heard, bench.site.ladder(RIG), watts


def obeyed(bench, admit_w):
    """Broadcast, and wait until the rig says it heard exactly this one or a later one."""
    bench.site.budget(admit_w)
    seq, heard = bench.site.seq, bench.site.heard(RIG)
    bench.run_until(lambda: heard.state["seq"] >= seq, 15, f"budget {seq} obeyed")


def test_who_has_not_joined_runs_on_no_budget(bench):
    bench.site.joins = False
    rig, heard = bench.rig(RIG), bench.site.heard(RIG)
    bench.run_until(lambda: heard.hello, 10, "hello")
    assert (heard.hello["boards"], heard.hello["chips"], len(heard.hello["points"])) == (3, 195, 8)
    bench.site.budget(100_000)
    bench.run(5)
    bench.site.admit_w, bench.site.joins = None, True
    bench.run_until(lambda: heard.joined, 5, "joined: the command itself raises nothing")
    bench.run(5)
    assert heard.state["level"] == 0 and rig.board_w == 0 and not rig.plant.supply.enabled


def test_it_draws_what_its_table_says_and_half_of_a_step(bench):
    rig, heard, ladder, watts = joined(bench)
    bench.site.budget(ladder[2][2])
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "the first hash")
    level_s = bench.run_until(lambda: near(rig.power_w, watts[3]), 20, "level 3")
    bench.run_until(lambda: rig.hash_ghs == heard.hello["points"][2][1], 2, "its hash rate")
    print(f"level 3 {level_s:.1f} s after the first hash")
    bench.site.budget((ladder[3][1] + ladder[3][2]) // 2)
    half_w = (watts[3] + watts[4]) / 2
    bench.run_until(lambda: near(rig.power_w, half_w), 10, "half of the step to level 4")
    bench.run(12)
    assert heard.state["level"] == 3 and near(rig.power_w, half_w)


def test_what_is_forged_replayed_or_of_an_old_term_changes_nothing(bench):
    rig, heard, ladder, watts = joined(bench)
    obeyed(bench, ladder[3][2])
    topic, high = bench.site.sent[-1]
    obeyed(bench, ladder[1][2])
    bench.site.say(topic, high)
    forged = json.loads(bench.site.sent[-2][1]) | {"seq": bench.site.seq + 1, "admit_w": 100_000}
    bench.site.say(topic, json.dumps(forged, separators=(",", ":")).encode())
    bench.site.budget(100_000, term=0)
    obeyed(bench, ladder[1][2])
    bench.run_until(lambda: near(rig.power_w, watts[2]), 20, "level 2")
    bench.run_until(lambda: heard.state["level"] == 2, 2, "and says so")
    bench.run(15)
    assert heard.state["level"] == 2 and near(rig.power_w, watts[2])
    assert heard.state["term"] == bench.site.term and bench.site.seq - heard.state["seq"] < 12


def test_a_lease_that_ends_is_sleep_and_a_new_joining_that_no_replay_gives(bench):
    rig, heard, _, watts = joined(bench)
    bench.site.level(1)
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "awake")
    bench.site.level(1)
    bench.site.silence()
    quiet_s = bench.run_until(lambda: rig.board_w == 0, 5, "lease ended")
    assert 3.0 <= quiet_s <= 3.2
    bench.run_until(lambda: len(heard.nonces) == 2, 5, "a fresh nonce")
    for topic, payload in list(bench.site.sent):
        bench.site.say(topic, payload)
    bench.run(5)
    assert rig.board_w == 0 and heard.state["state"] == "joining"
    bench.site.joins = True
    bench.run_until(lambda: heard.joined, 10, "joined again")
    bench.site.level(1)
    bench.run_until(lambda: near(rig.power_w, watts[1]), 20, "level 1 again")
    bench.site.budget(0)
    assert bench.run_until(lambda: rig.board_w == 0, 1, "budget 0") < 0.2


def test_a_controller_that_dies_lets_go_and_comes_back_a_stranger(bench):
    rig, heard, _, _ = joined(bench)
    bench.site.level(1)
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "awake")
    rig.kill()
    assert bench.run_until(lambda: rig.board_w == 0, 1, "its pins fall") < 0.2
    bench.run_until(lambda: heard.links[-1:] == ["down"], 20, "the will")
    bench.site.silence()
    rig.restart()
    bench.run_until(lambda: len(heard.nonces) == 2, 10, "hello after the reboot")
    for topic, payload in list(bench.site.sent):
        bench.site.say(topic, payload)
    bench.run(5)
    assert heard.state["state"] == "joining" and rig.board_w == 0
    bench.site.joins = True
    bench.run_until(lambda: heard.joined, 10, "joined again")
    assert heard.state["state"] == "asleep" and rig.board_w == 0
    assert heard.links[-1] == "up" and rig.resets == [1, 1]


# fault -> seconds it may take until no board draws a watt
FAULTS = {"fan_stopped:2": 3.0, "sensor_lost:3": 10.0, "i2c_stuck:0": 10.0, "psu_off": 3.0}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_breaks_takes_hash_power_off(bench, fault):
    """The broadcast that says "run" goes on."""
    rig, heard, _, watts = joined(bench)
    bench.site.level(1)
    bench.run_until(lambda: near(rig.power_w, watts[1]), 30, "level 1")
    rig.faults.add(fault)
    off_s = bench.run_until(lambda: rig.board_w == 0, FAULTS[fault], fault)
    bench.run_until(lambda: heard.state["state"] == "fault", 5, "state says fault")
    print(f"{fault}: off after {off_s:.2f} s, {heard.state['why']!r}")
    assert heard.state["cap_level"] == 0 and heard.state["why"]
    assert rig.alive and rig.resets == [1]


def told(heard):
    return [event["text"] for event in heard.events if event["code"] == "told"]


def test_words_in_a_command_are_obeyed_once_and_answered(bench):
    _, heard, ladder, _ = joined(bench)
    bench.site.words(RIG, "set state_ms=20000", "set wifi_password=hush", "set state_ms=1")
    bench.run_until(lambda: len(told(heard)) == 3, 5, "three answers")
    number = heard.id
    assert told(heard)[0] == f"{number} set state_ms: state_ms: holds"
    assert told(heard)[1].startswith(f"{number} set wifi_password: refused: only at the rig")
    assert "from 1000 to 60000" in told(heard)[2] and "hush" not in str(heard.events)
    for topic, payload in list(bench.site.sent):
        bench.site.say(topic, payload)
    bench.run(5)
    assert len(told(heard)) == 3, "a replay is not obeyed"
    obeyed(bench, ladder[0][2])
    bench.run_until(lambda: heard.state["level"] == 1, 20, "and the rig runs on")


def test_the_last_minutes_before_a_fault_outlive_a_reset_and_are_told_in_parts(bench):
    rig, heard, _, _ = joined(bench)
    parts = []
    topic = topics.rig(bench.site.name, RIG, "box")
    bench.broker.subscribe(topic, lambda _, body: parts.append(messages.decode("box", body)))
    bench.site.level(5)
    bench.run(200)
    rig.faults.add("fan_stopped:2")
    bench.run_until(lambda: "black-box" in heard.codes, 10, "it is kept")
    rig.restart()
    rig.faults.clear()
    bench.run_until(lambda: heard.state["state"] == "asleep", 30, "joined again")
    bench.site.words(RIG, "blackbox", "blackbox 1")
    bench.run_until(lambda: parts and len(parts[-1]["data"]) < 800, 10, "all its parts")
    assert "kept: 1 fan-stopped; missed 0" in told(heard)[0]
    assert [part["part"] for part in parts] == list(range(len(parts)))
    box = read(b"".join(base64.b64decode(part["data"]) for part in parts))
    assert (box.number, box.why) == (1, "fan-stopped")
    assert box.rows[0][0] > 120_000, "minutes of it"
    ages = [age_ms for age_ms, _ in box.rows]
    assert ages == list(range(ages[0], -100, -100)), "every turn of 100 ms"
    began_ms = next(age_ms for age_ms, values in box.rows if values["state"] == "fault")
    assert 2_500 <= began_ms <= 3_500, "and what came of it"
    before = next(values for age_ms, values in box.rows if age_ms == began_ms + 5_000)
    assert before["state"] == "running" and before["level"] == 5 and before["fan_rpm"] > 2_000
    stopped = next(age_ms for age_ms, values in box.rows if values["fan_rpm"] == 0)
    assert stopped > began_ms, "the fan stood before anybody acted"


def test_a_rig_in_a_fault_can_be_located_and_is_not_joined(bench):
    rig, heard, _, _ = joined(bench)
    rig.faults.add("fan_stopped:1")
    bench.run_until(lambda: heard.state["state"] == "fault", 10, "the fault")
    bench.site.words(RIG, "locate 5", "faults")
    bench.run_until(lambda: len(told(heard)) == 2, 5, "two answers")
    assert "located for 5 s" in told(heard)[0] and "fan-stopped" in told(heard)[1]
    seen = set()
    for _ in range(10):
        bench.run(0.1)
        seen.add(rig.wiring.led)
    assert (60, 60, 60) in seen and (0, 0, 0) in seen
    assert heard.state["id"] == 0 and heard.state["state"] == "fault" and rig.board_w == 0
