"""The bench in virtual time, with the real firmware on it."""

from hil.bench import Bench
from hil.benches import hil

RIG = "rig-1"


def hour_of_a_rig(folder, seed, faults=()):
    with Bench(folder, seed=seed) as bench:
        rig, heard = bench.rig(RIG), bench.site.heard(RIG)
        bench.run_until(lambda: heard.joined, 10, "joined")
        bench.site.level(3)
        bench.run_until(lambda: heard.state["state"] == "running", 20, "running")
        for fault in faults:
            rig.faults.add(fault)
        bench.run(10)
        return bench.trace


def test_the_same_seed_gives_the_same_story_byte_for_byte(tmp_path):
    first = hour_of_a_rig(tmp_path / "a", 1)
    assert hour_of_a_rig(tmp_path / "b", 1) == first
    assert hour_of_a_rig(tmp_path / "c", 2) != first


def test_the_benchmark_measures_a_rig_at_work():
    result = hil.command(seconds=3)
    assert result["virtual_s_per_s"] > 0 and result["waits_per_virtual_s"] > 10
    assert result["bus_per_virtual_s"] > 70 > result["asked_per_virtual_s"]
    assert result["bus_us"] > 0 and result["bus_asked_us"] > 0
