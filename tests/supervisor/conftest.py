"""Async tests run in virtual time, where a sleep costs nothing and is exact.

Those marked real_time use real sockets and processes on the real clock.
"""

import asyncio
import time

import async_solipsism
import pytest


def pytest_asyncio_loop_factories(config, item):
    if "real_time" in item.keywords:
        return {"real": asyncio.new_event_loop}
    return {"virtual": async_solipsism.EventLoop}


@pytest.fixture
def until():
    """await until(condition): what the condition became once it was true."""
    return _until


async def _until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
    return result
