"""What the bench of the firmware runs on the rig's MicroPython: the firmware, and a stopwatch.

Each is a main.py that prints what it measured in lines of its own; nothing is changed but
that two functions are timed.  Wall time, because this MicroPython has no finer one.
"""

from hil.rig import MAIN

TICKS = 100  # a line each, of safety turns and of stretches between two waits

# in virtual time: "ticks ..." and "stretches ...", microseconds
TIMED = (
    f"""
import array, gc, lockstep, utime
from firmware.rig import Rig

class Watch:
    def __init__(self, name):
        self.name, self.times, self.at = name, array.array("I", [0] * {TICKS}), 0

    def put(self, us):
        self.times[self.at] = us
        self.at += 1
        if self.at == len(self.times):
            self.at = 0
            print(self.name, *self.times)

ticks, stretches = Watch("ticks"), Watch("stretches")
_turn, _wait, _since = Rig.safety_turn, lockstep.wait, utime.ticks_us()

def turn(rig, elapsed_ms):
    began = utime.ticks_us()
    _turn(rig, elapsed_ms)
    ticks.put(utime.ticks_diff(utime.ticks_us(), began))

def wait(us, by=0):
    global _since
    stretches.put(utime.ticks_diff(utime.ticks_us(), _since))
    _wait(us, by)
    _since = utime.ticks_us()

Rig.safety_turn, lockstep.wait = turn, wait
"""
    + MAIN
)

# "heap used free" after a collection, every ten minutes
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

# in real time: "late ms", of ten safety turns the most; "heap used free" where chains_loop
# collects anyway
LATE = (
    """
import gc
import firmware.rig
from firmware.rig import SAFETY_MS, Rig

_turn, _turns, _late = Rig.safety_turn, 0, 0

def turn(rig, elapsed_ms):
    global _turns, _late
    _turn(rig, elapsed_ms)
    _turns, _late = _turns + 1, max(_late, elapsed_ms - SAFETY_MS)
    if _turns == 10:
        print("late", _late)
        _turns = _late = 0

class Weighing:
    def collect():
        gc.collect()
        print("heap", gc.mem_alloc(), gc.mem_free())

Rig.safety_turn, firmware.rig.gc = turn, Weighing
"""
    + MAIN
)

# the bench's own modules by themselves: what they hold of the heap
BARE = """
import gc
import asyncio, machine, network, esp32, socket
gc.collect()
print("heap", gc.mem_alloc(), gc.mem_free())
"""
