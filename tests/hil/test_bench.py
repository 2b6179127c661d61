"""The bench in virtual time, the real firmware on it: what may befall a rig, and what it does."""

import json
import os
import subprocess
import sys

import pytest

from hil.bench import CHIP_HEAP, Bench, NotInTime
from hil.benches import hil
from hil.lockstep import Lockstep
from hil.rig import REPO

RIG = "rig-1"


@pytest.fixture
def bench(tmp_path):
    with Bench(tmp_path, seed=1) as bench:
        yield bench


def running(bench, level=3, **options):
    """A rig that runs at this level, and what the site hears of it."""
    rig, heard = bench.rig(RIG, **options), bench.site.heard(RIG)
    bench.run_until(lambda: heard.joined, 10, "joined")
    bench.site.level(level)
    bench.run_until(lambda: heard.state["level"] == level, 30, f"level {level}")
    return rig, heard


def minute_of_a_rig(folder, seed, faults=("fan_stopped:2",)):
    with Bench(folder, seed=seed) as bench:
        rig, _ = running(bench)
        rig.way.loss, rig.transactions = 0.2, []
        bench.at(bench.now_s + 20, lambda: rig.faults.update(faults))
        bench.run(40)
        return bench.trace + [repr(one) for one in rig.transactions]


def test_the_same_seed_gives_the_same_story_byte_for_byte(tmp_path):
    first = minute_of_a_rig(tmp_path / "a", 1)
    assert minute_of_a_rig(tmp_path / "b", 1) == first
    assert minute_of_a_rig(tmp_path / "c", 2) != first
    assert any('"code":"fan-stopped"' in line for line in first)


DIGEST = """
import hashlib, sys
from pathlib import Path
from tests.hil.test_bench import minute_of_a_rig
trace = minute_of_a_rig(Path(sys.argv[1]), 1, ("sensor_lost:3", "tach_dead:1", "i2c_stuck:0"))
print(hashlib.sha256("\\n".join(trace).encode()).hexdigest(), len(trace))
"""


def test_and_in_every_process(tmp_path):
    """Python's own chance, the order of sets of texts, has no part in it."""
    told = set()
    for seed in "12":
        env = dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=str(REPO))
        command = [sys.executable, "-c", DIGEST, str(tmp_path / seed)]
        told.add(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    assert len(told) == 1 and int(told.pop().split()[1]) > 2000


def test_what_is_foreseen_is_what_the_chips_would_have_said(bench, monkeypatch):
    monkeypatch.setattr(Lockstep, "strict", True)
    rig, heard = running(bench)
    rig.faults.add("sensor_spike")
    bench.run(5)
    rig.faults.discard("sensor_spike")
    rig.faults.add("psu_off")
    bench.run_until(lambda: heard.state["state"] == "fault", 5, "fault")
    assert rig.round_trips["seen"] > 1000


def test_with_the_heap_of_the_chip(bench):
    rig, heard = running(bench, heap=CHIP_HEAP)
    bench.run(30)
    assert (
        heard.state["state"] == "running" and rig.resets == [1] and "Memory" not in rig.log_text()
    )


# ---- network


def test_a_broker_that_ends_is_missed_at_once_and_found_again(bench):
    rig, heard = running(bench)
    bench.broker.down()
    off_s = bench.run_until(lambda: rig.board_w == 0, 5, "asleep at the end of the lease")
    assert 1.5 < off_s <= 3.1 and heard.state["level"] == 3
    bench.broker.up()
    bench.run_until(lambda: heard.joined and len(heard.nonces) == 2, 15, "joined again")
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "and hashing")
    assert heard.links[-2:] == ["down", "up"] or heard.links[-1] == "up"


def test_a_connection_half_open_is_given_up_and_made_again(bench):
    rig, heard = running(bench)
    bench.broker.half_open(RIG)
    off_s = bench.run_until(lambda: rig.board_w == 0, 5, "asleep at the end of the lease")
    assert off_s <= 3.1
    again_s = bench.run_until(lambda: len(heard.nonces) == 2 and heard.joined, 30, "joined again")
    assert 5 < again_s < 20
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "and hashing")
    assert rig.resets == [1]


def test_a_broker_that_cannot_be_reached_or_refuses(bench):
    rig, heard = running(bench)
    bench.broker.unreachable()
    bench.run_until(lambda: rig.board_w == 0, 5, "asleep")
    bench.run(60)
    bench.broker.refuse = 5
    bench.broker.unreachable(False)
    bench.run(30)
    assert any("refused" in line for line in bench.trace) and len(heard.nonces) == 1
    bench.broker.refuse = 0
    bench.run_until(lambda: heard.joined and len(heard.nonces) == 2, 30, "let in")
    assert rig.resets == [1]


def test_wifi_that_goes_and_comes_back(bench):
    rig, heard = running(bench)
    rig.wifi(False)
    bench.run_until(lambda: rig.board_w == 0, 5, "asleep at the end of the lease")
    bench.run(60)
    assert RIG not in " ".join(bench.broker.clients) and heard.links[-1] == "down"
    rig.wifi(True)
    bench.run_until(lambda: heard.joined and len(heard.nonces) == 2, 40, "joined again")
    bench.run_until(lambda: rig.hash_ghs > 0, 15, "and hashing")
    assert rig.resets == [1]


def test_wifi_that_blinks_costs_no_session(bench):
    rig, heard = running(bench)
    rig.wifi(False)
    bench.run(0.8)
    rig.wifi(True)
    bench.run(20)
    assert rig.hash_ghs > 0 and len(heard.nonces) == 1 and heard.links == ["up"]


@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_losses_cost_time_and_nothing_else(bench, loss):
    rig, heard = running(bench)
    bench.broker.delay_s, rig.way.loss = 0.15, loss
    bench.run(60)
    bench.run_until(lambda: rig.hash_ghs > 0, 60, "hashing")  # a lease may have run out
    assert not heard.wrong and rig.resets == [1]
    assert heard.states[-1][0] > bench.now_s - 15


def test_a_budget_that_was_long_on_its_way_gives_no_longer_lease(bench):
    rig, _ = running(bench)
    bench.at(bench.now_s + 0.5, lambda: setattr(bench.broker, "delay_s", 2.5))
    bench.at(bench.now_s + 0.9, bench.site.silence)
    last_s = bench.run_until(lambda: bench.site.admit_w is None, 5, "silence") + 0.0
    off_s = bench.run_until(lambda: rig.board_w == 0, 8, "asleep")
    assert off_s + last_s < 3.2


# ---- lease


def test_leases_end_to_the_tenth_of_a_second(bench):
    rig, heard = running(bench)
    for lease_s in (2.0, 5.0, 60.0):
        bench.site.joins, bench.site.lease_s = True, lease_s
        bench.run_until(lambda: heard.joined, 20, "joined")
        bench.site.level(1)
        bench.run_until(lambda: rig.hash_ghs > 0, 20, "hashing")
        bench.site.level(1)
        bench.site.silence()
        off_s = bench.run_until(lambda: rig.board_w == 0, lease_s + 5, "asleep")
        assert lease_s <= off_s <= lease_s + 0.15


# ---- controller


def test_a_brown_out_is_a_new_joining(bench):
    rig, heard = running(bench)
    rig.brown_out(0.3)
    bench.run_until(lambda: rig.board_w == 0, 1, "its pins fall")
    bench.run_until(lambda: heard.joined and len(heard.nonces) == 2, 25, "joined again")
    assert rig.resets == [1, 1] and heard.nonces[0] != heard.nonces[1]


def test_a_program_held_up_is_a_fault_and_longer_a_reset(bench):
    rig, heard = running(bench)
    rig.stall(1.5)
    bench.run_until(lambda: "loop-late" in heard.codes, 5, "late")
    bench.run_until(lambda: rig.board_w == 0, 0.1, "hash power off")
    rig.stall(30)
    bench.run_until(lambda: rig.resets == [1, 3], 6, "the watchdog bites")
    bench.run_until(lambda: heard.joined and len(heard.nonces) > 1, 25, "joined again")


def test_ticks_wrap_and_the_wall_clock_jumps_unnoticed(bench):
    rig, heard = running(bench, ticks_ms=(1 << 30) - 60_000)
    bench.at(bench.now_s + 20, lambda: rig.set_clock(1_900_000_000))
    bench.at(bench.now_s + 40, lambda: rig.set_clock(1_000_000_000))
    bench.run(80)
    assert rig.hash_ghs > 0 and len(heard.nonces) == 1 and rig.resets == [1]
    assert heard.codes == ["start", "joined"]


def test_the_wall_clock_starts_in_2000_and_lives_through_resets(bench):
    program = """
import machine, time
print(time.time(), time.gmtime()[:3])
if machine.reset_cause() == machine.PWRON_RESET:
    time.sleep(10)
    print(time.time())
    machine.reset()
"""
    rig = bench.rig("clock", program=program)
    bench.at(5, lambda: rig.set_clock(1_782_000_000))
    bench.run(15)
    assert rig.log_text().splitlines() == [
        "0 (2000, 1, 1)",
        "835315205",  # from 2000: 1,782,000,000 less 946,684,800, and 5.35 s
        "835315205 (2026, 6, 21)",
    ]


def test_noise_on_a_chain_is_dropped(bench):
    rig, heard = running(bench)
    for burst in range(40):
        bench.at(bench.now_s + burst * 0.5, lambda: rig.noise(1, bench.chance.randbytes(300)))
    bench.run(30)
    assert rig.hash_ghs > 0 and heard.state["state"] == "running"


def test_every_transaction_can_be_recorded(bench):
    rig, _ = running(bench)
    rig.transactions = []
    bench.run(10)
    kinds = {kind for _, kind, _, _, _ in rig.transactions}
    assert {"i2c", "uart", "counter"} <= kinds
    times = [now_s for now_s, *_ in rig.transactions]
    assert times == sorted(times) and len(times) > 700


def test_several_rigs_share_one_clock(bench):
    rigs = [bench.rig(f"rig-{n}", ambient_c=20 + 5 * n) for n in range(3)]
    bench.run_until(
        lambda: len(bench.site.rigs) == 3 and all(one.joined for one in bench.site.rigs.values()),
        15,
        "all joined",
    )
    bench.site.level(2)
    bench.run_until(lambda: all(rig.hash_ghs > 0 for rig in rigs), 20, "all hash")
    bench.site.budget(0)
    assert bench.run_until(lambda: not any(rig.board_w for rig in rigs), 1, "all off") < 0.5


# ---- flash

WRITER = """
import json, os, time
names = os.listdir()
if "settings.new" in names:
    os.remove("settings.new")
now = json.load(open("settings.json"))
print("read", now["n"])
with open("settings.new", "w") as file:
    json.dump({"n": now["n"] + 1}, file)
os.rename("settings.new", "settings.json")
print("done")
while True:
    time.sleep(1)
"""


def test_power_lost_at_any_step_of_a_write_leaves_the_old_or_the_new(bench):
    """A program that writes beside and renames, as settings should be written."""
    rig = bench.rig("writer", program=WRITER, start=False)
    settings = rig.flash / "settings.json"
    settings.write_text('{"n": 1}')
    step = 1
    while True:
        before = json.loads(settings.read_text())["n"]
        rig.lose_power_at_write(step)
        rig.start()
        bench.run(2)
        assert json.loads(settings.read_text())["n"] in (before, before + 1)
        if rig.alive:
            break
        step += 1
    assert step > 3 and "done" in rig.log_text()


HALF = """
with open("half", "w") as file:
    file.write("a")
    file.flush()
    file.write("b")
    raise SystemExit
"""


def test_what_was_not_flushed_is_not_there(bench):
    rig = bench.rig("half", program=HALF, start=False)
    rig.lose_power_at_write(4)  # open, write, flush, write
    rig.start()
    bench.run(2)
    assert (rig.flash / "half").read_text() == "a" and not rig.alive


# ---- the bench itself


def test_what_does_not_come_raises_with_the_story_so_far(bench):
    bench.rig(RIG)
    with pytest.raises(NotInTime, match=r"not within 3 s: pigs fly[\s\S]*power on"):
        bench.run_until(lambda: False, 3, "pigs fly")
    with pytest.raises(ValueError, match=RIG):
        bench.rig(RIG)


def test_a_program_that_waits_by_looking_at_the_clock_gets_there(bench):
    program = """
import time
began = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), began) < 50:
    pass
print("there", time.ticks_ms() - began)
"""
    rig = bench.rig("looks", program=program)
    bench.run(1)
    assert rig.log_text() == "there 50\n"


def test_real_time_is_kept_when_asked_for(tmp_path):
    import time

    with Bench(tmp_path, speed=4.0) as bench:
        bench.rig(RIG)
        began_s = time.monotonic()
        bench.run(2)
        assert 0.45 < time.monotonic() - began_s < 2


def test_the_benchmark_measures_a_rig_at_work():
    result = hil.command(seconds=3)
    assert result["virtual_s_per_s"] > 0 and result["waits_per_virtual_s"] > 10
    assert result["bus_per_virtual_s"] > 70 and result["asked_per_virtual_s"] < 10
    assert result["bus_us"] > 0 and result["bus_asked_us"] > 0
