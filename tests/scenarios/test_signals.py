"""A control room's whole story on a live site, with its real peer: told, lower, lost, back."""

import time
from contextlib import AsyncExitStack

import pytest

from hil.benches.signals import PEERS, SignalSite

pytestmark = [pytest.mark.soak, pytest.mark.real_time, pytest.mark.timeout(300)]

LOST = "silence_s = 2\nhold_s = 1\nstagger_s = 0\nfall_pct_per_s = 100"
MORE = {
    "iec104": LOST,
    "dnp3": LOST,
    "sunspec": "revert_s = 60",
}


def near(site, share):
    """Whether the rigs draw that share of capacity."""
    goal_w = max(site.floor_w, share * site.capacity_w)
    return abs(site.drawn_w() - goal_w) < 0.06 * site.capacity_w


async def until(site, share, seconds, what):
    begun_s = time.monotonic()
    await site._until(lambda: near(site, share), seconds, what)
    return time.monotonic() - begun_s


@pytest.mark.asyncio
@pytest.mark.parametrize("protocol", sorted(MORE))
async def test_signal_ramp_hold_loss_and_recovery(tmp_path, protocol):
    pytest.importorskip({"iec104": "c104", "dnp3": "opendnp3"}.get(protocol, "sunspec2"))
    site = SignalSite(tmp_path, protocol, MORE[protocol])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(site.stop)
        await site.start()
        mw = site.capacity_w / 1e6
        async with AsyncExitStack() as peer:
            say = await PEERS[protocol](site, peer)
            await say(0.8 * mw)
            up_s = await until(site, 0.8, 60, "what was told, reached by the ramp")
            await say(0.4 * mw)
            down_s = await until(site, 0.4, 5, "lower, within 5 s")
        lost_s = await until(site, 0.0, 70, "the peer is gone: its default, asleep")
        async with AsyncExitStack() as peer:
            say = await PEERS[protocol](site, peer)
            await say(0.6 * mw)
            back_s = await until(site, 0.6, 60, "a new word after the loss")
        print(
            f"{protocol}: up {up_s:.1f}, down {down_s:.1f}, lost {lost_s:.1f}, back {back_s:.1f} s"
        )
