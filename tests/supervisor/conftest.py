"""Async tests run in virtual time, where a sleep costs nothing and is exact.

Those marked real_time use real sockets and processes on the real clock.
"""

import asyncio
import time

import async_solipsism


def pytest_asyncio_loop_factories(config, item):
    if "real_time" in item.keywords:
        return {"real": asyncio.new_event_loop}
    return {"virtual": async_solipsism.EventLoop}


async def until(condition, seconds=10.0):
    """Wait for something to become true; what it became is the result."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
    return result
