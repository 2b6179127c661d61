"""One supervisor a state directory; the beat goes on time, and at once on a signal."""

import asyncio
import contextlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

from supervisor import app
from supervisor.envelope import Entry
from supervisor.inbox import Inbox

HOLD = """
import sys
from pathlib import Path
from supervisor.app import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_supervisor_is_refused_and_told_where(tmp_path):
    state = tmp_path / "state"
    with app.only_one(state):
        with (
            pytest.raises(app.AppError, match="another supervisor") as refused,
            app.only_one(state),
        ):
            pass
        assert str(state) in str(refused.value)
    with app.only_one(state):
        pass


def test_the_state_directory_is_made_and_is_nobody_elses(tmp_path):
    with app.only_one(tmp_path / "a" / "state"):
        assert (tmp_path / "a" / "state").stat().st_mode & 0o077 == 0


def test_a_killed_supervisor_leaves_no_lock(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(app.AppError), app.only_one(tmp_path):
        pass
    other.kill()
    other.communicate()
    with app.only_one(tmp_path):
        pass


class Ticking:
    """Stands in for site, people and link; notes when it was asked to tick."""

    def __init__(self, cost_s=0.0):
        self.at_s, self.looked_s = [], []
        self.publish, self._cost_s = None, cost_s

    def tick(self, now_s, unix_s, publish):
        self.at_s.append(round(now_s - self.began_s, 3))
        self.clock.s += self._cost_s

    def look(self, now_s):
        self.looked_s.append(now_s)


class Clock:
    """The loop's own time, and what ticks cost on top."""

    def __init__(self):
        self.s = 0.0

    def monotonic(self):
        return asyncio.get_running_loop().time() + self.s

    def time(self):
        return 0.0


@contextlib.asynccontextmanager
async def beating(monkeypatch, cost_s=0.0):
    """(ticks, inbox) of a beat once a second, in virtual time."""
    ticks, inbox, clock = Ticking(cost_s), Inbox(), Clock()
    ticks.clock, ticks.began_s = clock, clock.monotonic()
    monkeypatch.setattr(app, "time", clock)
    config = SimpleNamespace(site=SimpleNamespace(broadcast_s=1.0))
    running = asyncio.create_task(app._beat(config, inbox, ticks, (ticks,), ticks))
    yield ticks, inbox
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.asyncio
async def test_a_beat_a_second(monkeypatch):
    async with beating(monkeypatch) as (ticks, _):
        await asyncio.sleep(5.5)
        assert ticks.at_s == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        assert len(ticks.looked_s) == 6


@pytest.mark.asyncio
async def test_a_signal_is_decided_at_once_and_the_beat_keeps_its_time(monkeypatch):
    async with beating(monkeypatch) as (ticks, inbox):
        await asyncio.sleep(1.4)
        inbox.put_signal(Entry("grid", ()))
        await asyncio.sleep(1.0)
        assert ticks.at_s == [0.0, 1.0, 1.4, 2.0]


@pytest.mark.asyncio
async def test_a_flood_of_signals_is_decided_together(monkeypatch):
    async with beating(monkeypatch) as (ticks, inbox):
        await asyncio.sleep(0.5)
        for _ in range(100):
            inbox.put_signal(Entry("grid", ()))
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.3)
        assert 2 <= len(ticks.at_s) <= 5


@pytest.mark.asyncio
async def test_a_slow_tick_skips_beats_instead_of_running_after_them(monkeypatch):
    async with beating(monkeypatch, cost_s=2.5) as (ticks, _):
        await asyncio.sleep(0.5)
        assert 1 <= len(ticks.at_s) <= 10
        gaps = [after - before for before, after in zip(ticks.at_s, ticks.at_s[1:])]
        assert min(gaps) >= 2.5
