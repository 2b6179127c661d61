"""One real supervisor after the other: a standby, a new version; and no rig notices."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from hil.fleet import ModelFleet
from hil.modelled import ModelledRigs, drive
from supervisor import nats

RIGS = 30
SETTINGS = """\
[site]
name = "pair"
limit_mw = 1
default_mw = 0.06
state_dir = "state"
[broker]
kind = "{kind}"
port = {port}
"""
STANDBY = """\
[standby]
rank = {rank}
"""


class Pair:
    """Supervisors a and b in folders of their own, with the same key; a has the broker."""

    def __init__(self, folder, standby=True):
        self.port, self.folders = nats.free_port("127.0.0.1"), [folder / "a", folder / "b"]
        self.running = []
        for rank, kind in enumerate(("embedded", "external")):
            state = self.folders[rank] / "state"
            state.mkdir(parents=True)
            settings = SETTINGS.format(kind=kind, port=self.port)
            settings += STANDBY.format(rank=rank) if standby else ""
            (self.folders[rank] / "site.toml").write_text(settings)
            (state / "site.key").touch(0o600)
            (state / "site.key").write_bytes(bytes(range(32)))

    def start(self, rank):
        log = (self.folders[rank] / "log").open("ab")
        call = [
            sys.executable,
            "-m",
            "supervisor",
            "run",
            "-v",
            str(self.folders[rank] / "site.toml"),
        ]
        self.running.append(subprocess.Popen(call, stdout=log, stderr=log))

    def said(self, rank, words):
        path = self.folders[rank] / "log"
        return path.exists() and words in path.read_text()

    def terms(self, rank):
        """Of its decisions on record, in order."""
        path = self.folders[rank] / "state" / "ledger.db"
        if not path.exists():
            return []
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        rows = db.execute(
            "SELECT json_extract(body, '$.term') FROM ledger WHERE kind = 'decision' ORDER BY id"
        )
        return list(dict.fromkeys(term for (term,) in rows))

    async def until(self, done, most_s=25.0):
        async with asyncio.timeout(most_s):
            while not done():
                await asyncio.sleep(0.05)

    async def rigs(self):
        """Rigs of the site, and the task that lets them live."""
        rigs = ModelledRigs(ModelFleet(RIGS, 1), "pair", bytes(range(32)))
        await rigs.connect("127.0.0.1", self.port)
        return rigs, asyncio.create_task(drive(rigs))

    async def until_joined(self, rigs):
        """Every rig holds a ladder and a lease."""
        await self.until(lambda: rigs._joined.all() and rigs._last[1] > 2)

    def close(self):
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running:
            process.wait(15)


@pytest.mark.real_time
def test_the_standby_goes_on_within_five_seconds_and_no_rig_notices(tmp_path):
    pair = Pair(tmp_path)

    async def story():
        pair.start(0)
        await pair.until(lambda: pair.said(0, "leading the site"))
        rigs, driving = await pair.rigs()
        pair.start(1)
        await pair.until(lambda: pair.said(1, "following the leader"))
        await pair.until_joined(rigs)
        before, first = [*rigs._nonces], rigs._last[0]

        os.kill(pair.running[0].pid, signal.SIGSTOP)
        stopped_s = time.monotonic()
        await pair.until(lambda: rigs._last[0] > first)
        took_s = time.monotonic() - stopped_s
        os.kill(pair.running[0].pid, signal.SIGCONT)
        await pair.until(lambda: pair.said(0, "no longer leading"))
        second = rigs._last[0]
        await pair.until(lambda: rigs._last[0] > second or rigs._last[1] > 3)
        assert took_s < 5.0, f"{took_s:.1f} s"
        assert rigs._last[0] == second, "the old leader was obeyed"
        assert rigs._nonces == before, "a rig ran out its lease and had to join again"
        assert rigs.missed == 0
        await pair.until(lambda: pair.terms(0)[-1:] == [second])
        driving.cancel()
        await rigs.close()

    try:
        asyncio.run(story())
        assert pair.terms(1) == pair.terms(0), "both have the whole record"
    finally:
        pair.close()


@pytest.mark.real_time
def test_an_upgrade_costs_no_lease(tmp_path):
    """SIGHUP leaves the broker and every connection; the next supervisor takes it all up."""
    pair = Pair(tmp_path, standby=False)
    state = pair.folders[0] / "state"

    async def story():
        pair.start(0)
        await pair.until((state / "api.json").exists)
        rigs, driving = await pair.rigs()
        await pair.until_joined(rigs)
        nonces, first = [*rigs._nonces], rigs._last[0]
        broker = (state / "broker" / "nats.pid").read_text()
        up = [client.failures for client in rigs._clients]

        pair.running[0].send_signal(signal.SIGHUP)
        assert await asyncio.to_thread(pair.running[0].wait, 15) == 0
        assert not (state / "api.json").exists()
        pair.start(0)
        await pair.until(lambda: rigs._last[0] > first and rigs._last[1] > 1)
        assert rigs._nonces == nonces, "a rig ran out its lease and had to join again"
        assert (state / "broker" / "nats.pid").read_text() == broker
        assert [client.failures for client in rigs._clients] == up and rigs.connected
        driving.cancel()
        await rigs.close()

    try:
        asyncio.run(story())
    finally:
        pair.close()
