"""A source that fails, in virtual time; and a control room's port that somebody else holds."""

import asyncio
import socket

import async_solipsism
import pytest

from supervisor import lasting
from supervisor.grid import dnp3
from supervisor.grid.scada import Desk
from supervisor.inbox import Inbox
from supervisor.nats import free_port
from supervisor.sections.scada import Dnp3Config
from tests.supervisor.test_sunspec import Shown


class Failing:
    def __init__(self, *errors):
        self.errors, self.runs = list(errors), 0

    async def run(self):
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.Event().wait()


def played(source, seconds):
    """What is on record of it after a while."""
    inbox, loop = Inbox(), async_solipsism.EventLoop()

    async def story():
        task = asyncio.create_task(lasting.run(source, inbox))
        await asyncio.sleep(seconds)
        assert not task.done()
        task.cancel()

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
    return [(refusal.source, refusal.because) for refusal in inbox.take_refusals()]


def test_it_begins_again_and_each_new_reason_is_on_record_once():
    source = Failing(OSError("no"), OSError("no"), ExceptionGroup("two", [KeyError("x")]))
    refused = played(source, 3 * lasting.AGAIN_S + 1)
    assert source.runs == 4
    assert [source for source, _ in refused] == ["failing", "failing"]
    assert refused[0][1].startswith("no;") and refused[1][1].startswith("'x';")


def test_to_be_cancelled_is_no_failure():
    source = Failing()
    assert played(source, 1) == [] and source.runs == 1


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_port_that_another_holds_is_taken_when_it_is_free(until, monkeypatch):
    pytest.importorskip("dnp3")
    monkeypatch.setattr(lasting, "AGAIN_S", 0.1)
    inbox, port = Inbox(), free_port("127.0.0.1")
    section = Dnp3Config(port=port, default_mw=5)
    station = dnp3.Dnp3(section, Desk("scada", section, "ridge-1", 10**8, inbox), Shown())
    with socket.create_server(("127.0.0.1", port)):
        task = asyncio.create_task(lasting.run(station, inbox))
        await until(lambda: inbox._refusals)
        assert "in use" in inbox._refusals[0].because
    await until(lambda: station.listening)
    assert inbox.entries["scada"].limit_w(1.0) == 5_000_000
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
