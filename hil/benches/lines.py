"""Rigs on one Modbus line, and stock miners: how soon a fall is with the last, and what it costs.

The devices are in a process of their own, so that the CPU is the supervisor's alone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Annotated, Any

import typer

from hil.modbus_rigs import Line, ModbusRig
from protocols.ladder import Step
from supervisor.inbox import Inbox
from supervisor.kept import Budget, Keeper
from supervisor.modbus import Gateway
from supervisor.sources.pyasic_api import PyasicApi
from supervisor.sources.rigs_modbus import LineRig, RigLine
from supervisor.wire import Line as Wire

LEASE_S = 10.0
STEADY_S = 10.0
PATIENCE_S = 45.0
WATTS = 3400
LOOKS = 200


class Slow(ModbusRig):
    """A rig whose every answer takes so long, as over a serial gateway."""

    request_s = 0.0

    async def answer(self, *request: Any) -> Any:
        await asyncio.sleep(self.request_s)
        return await super().answer(*request)


def command(
    rigs: Annotated[int, typer.Option(min=1, max=247)] = 40,
    request_ms: Annotated[float, typer.Option(min=0, max=1000)] = 20.0,
) -> dict[str, float]:
    found = apart(_serve_rigs, lambda port: measure_line(port, rigs), rigs, request_ms / 1000)
    try:
        import pyasic  # noqa: F401

        found |= apart(_serve_miner, measure_looks)
    except ModuleNotFoundError:
        pass  # the extra is not installed: no line about it
    return {"rigs": rigs, "request_ms": request_ms} | found


def apart(
    serve: Callable[..., None],
    measure: Callable[[Any], Awaitable[dict[str, float]]],
    *arguments: Any,
) -> dict[str, float]:
    """What was measured against devices in another process; serve sends where they are."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        return asyncio.run(_run(measure, ours.recv()))
    finally:
        process.terminate()
        process.join()


async def _run(
    measure: Callable[[Any], Awaitable[dict[str, float]]], where: Any
) -> dict[str, float]:
    return await measure(where)


def _serve_rigs(pipe: Connection, rigs: int, request_s: float) -> None:
    async def serve() -> None:
        Slow.request_s = request_s
        pipe.send(await Line({unit: Slow() for unit in range(1, rigs + 1)}).start())
        await asyncio.Event().wait()

    asyncio.run(serve())


def _serve_miner(pipe: Connection) -> None:
    from hil.whatsminer import Whatsminer

    async def serve() -> None:
        miner = Whatsminer("127.0.0.1")
        await miner.start()
        pipe.send(miner.host)
        await asyncio.Event().wait()

    asyncio.run(serve())


async def measure_line(port: int, rigs: int) -> dict[str, float]:
    """All rigs of a line told to run, kept running, told to sleep."""
    keeper, gateway = Keeper("bench"), Gateway(Wire(host="127.0.0.1", port=port))
    found = [LineRig(f"rig-{unit}", gateway.unit(unit)) for unit in range(1, rigs + 1)]
    line = RigLine(Inbox(), keeper, found, poll_s=2.0)
    task = asyncio.create_task(line.run())

    async def tell(admit_w: int, until: Callable[[LineRig], bool]) -> float:
        before_s = time.monotonic()
        while not all(until(rig) for rig in found):
            if time.monotonic() - before_s > PATIENCE_S:
                raise typer.BadParameter("more rigs than such a line carries")
            _broadcast(keeper, admit_w)
            await asyncio.sleep(0.005)
        return (time.monotonic() - before_s) * 1000

    await tell(0, lambda rig: rig.kept is not None)
    for rig in found:
        assert rig.kept is not None
        rig.kept._ladders = {1: (Step(3, 0, WATTS),)}
    rise_ms = await tell(WATTS, lambda rig: rig.told_w == WATTS)
    requests, cpu_s = gateway.counters.requests, time.process_time()
    end_s = time.monotonic() + STEADY_S
    while time.monotonic() < end_s:
        _broadcast(keeper, WATTS)
        await asyncio.sleep(1.0)
    requests = gateway.counters.requests - requests
    cpu_us = (time.process_time() - cpu_s) / max(1, requests) * 1e6
    kept = sum(rig.held_w(time.monotonic()) > 0 for rig in found)
    fall_ms = await tell(0, lambda rig: rig.told_w == 0)
    task.cancel()
    gateway.close()
    return {
        "rise_last_ms": rise_ms,
        "fall_last_ms": fall_ms,
        "leases_kept_pct": 100 * kept / rigs,
        "requests_per_s": requests / STEADY_S,
        "cpu_us_per_request": cpu_us,
    }


def _broadcast(keeper: Keeper, admit_w: int) -> None:
    keeper.budget = Budget(1, admit_w, time.monotonic() + LEASE_S)
    for heard in keeper.on_budget:
        heard()


async def measure_looks(host: str) -> dict[str, float]:
    """One stock miner found, and looked at again and again."""
    api = PyasicApi(host, 30, [[WATTS, 100_000]], None)
    before_s = time.monotonic()
    await api.look()
    found_ms = (time.monotonic() - before_s) * 1000
    cpu_s = time.process_time()
    for _ in range(LOOKS):
        await api.look()
    look_us = (time.process_time() - cpu_s) / LOOKS * 1e6
    return {"stock_found_ms": found_ms, "stock_cpu_us_per_look": look_us}
