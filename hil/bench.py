"""The bench in virtual time: rigs with the real firmware, a broker and a site on one clock.

    with Bench(folder, seed=1) as bench:
        rig = bench.rig("rig-1")
        bench.run_until(lambda: bench.site.heard("rig-1").joined, 20, "joined")
        bench.site.level(3)
        bench.run_until(lambda: rig.hash_ghs > 0, 30, "the first hash")
        bench.at(bench.now_s + 60, lambda: rig.faults.add("fan_stopped:2"))
        bench.run(3600)

An hour takes seconds and is the same every time: same seed, same calls, same trace.
"""

import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from hil import broker, peer
from hil.bench_rig import CHIP_HEAP, BenchRig
from hil.clock import Event, VirtualClock
from hil.lockstep import BenchError
from hil.net import Net
from hil.net_servers import CLOCK, CLOCK_NAME, NameServer, TimeServer
from hil.rig import MAIN, settings

__all__ = ["CHIP_HEAP", "Bench", "BenchError", "BenchRig", "NotInTime"]

SITE, KEY = "bench", bytes(range(32))
BROKER_NAME = "broker.bench.site"
TIMELINE = 40  # lines of it that a failure shows


class NotInTime(AssertionError):
    """What was waited for did not come; the text has the timeline up to then."""


class Bench:
    """folder: where the rigs' flashes go, a temporary one when None.

    seed: of everything that is left to chance.  speed: virtual seconds a second at most
    (1.0 is real time); None is as fast as can be.
    """

    def __init__(
        self, folder: Path | None = None, *, seed: int = 0, speed: float | None = None
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="bench-") if folder is None else None
        self.folder = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self.seed = seed
        self.chance = random.Random(seed)  # for stories; every part draws from one of its own
        self.clock = VirtualClock(speed)
        self.trace: list[str] = []  # what happened, with its time; the same for the same seed
        self.net = Net(self.clock, random.Random(f"{seed}/net"))
        self.broker = broker.Broker(self.clock, self.net, self.note)
        self.broker.subscribe("#", self._overhear)
        self.names = NameServer(self.net, {BROKER_NAME: broker.HOST, CLOCK_NAME: CLOCK[0]})
        self.time = TimeServer(self.net, lambda: peer.UNIX_S + self.now_s)
        self.site = peer.Site(self.clock, self.broker, SITE, KEY)
        self.rigs: dict[str, BenchRig] = {}

    @property
    def now_s(self) -> float:
        """Since the bench began."""
        return self.clock.now_s()

    def rig(
        self,
        name: str,
        *,
        board: str = "s21pro",
        ambient_c: float = 25.0,
        changed: Mapping[str, Any] | None = None,
        program: str = MAIN,
        ticks_ms: int = 0,
        heap: str = "",
        start: bool = True,
    ) -> BenchRig:
        """A rig that boots now.

        changed: what its settings.json shall have otherwise; program: instead of its
        main.py; ticks_ms: what its clock counts from, to see it wrap.  heap: as large as
        the chip's (CHIP_HEAP) and collected as often, which takes twice as long; plenty
        when empty.
        """
        if name in self.rigs:
            raise ValueError(f"there is a rig {name!r} on this bench already")
        config = settings(self.site.name, name, broker.HOST, broker.PORT, self.site.key)
        config |= {"board": board} | dict(changed or {})
        rig = BenchRig(
            self.clock,
            self.net,
            self.folder / name,
            config,
            seed=self.seed,
            tell=lambda text: self.note(f"{name}: {text}"),
            program=program,
            ambient_c=ambient_c,
            ticks_ms=ticks_ms,
            heap=heap,
        )
        self.rigs[name] = rig
        if start:
            rig.start()
        return rig

    def at(self, when_s: float, call: Callable[[], None]) -> Event:
        """call at that time of the bench; .cancel() takes it back."""
        return self.clock.at(when_s, call)

    def every(self, period_s: float, call: Callable[[], None]) -> None:
        """call again and again: samplers, invariants that must always hold."""
        self.clock.every_us(round(period_s * 1e6), call)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self.clock.run_until(self.clock.now_us + round(seconds * 1e6))

    def run_until(self, true: Callable[[], Any], within_s: float, what: str) -> float:
        """Let time pass until it is so; the seconds that took.  Raises NotInTime."""
        began_us = self.clock.now_us
        if not true():
            until_us = began_us + round(within_s * 1e6)
            if not self.clock.run_until(until_us, lambda: bool(true())):
                raise NotInTime(f"not within {within_s} s: {what}\n{self.timeline()}")
        return (self.clock.now_us - began_us) / 1e6

    def note(self, text: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{self.clock.now_us / 1e6:12.6f} {text}")

    def timeline(self, lines: int = TIMELINE) -> str:
        """The last lines of the trace, for a person: without the budget of every second."""
        told = [line for line in self.trace if "/budget {" not in line]
        left_out = len(told) - lines
        head = [f"... {left_out} lines before ..."] if left_out > 0 else []
        return "\n".join(head + told[-lines:])

    def close(self) -> None:
        for rig in self.rigs.values():
            rig.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _overhear(self, topic: str, payload: bytes) -> None:
        self.note(f"mqtt {topic} {payload.decode(errors='backslashreplace')}")
