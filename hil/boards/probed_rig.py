"""A rig whose parts are reached through a probe: two MicroPython processes, wired to each other.

    rig's firmware -- copper -- probe's program -- line -- Hands -- chips, plant

What a desk with two ESP32-S3 does, in virtual time; beside the probe hang the thermometers
it cannot be.
"""

from hil.bench import Bench
from hil.boards.copper import BENCH_UART, Copper
from hil.boards.probe_link import PARTS, STEP_S, Hands
from hil.machines import S21_PRO
from hil.plant import Plant
from hil.wiring import Wiring

# a console takes the machine's time; in virtual time the line is a UART
PROBE_MAIN = f"""
import time
from machine import UART
from hil.probe.play import run

class Line:
    def __init__(self):
        self._uart = UART({BENCH_UART}, baudrate=12_000_000, rxbuf=65_536, txbuf=65_536)
        self.write = self._uart.write

    def read(self, wait_ms):
        if not self._uart.any():
            time.sleep_ms(wait_ms)
        return self._uart.read() or b""

run(Line())
"""


class ProbedRig:
    """rig: the firmware; probe: the other process; hands.wiring: chips and plant behind it."""

    def __init__(self, bench: Bench, name: str) -> None:
        clock = bench.clock
        self.plant = Plant(S21_PRO)
        wiring = Wiring(self.plant, name, clock.now_s, clock.at)
        played = [(part.bus, part.address) for part in PARTS]
        self.copper = Copper(clock.now_s, played, wiring.i2c)
        self.hands = Hands(wiring, lambda data: self.copper.probe.push(BENCH_UART, data))
        self.copper.to_bench = self.hands.hear
        self.probe = bench.rig(f"{name}-probe", program=PROBE_MAIN, start=False)
        self.rig = bench.rig(name, start=False)
        for controller, end in ((self.probe, self.copper.probe), (self.rig, self.copper.rig)):
            controller.wiring = end  # type: ignore[assignment]
            controller.start()
        bench.every(STEP_S, self.hands.step)
