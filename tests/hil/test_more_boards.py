"""The same firmware on a machine of other chips: it wakes, hashes what it says, loses a board,
stops for a fan, and sleeps."""

import pytest

from hil.bench import Bench

RIG = "rig-1"


@pytest.mark.parametrize("board, chips", [("s19kpro", 231)])
def test_it_does_what_the_first_one_does(tmp_path, board, chips):
    with Bench(tmp_path, seed=3) as bench:
        rig, heard = bench.rig(RIG, board=board), bench.site.heard(RIG)
        bench.run_until(lambda: heard.joined, 20, "joined")
        assert heard.hello["chips"] == chips and len(heard.hello["points"]) == 8
        for level in (1, 4, 8):
            watts, ghs = heard.hello["points"][level - 1]
            bench.site.level(level)
            bench.run_until(lambda n=level: heard.state["level"] == n, 30, f"level {level}")
            bench.run(240)
            print(
                f"level {level}: {rig.power_w:.0f} of {watts} W, {rig.hash_ghs:.0f} of {ghs} GH/s"
            )
            assert rig.power_w == pytest.approx(watts, rel=0.03)
            assert rig.hash_ghs == pytest.approx(ghs, rel=0.01)
        rig.faults.add("board_dead:1")
        bench.run_until(lambda: "board-lost" in heard.codes, 30, "its board is missed")
        bench.run_until(lambda: heard.state["cap_level"] < 8, 5, "and the site is told")
        bench.run(20)
        assert heard.state["state"] == "running" and rig.board_w > 1000
        rig.faults.clear()
        bench.run_until(lambda: heard.state["cap_level"] == 8, 60, "it is back")
        rig.faults.add("fan_stopped:2")
        bench.run_until(lambda: rig.board_w == 0, 3, "off for a stopped fan")
        bench.run_until(lambda: heard.state["state"] == "fault", 5, "and says so")
