"""The supervisor killed at random instants under load: how soon it is back, and what it lost."""

import asyncio
import random
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import aiomqtt
import msgspec
import typer

from hil.demo import SITE, Demo
from hil.load import mqtt
from hil.load.client import Client
from protocols import topics
from supervisor import commands

LIVES_S = (0.0, 2.5)  # how long it lives once it is back, before the next kill
BACK_S = 30.0  # more is noted as an error, and the bench ends
JOIN_S = 90.0
SIGNAL_S = 0.3


class Heard(msgspec.Struct):
    """A budget as rigs hear it."""

    term: int
    seq: int
    admit_w: int
    at_s: float = 0.0


def command(
    kills: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    rigs: Annotated[int, typer.Option(min=10, max=28_571)] = 1_000,
    seed: Annotated[int, typer.Option()] = 1,
) -> dict[str, Any]:
    """back_in_control: from the kill until rigs hear a budget of a higher term.  ledger_lost:
    budgets heard that the ledger does not hold, or holds otherwise.  A new limit every 0.3 s."""
    return asyncio.run(_measure(kills, rigs, seed))


async def _measure(kills: int, rigs: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="surplus-bench-") as folder:
        demo = Demo(Path(folder), rigs, 0, seed, commands.remark)
        try:
            await demo.start()
            story = Story(demo, seed)
            return {"rigs": rigs} | await story.run(kills)
        finally:
            await demo.stop()


class Story:
    """A site with a restless grid, and somebody with kill -9."""

    def __init__(self, demo: Demo, seed: int) -> None:
        self._demo, self._dice = demo, random.Random(seed)
        self._heard: dict[tuple[int, int], Heard] = {}
        self._newest = Heard(0, 0, 0)
        self._damaged = 0

    async def run(self, kills: int) -> dict[str, Any]:
        topic = topics.budget(SITE)
        ear = Client(0, "bench-ear", [topic], hear=lambda _, body: self._hear(body))
        tasks = [
            asyncio.create_task(ear.run("127.0.0.1", self._demo.broker_port, asyncio.Semaphore())),
            asyncio.create_task(self._restless()),
        ]
        try:
            await self._joined()
            before = [*self._demo.modelled._nonces]
            back_s = [await self._kill() for _ in range(kills)]
            await asyncio.sleep(1.5)
        finally:
            for task in tasks:
                task.cancel()
        after = self._demo.modelled._nonces
        return {
            "kills": kills,
            "back_in_control_s_max": round(max(back_s), 2),
            "back_in_control_s_mean": round(sum(back_s) / kills, 2),
            "budgets_heard": len(self._heard),
            "ledger_lost": self._lost(),
            "ledger_damaged": self._damaged,
            "ledger_mb": round((self._demo.state_dir / "ledger.db").stat().st_size / 1e6, 1),
            "rigs_joined_again": sum(a != b for a, b in zip(before, after, strict=True)),
        }

    def _hear(self, body: bytes) -> None:
        heard = msgspec.json.decode(mqtt.message(body)[1], type=Heard)
        heard.at_s = time.monotonic()
        self._heard[heard.term, heard.seq] = self._newest = heard

    async def _restless(self) -> None:
        """The grid says something else all the time."""
        async with aiomqtt.Client("127.0.0.1", self._demo.broker_port) as client:
            while True:
                share = self._dice.uniform(0.5, 0.9)
                await self._demo.tell(client, int(share * self._demo.capacity_w))
                await asyncio.sleep(SIGNAL_S)

    async def _joined(self) -> None:
        until_s = time.monotonic() + JOIN_S
        while self._demo.modelled._joined.mean() < 0.95 or not self._newest.term:
            if time.monotonic() > until_s:
                raise RuntimeError(f"rigs did not join within {JOIN_S:.0f} s")
            await asyncio.sleep(0.1)

    async def _kill(self) -> float:
        """Seconds until rigs hear the next supervisor."""
        await asyncio.sleep(self._dice.uniform(*LIVES_S))
        supervisor = self._demo.supervisor
        assert supervisor is not None
        term, killed_s = self._newest.term, time.monotonic()
        supervisor.send_signal(signal.SIGKILL)
        await asyncio.to_thread(supervisor.wait)
        self._damaged += not self._whole()
        self._demo.start_supervisor()
        while self._newest.term == term:
            if time.monotonic() - killed_s > BACK_S:
                raise RuntimeError(f"not back after {BACK_S:.0f} s: {self._said()}")
            await asyncio.sleep(0.005)
        return self._newest.at_s - killed_s

    def _said(self) -> str:
        return self._demo.supervisor_log.read_text(errors="replace")[-500:]

    def _whole(self) -> bool:
        with closing(self._ledger()) as db:
            return bool(db.execute("PRAGMA quick_check").fetchone() == ("ok",))

    def _ledger(self) -> sqlite3.Connection:
        return sqlite3.connect(self._demo.state_dir / "ledger.db")

    def _lost(self) -> int:
        """Budgets heard that are not on record as they were heard."""
        with closing(self._ledger()) as db:
            rows = db.execute("SELECT body FROM ledger WHERE kind = 'decision'").fetchall()
        held = {(row.term, row.seq): row.admit_w for (b,) in rows if (row := _decision(b))}
        return sum(held.get(place) != heard.admit_w for place, heard in self._heard.items())


def _decision(body: str) -> Heard:
    return msgspec.json.decode(body, type=Heard)
