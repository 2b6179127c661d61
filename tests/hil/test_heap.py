"""A day of a rig with the chip's heap: what it holds after an hour is what it holds after 24."""

import random
import re

import pytest

from hil.bench import CHIP_HEAP, Bench
from hil.rig import MAIN

# the firmware's main.py, and what is in use after every collection
WEIGHED = (
    """
import asyncio, gc
from firmware import main as firmware

_main = firmware.main

async def weigh():
    while True:
        gc.collect()
        print("heap", gc.mem_alloc(), gc.mem_free())
        await asyncio.sleep_ms(600_000)

async def main(settings, board):
    asyncio.create_task(weigh())
    await _main(settings, board)

firmware.main = main
"""
    + MAIN
)


def day(folder, hours, seed=0):
    """(bytes in use, bytes free) every ten minutes; a level every ten, a mishap every twenty."""
    chance = random.Random(seed)
    with Bench(folder, seed=seed) as bench:
        rig, heard = bench.rig("rig-1", program=WEIGHED, heap=CHIP_HEAP), bench.site.heard("rig-1")
        bench.run_until(lambda: heard.joined, 10, "joined")
        for turn in range(round(hours * 6)):
            bench.site.level(chance.randrange(9))
            if turn % 2:
                mishap(bench, rig, chance.randrange(5))
            bench.run(600)
            del bench.trace[:], heard.states[:], bench.site.sent[:]
        assert rig.resets == [1] and heard.joined, rig.log_text()
        weights = re.findall(r"heap (\d+) (\d+)", rig.log_text())
    return [(int(used), int(free)) for used, free in weights]


def mishap(bench, rig, kind):
    back_s = bench.now_s + 20
    if kind == 0:
        bench.broker.down()
        bench.at(back_s, bench.broker.up)
    elif kind == 1:
        rig.wifi(False)
        bench.at(back_s, lambda: rig.wifi(True))
    elif kind == 2:
        bench.broker.half_open()
    elif kind == 3:
        rig.way.loss = 0.2
        bench.at(back_s, lambda: setattr(rig.way, "loss", 0.0))
    else:
        rig.faults.add("sensor_spike")
        bench.at(back_s, lambda: rig.faults.discard("sensor_spike"))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_day_leaves_nothing_on_the_heap(tmp_path):
    weights = day(tmp_path, hours=24)
    used = [used for used, _ in weights]
    print(f"in use after 1 h {used[6]}, most {max(used[6:])}, at the end {used[-1]} bytes; ")
    print(f"least free after a collection {min(free for _, free in weights)} bytes")
    first, last = max(used[6:30]), max(used[-24:])
    assert last <= first + 1024, used
