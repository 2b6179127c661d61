"""A whole site, a connection for every rig, and the real supervisor beside it: what it costs."""

import asyncio
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.benches.brokers import cpu_s, rss_mb, servers_for
from hil.demo import Demo
from hil.surplus import tape, winter
from supervisor import commands, nats

PEAK_S = 5


def command(
    rigs: Annotated[int, typer.Option(min=1, max=60_000)] = 28_571,
    seconds: Annotated[float, typer.Option(min=10, max=3600)] = 60.0,
) -> dict[str, Any]:
    """Telemetry every 10 s and at every change, a signal that moves the site.  CPU of each process,
    in per cent of one core: while the signal plays, and of its worst 5 s with all the joining."""
    return asyncio.run(_measure(rigs, seconds))


async def _measure(rigs: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        demo = Demo(Path(folder), rigs, 0, 1, commands.remark)
        demo.servers = servers_for(rigs)
        demo.processes = max(2, demo.servers)
        demo.broker_port = nats.free_port("127.0.0.1", demo.servers)
        shape = tape(winter(int(demo.capacity_w), seconds + 60), int(demo.capacity_w), seconds)
        try:
            await demo.start()
            watch = Watch(_pids(demo))
            watching = asyncio.create_task(watch.run())
            result = await demo.run(shape, seconds, threading.Event())
            watching.cancel()
            for error in demo.errors:
                commands.remark(error)
            return _about(demo, result) | watch.report(seconds)
        finally:
            await demo.stop()


def _pids(demo: Demo) -> dict[str, list[int]]:
    assert demo.supervisor is not None
    broker = [int(path.read_text()) for path in demo.state_dir.glob("broker*/nats.pid")]
    rigs = [os.getpid(), *demo.modelled.pids]
    return {"supervisor": [demo.supervisor.pid], "broker": broker, "rigs": rigs}


def _about(demo: Demo, result: dict[str, Any]) -> dict[str, Any]:
    """connections: of rigs, one each, that stand at the end."""
    kept = ("rigs", "tracking_error_pct", "overshoot_s", "messages_lost", "errors")
    return {key: result[key] for key in kept} | {
        "connections": demo.modelled.connected,
        "servers": demo.servers,
    }


class Watch:
    """CPU of some processes, every second.  pids: by what they are together."""

    def __init__(self, pids: dict[str, list[int]]) -> None:
        self._pids = pids
        self._seen: list[tuple[float, dict[str, float]]] = []

    async def run(self) -> None:
        while True:
            spent = {name: sum(map(cpu_s, pids)) for name, pids in self._pids.items()}
            self._seen.append((time.monotonic(), spent))
            await asyncio.sleep(1.0)

    def report(self, seconds: float) -> dict[str, float]:
        """Of the last so many seconds."""
        report: dict[str, float] = {}
        for name, pids in self._pids.items():
            report[f"{name}_cpu_pct"] = self._pct(name, -1 - int(seconds), -1)
            windows = range(PEAK_S, len(self._seen))
            peaks = [self._pct(name, end - PEAK_S, end) for end in windows]
            report[f"{name}_cpu_pct_worst_5s"] = max(peaks, default=0.0)
            report[f"{name}_rss_mb"] = round(sum(map(rss_mb, pids)), 1)
        return report

    def _pct(self, name: str, begin: int, end: int) -> float:
        begin = max(begin, -len(self._seen))
        (from_s, before), (to_s, after) = self._seen[begin], self._seen[end]
        return round(100 * (after[name] - before[name]) / max(0.1, to_s - from_s), 1)
