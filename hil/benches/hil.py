"""How fast virtual time passes for one rig at all its work, and what a bus transaction costs."""

import time
from typing import Annotated

import typer

from hil.bench import Bench, BenchRig
from hil.rig import NoMicroPython

RIG, LEVEL = "rig-1", 3
TRANSACTIONS = 4_000
# read again and again without waiting, by what the bench foresaw and by asking each time
BUS_PROGRAM = f"""
import machine, pipe, time, wire
bus = machine.I2C(0, scl=machine.Pin(48), sda=machine.Pin(47), freq=100_000)
time.sleep_ms(10)
bus.readfrom_mem(0x48, 0, 2)
time.sleep_ms(10)
for _ in range({TRANSACTIONS}):
    bus.readfrom_mem(0x48, 0, 2)
time.sleep_ms(10)
pipe.ask_kept = pipe.ask
for _ in range({TRANSACTIONS}):
    bus.readfrom_mem(0x48, 0, 2)
time.sleep_ms(10)
while True:
    time.sleep_ms(1000)
"""


def command(
    seconds: Annotated[float, typer.Option(min=1, help="of virtual time, after waking")] = 600.0,
) -> dict[str, float]:
    try:
        kept_us, asked_us = bus_us()
        return rig_at_work(seconds) | {"bus_us": kept_us, "bus_asked_us": asked_us}
    except NoMicroPython as error:
        raise ModuleNotFoundError(str(error)) from None


def rig_at_work(seconds: float) -> dict[str, float]:
    """Hashing at level 3 with every loop running, its MQTT session and a budget a second."""
    with Bench() as bench:
        rig, heard = bench.rig(RIG), bench.site.heard(RIG)
        began_s = time.perf_counter()
        bench.run_until(lambda: heard.joined, 20, "joined")
        bench.site.level(LEVEL)
        bench.run_until(lambda: heard.state["state"] == "running", 60, "running")
        start_s, before, began_at = time.perf_counter(), rig.round_trips, bench.now_s
        bench.run(seconds)
        took_s = time.perf_counter() - start_s
        trips = {kind: rig.round_trips[kind] - count for kind, count in before.items()}
    return {
        "virtual_s_per_s": round(seconds / took_s, 1),
        "virtual_s": seconds,
        "wall_s": round(took_s, 3),
        "boot_to_running_s": round(began_at, 2),
        "boot_to_running_wall_s": round(start_s - began_s, 3),
        "waits_per_virtual_s": round(trips["waits"] / seconds, 1),
        "bus_per_virtual_s": round((trips["asks"] + trips["seen"]) / seconds, 1),
        "asked_per_virtual_s": round(trips["asks"] / seconds, 1),
    }


def bus_us() -> tuple[float, float]:
    """Microseconds of one I2C read, both sides together: foreseen, and asked for."""
    with Bench() as bench:
        rig = bench.rig("bus", program=BUS_PROGRAM)
        bench.run_until(lambda: rig.round_trips["waits"] == 2, 5, "both reads known")
        return _each_us(bench, rig, 3), _each_us(bench, rig, 4)


def _each_us(bench: Bench, rig: BenchRig, waits: int) -> float:
    began_s = time.perf_counter()
    bench.run_until(lambda: rig.round_trips["waits"] == waits, 5, "all transactions")
    return round((time.perf_counter() - began_s) / TRANSACTIONS * 1e6, 2)
