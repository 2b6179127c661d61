"""On a desktop Python the firmware's loops run in virtual time, where a sleep is exact and free.

The same tests run on MicroPython by tests/on_micropython.py, which does the same.
Those of the session use real sockets.
"""

import asyncio

import async_solipsism
import pytest

from firmware import clock

REAL = ("test_session", "test_lookups")


@pytest.fixture(autouse=True)
def virtual_time(request, monkeypatch):
    if request.module.__name__.rpartition(".")[2] in REAL:
        return
    loop = async_solipsism.EventLoop()
    monkeypatch.setattr(asyncio, "run", loop.run_until_complete)
    monkeypatch.setattr(clock, "now_ms", lambda: round(loop.time() * 1000))
    request.addfinalizer(loop.close)
