"""The service itself with everything on Modbus, and a stock miner: one site, one account."""

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from hil.drive import Bus, FanDrive
from hil.meter import Meter
from hil.modbus_rigs import Line, ModbusRig
from supervisor.client import Client, ClientError

pytest.importorskip("pyasic", reason="pip install 'surplus[stock]'")
from hil.whatsminer import Whatsminer, hosts

SETTINGS = """
[site]
name = "tiny"
limit_mw = 0.1
default_mw = {default_mw}
up_ramp_mw_per_min = 60.0
lease_s = 3.0
telemetry_s = 1.0
[meter]
host = "127.0.0.1"
port = {meter}
map = "surplus-bench"
[[modbus]]
name = "rigs"
host = "127.0.0.1"
port = {rigs}
gap_ms = 1
[[modbus]]
name = "fans"
host = "127.0.0.1"
port = {fans}
[[modbus_rigs]]
name = "hall"
gateway = "rigs"
units = "1-6"
poll_s = 0.5
[facility]
steady_s = 0.5
fresh_s = 2.0
poll_s = 0.2
[[drives]]
name = "exhaust"
gateway = "fans"
unit = 9
map = "surplus-bench"
carries_mw = 0.05
[[stock]]
name = "old"
addresses = "{stock}"
model = "M30S"
points = [[3400, 100000]]
poll_s = 0.5
"""


class Hall:
    """Six rigs on a line, a fan, a stock miner that runs, and a meter of all of them."""

    def __init__(self):
        self.rigs = {unit: ModbusRig() for unit in range(1, 7)}
        self.fan, self.miner = FanDrive(), Whatsminer(hosts(1)[0], w_per_s=20_000)
        self.meter = Meter(lambda: self.power_w)

    @property
    def power_w(self):
        return sum(rig.power_w for rig in self.rigs.values()) + self.miner.power_w

    async def start(self, stack):
        """Where each of them is, for the settings."""
        parts = {"rigs": Line(self.rigs), "fans": Bus({9: self.fan}), "meter": self.meter}
        where = {"stock": self.miner.host}
        for name, part in parts.items():
            where[name] = await part.start()
            stack.push_async_callback(part.stop)
        with suppress(OSError):
            await self.miner.start()
            stack.push_async_callback(self.miner.stop)
            return where
        pytest.skip("no loopback addresses beyond the first here")


@asynccontextmanager
async def serving(folder, hall, **settings):
    """A client of the service that supervises the hall."""
    async with AsyncExitStack() as stack:
        where = await hall.start(stack)
        (folder / "site.toml").write_text(SETTINGS.format(**where, **settings))
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "supervisor", "run", str(folder / "site.toml"))
        )
        try:
            yield folder / "surplus-state"
        finally:
            service.terminate()
            assert await service.wait() == 0


def asked(state):
    """(the site, its rigs) as the API says."""
    client = Client.from_state_dir(state)
    try:
        return client.site(), client.rigs()
    finally:
        client.close()


async def seen(state, condition, seconds):
    """The site's view once it is as wished."""
    deadline = asyncio.get_running_loop().time() + seconds
    view = None
    while asyncio.get_running_loop().time() < deadline:
        with suppress(ClientError):
            view, rigs = await asyncio.to_thread(asked, state)
            if condition(view, rigs):
                return view
        await asyncio.sleep(0.2)
    raise AssertionError(f"never as wished: {view}")


@pytest.mark.asyncio
@pytest.mark.real_time
@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_one_site_of_lines_fans_a_meter_and_a_stock_miner(tmp_path, monkeypatch):
    monkeypatch.setattr("hil.drive.SPIN_S", 0.5)
    hall = Hall()
    async with serving(tmp_path, hall, default_mw=0.018) as state:
        await seen(state, lambda view, rigs: len(rigs) == 7 and view.metered_w, 60.0)
        await seen(state, lambda *_: hall.power_w > 9_000, 120.0)
        assert hall.fan.air_pct > 80  # nobody rose before it moved
        for _ in range(20):
            assert hall.power_w <= 18_000
            await asyncio.sleep(0.05)
    for rig in hall.rigs.values():  # their watchdogs end without a supervisor
        while rig.power_w > 25:
            await asyncio.sleep(0.1)
    assert hall.miner.mining or hall.miner.power_w < 100
