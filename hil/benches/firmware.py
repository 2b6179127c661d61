"""What the firmware costs its controller: turns of the safety loop, heap, a message published.

Times are of this machine's MicroPython, not of an ESP32; tick_loops tells a turn in empty
loops of the same VM, which is how a slower one can be reckoned.
"""

import asyncio
import random
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.bench import CHIP_HEAP, Bench, BenchRig
from hil.benches import brokers, mqtt_libraries, tls_memory
from hil.benches.firmware_programs import BARE, LATE, TIMED, WEIGHED
from hil.live_peer import met
from hil.rig import NoMicroPython, VirtualRig, find_micropython, settings

RIG, LEVEL = "rig-1", 8
DAY_H = 24.0
LOOPS = 1_000_000
# empty turns of a loop, on the same VM
LOOP = f"""
import utime
began = utime.ticks_us()
for _ in range({LOOPS}):
    pass
print(utime.ticks_diff(utime.ticks_us(), began))
"""


def command(
    seconds: Annotated[float, typer.Option(min=5, help="of virtual time, timed")] = 300.0,
    rounds: Annotated[int, typer.Option(min=1, help="of the same; the quickest counts")] = 3,
    live: Annotated[float, typer.Option(min=5, help="seconds of real time")] = 20.0,
    hours: Annotated[
        float, typer.Option(min=0.5, help="virtual, for the heap; fewer than 24 are extrapolated")
    ] = DAY_H,
    libraries: Annotated[
        Path | None, typer.Option(help="folder with umqtt/simple.py or mqtt_async.py, to compare")
    ] = None,
) -> dict[str, Any]:
    try:
        find_micropython()
    except NoMicroPython as error:
        raise ModuleNotFoundError(str(error)) from None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return {
            **turns(seconds, rounds),
            **asyncio.run(live_rig(Path(folder), live)),
            **grown(weighed(Path(folder), hours), hours),
            **mqtt_libraries.compared(Path(folder), libraries),
            **tls_memory.measured(),
        }


def turns(seconds: float, rounds: int) -> dict[str, Any]:
    """The safety loop of a rig at full work in virtual time, where every round is the same."""
    runs = [_timed(seconds) for _ in range(rounds)]
    ticks = quickest(one["ticks"] for one in runs)
    stretches = quickest(one["stretches"] for one in runs)
    loop_us = _loop_us()
    return {
        "ticks": len(ticks),
        "tick_us_p50": round(statistics.median(ticks)),
        "tick_us_p99": percentile(ticks, 99),
        "tick_us_max": ticks and max(ticks),
        "tick_loops_p50": round(statistics.median(ticks) / loop_us),
        "held_up_us_p99": percentile(stretches, 99),
        "held_up_us_max": max(stretches),
    }


def quickest(runs: Iterable[list[int]]) -> list[int]:
    """Each moment at its quickest: what is more was another program's."""
    return [min(moments) for moments in zip(*runs, strict=False)]


def percentile(values: list[int], percent: int) -> int:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _timed(seconds: float) -> dict[str, list[int]]:
    with Bench() as bench:
        rig, heard = bench.rig(RIG, program=TIMED, heap=CHIP_HEAP), bench.site.heard(RIG)
        bench.run_until(lambda: heard.joined, 20, "joined")
        bench.site.level(LEVEL)
        bench.run_until(lambda: heard.state["level"] == LEVEL, 60, "at its top level")
        before = len(rig.log_text())
        bench.run(seconds)
        text = rig.log_text()[before:]
    return {kind: _numbers(text, kind) for kind in ("ticks", "stretches")}


def _numbers(text: str, kind: str) -> list[int]:
    """All those of the lines that begin with this word, in order."""
    return [
        int(word) for line in re.findall(rf"^{kind} (.+)$", text, re.M) for word in line.split()
    ]


def _loop_us() -> float:
    """Of one empty turn of a loop, the quickest of several."""
    call = [str(find_micropython()), "-c", LOOP]
    return min(int(subprocess.check_output(call)) for _ in range(3)) / LOOPS


async def live_rig(folder: Path, seconds: float) -> dict[str, Any]:
    """The same in real time, with the chip's heap: how late the loop is, and what is in use."""
    async with (
        brokers.running("nats", folder) as servers,
        met(folder, servers.ports[0], RIG, program=LATE) as (peer, rig),
    ):
        ladder = await peer.welcome()
        await peer.budget(ladder[LEVEL - 1][2])
        await peer.until(lambda: peer.state["level"] == LEVEL, 60, "at its top level")
        before = len(rig.log_text())
        await asyncio.sleep(seconds)
        text = rig.log_text()[before:]
    used, free = max(_pairs(text))
    own = await asyncio.to_thread(bench_modules, folder)
    return {
        "loop_late_ms_max": max(_numbers(text, "late")),
        "heap_limit_kb": (used + free) // 1024,
        "heap_used_kb": used // 1024,
        "heap_used_by_bench_kb": own // 1024,
        "heap_used_by_firmware_kb": (used - own) // 1024,
    }


def bench_modules(folder: Path) -> int:
    """Bytes that the bench's own machine, network and so on hold."""
    config = settings("bench", "bare", "127.0.0.1", 1, bytes(32))
    with VirtualRig(folder / "bare", config, program=BARE) as rig:
        while not (pairs := _pairs(rig.log_text())):
            if not rig.alive:
                raise RuntimeError(rig.log_text())
    return pairs[0][0]


def _pairs(text: str) -> list[tuple[int, int]]:
    """(in use, free) bytes, as printed."""
    return [(int(used), int(free)) for used, free in re.findall(r"^heap (\d+) (\d+)$", text, re.M)]


# ---- a day of the heap


def weighed(folder: Path, hours: float, seed: int = 0) -> list[tuple[int, int]]:
    """(bytes in use, bytes free) every ten minutes; a level every ten, a mishap every twenty."""
    chance = random.Random(seed)
    with Bench(folder / "day", seed=seed) as bench:
        rig, heard = bench.rig(RIG, program=WEIGHED, heap=CHIP_HEAP), bench.site.heard(RIG)
        bench.run_until(lambda: heard.joined, 10, "joined")
        for turn in range(round(hours * 6)):
            bench.site.level(chance.randrange(9))
            if turn % 2:
                mishap(bench, rig, chance.randrange(5))
            bench.run(600)
            del bench.trace[:], heard.states[:], bench.site.sent[:]
        assert rig.resets == [1] and heard.joined, rig.log_text()
        return _pairs(rig.log_text())


def mishap(bench: Bench, rig: BenchRig, kind: int) -> None:
    """Something that is over in 20 s."""
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


def grown(weights: list[tuple[int, int]], hours: float) -> dict[str, Any]:
    """The most in use in the last sixth of the time, less the most in one after an hour.

    Of fewer than 24 hours it is stretched to them, and its name says so.
    """
    used = [used for used, _ in weights]
    part = max(1, len(used) // 6)
    settled = min(6, len(used) - 1)  # an hour: every table it ever fills has been filled
    growth = max(used[-part:]) - max(used[settled : settled + part])
    key, free = "heap_growth_bytes_24h", min(free for _, free in weights)
    if hours < DAY_H:
        key, growth = f"{key}_extrapolated", round(growth * DAY_H / hours)
    return {"heap_hours": hours, key: growth, "heap_free_kb_min": free // 1024}
