"""Rigs with somebody else's firmware on whole sites in virtual time, and the real pyasic."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from supervisor import config
from supervisor.inbox import Inbox
from supervisor.kept import Budget, Keeper
from supervisor.sections.site import SiteConfig
from supervisor.sections.stock import StockConfig
from supervisor.sources.pyasic_api import Look, PyasicApi, StockError
from supervisor.sources.stock import StockRigs, rigs_of, stock_rig
from tests.supervisor.lines import VirtualSite
from tests.supervisor.test_rigs_modbus import site_of, total_w

pytest.importorskip("pyasic", reason="pip install 'surplus[stock]'")
from hil.whatsminer import IDLE_W, Whatsminer, hosts

# ---- the whole site


GROUP = StockConfig(
    name="old",
    addresses="127.0.40.1",
    model="M30S",
    points=((2400, 80_000), (3400, 100_000)),
    wake_s=20.0,
    rise_s=5.0,
    dwell_s=60.0,
    silent_s=15.0,
    deadline_s=2.0,
    poll_s=2.0,
)


class Wired:
    """The Api of a miner in memory, slow by answer_s."""

    def __init__(self, model, answer_s=0.1):
        self.model, self.answer_s, self.looks, self.forgotten = model, answer_s, 0, 0

    def forget(self):
        self.forgotten += 1

    async def look(self):
        self.looks += 1
        await self._answer()
        return Look(self.model.power_w, 0 if not self.model.mining else 100_000)

    async def order(self, watts, wakes):
        await self._answer()
        names = ["power_off"] if watts is None else ["power_on"] * wakes + ["adjust_power_limit"]
        for name in names:
            reply = self.model._obey(
                {"cmd": name, "token": self.model._token, "power_limit": str(watts)}
            )
            if reply["STATUS"] != "S":
                raise StockError(reply["Msg"])

    async def _answer(self):
        faults = self.model.faults
        await (asyncio.Event().wait() if "hung" in faults else asyncio.sleep(self.answer_s))


@asynccontextmanager
async def stocked(site, count, **changes):
    """So many stock miners on a site, found asleep or running at their top."""
    mining = changes.pop("mining", False)
    clock = site.loop.time
    miners = [Whatsminer(host, wake_s=20.0, clock=clock) for host in hosts(count)]
    for miner in miners:
        miner.mining, miner._power_w = mining, 3400.0 if mining else 30.0
    rigs = [
        stock_rig(f"old-{n}", GROUP, site.inbox, clock(), Wired(miner))
        for n, miner in enumerate(miners)
    ]
    stock = StockRigs(
        site.inbox,
        site.keeper,
        rigs,
        lambda: site.site.dispatcher.free_w,
        poll_s=GROUP.poll_s,
        deadline_s=GROUP.deadline_s,
        clock=clock,
    )
    task = asyncio.create_task(stock.run())
    try:
        yield miners, stock
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.asyncio
async def test_stock_miners_alone_follow_what_is_asked_as_far_as_levels_let_them(tmp_path):
    site = VirtualSite(tmp_path)
    async with stocked(site, 10) as (miners, _):
        site.allow(40_000)
        await site.run(200)
        assert total_w(dict(enumerate(miners))) > 25_000
        assert set(site.site.fleet.names) == {f"old-{n}" for n in range(10)}
        site.allow(18_000)
        await site.run(40)
        drawn_w = total_w(dict(enumerate(miners)))
        assert 10_000 < drawn_w <= 18_000  # only those whose steps were crossed have fallen
        orders = sum(len(miner.orders) for miner in miners)
        await site.run(300)
        assert sum(len(miner.orders) for miner in miners) <= orders + 4
        site.allow(40_000)
        await site.run(200)
        assert total_w(dict(enumerate(miners))) > 25_000
    site.ledger.close()


@pytest.mark.asyncio
async def test_beside_ours_the_quick_make_room_while_the_slow_fall(tmp_path):
    async with site_of(tmp_path, 20) as (site, models, _), stocked(site, 10) as (miners, _stock):
        both = dict(enumerate(miners)) | {f"m{unit}": rig for unit, rig in models.items()}
        site.allow(100_000)
        await site.run(200)
        assert total_w(both) > 80_000
        site.allow(50_000)
        await site.run(4)  # the site has fallen long before the stock miners have
        for _ in range(60):
            await site.run(1)
            assert total_w(both) <= 50_000
        await site.run(60)
        assert total_w(both) > 37_000


@pytest.mark.asyncio
async def test_one_hung_miner_delays_nobody_and_is_counted_at_its_top_for_ever(tmp_path):
    site = VirtualSite(tmp_path)
    async with stocked(site, 10, mining=True) as (miners, stock):
        site.allow(40_000)
        await site.run(60)
        miners[3].faults.add("hung")
        looks = [rig.api.looks for rig in stock.rigs]
        await site.run(60)
        asked = [rig.api.looks - before for rig, before in zip(stock.rigs, looks)]
        assert min(asked[:3] + asked[4:]) >= 25
        row = site.row("old-3")
        assert stock.rigs[3].api.forgotten == 1  # perhaps another stands there when it is back
        assert not site.site.fleet.counted[row] and site.inbox.could_w["old-3"] == 3400
        site.allow(0)
        await site.run(60)
        assert [miner.power_w for n, miner in enumerate(miners) if n != 3] == [IDLE_W] * 9
        assert site.site.held_w >= 3370 and site.site.decision.committed_w >= 3370
        refused = [row.why for row in site.ledger.read("refused")]
        assert any("old-3: no answer within 2 s" in why for why in refused)
        miners[3].faults.clear()
        await site.run(60)
        assert miners[3].power_w == IDLE_W and site.site.held_w == 0
    site.ledger.close()


@pytest.mark.asyncio
async def test_one_that_says_ok_and_does_nothing_is_seen_by_its_power(tmp_path):
    site = VirtualSite(tmp_path)
    async with stocked(site, 3, mining=True) as (miners, _):
        site.allow(20_000)
        await site.run(60)
        miners[1].faults.add("deaf")
        site.allow(0)
        await site.run(240)
        assert miners[1].power_w == 3400 and site.site.held_w >= 3370
        why = site.site.fleet.whys[site.row("old-1")]
        assert why.startswith("does not obey: told 30 W, draws 3400 W")
    site.ledger.close()


@pytest.mark.asyncio
async def test_after_a_wake_the_limit_is_put_back(tmp_path):
    """A miner comes back from sleep as it was made; its level is told again."""
    site = VirtualSite(tmp_path)
    async with stocked(site, 1) as (miners, _):
        site.allow(3_300)
        await site.run(400)
        assert miners[0].mining and miners[0].power_w == 2400
        site.allow(0)
        await site.run(60)
        site.allow(3_300)
        await site.run(400)
        assert miners[0].power_w == 2400
    site.ledger.close()


@pytest.mark.asyncio
async def test_a_site_that_takes_over_leaves_them_as_they_are(tmp_path):
    site = VirtualSite(tmp_path)
    async with stocked(site, 5, mining=True) as (miners, _):
        site.allow(23_000)
        await site.run(120)
        assert [miner.power_w for miner in miners] == [3400] * 5
        assert not any(miner.orders for miner in miners)
    site.ledger.close()


@pytest.mark.asyncio
async def test_without_a_budget_in_force_nothing_is_ordered(tmp_path):
    """Another supervisor may lead, and drive the same rigs."""
    site = VirtualSite(tmp_path)
    async with stocked(site, 2, mining=True) as (miners, stock):
        site.allow(10_000)
        await site.run(60)
        await asyncio.sleep(200)
        assert not any(miner.orders for miner in miners)
        site.keeper.budget = Budget(999, 0, site.now_s + 100)  # no ladder of this epoch
        await asyncio.sleep(50)
        assert not any(miner.orders for miner in miners) and stock.rigs[0].miner.arrived
    site.ledger.close()


@pytest.mark.asyncio
async def test_who_does_not_lead_for_the_moment_orders_nothing(tmp_path):
    site = VirtualSite(tmp_path)
    async with stocked(site, 2, mining=True) as (miners, _):
        site.allow(10_000)
        await site.run(60)
        site.keeper.leads = lambda: False
        site.allow(0)
        await site.run(30)
        assert not any(miner.orders for miner in miners)
        site.keeper.leads = lambda: True
        await site.run(30)
        assert all(miner.orders for miner in miners)
    site.ledger.close()


# ---- the real pyasic, on loopback


@asynccontextmanager
async def serving(count, **keys):
    miners = [
        Whatsminer(host, **{"wake_s": 0.2, "w_per_s": 20_000, **keys}) for host in hosts(count)
    ]
    try:
        for miner in miners:
            await miner.start()
    except OSError as error:
        pytest.skip(f"no loopback addresses beyond the first here: {error}")
    try:
        yield miners
    finally:
        for miner in miners:
            await miner.stop()


@pytest.mark.asyncio
@pytest.mark.real_time
class TestReal:
    async def test_a_miner_is_found_looked_at_and_told(self, until):
        async with serving(1, password="secret") as (miner,):
            api = PyasicApi(miner.host, 30, GROUP.points, "secret")
            look = await api.look()
            assert look == Look(3400, 99_117, 245, 4200)
            await api.order(2400, False)
            assert miner.limit_w == 2400
            await api.order(None, False)
            await until(lambda: miner.power_w == IDLE_W)
            assert (await api.look()).power_w == IDLE_W
            await api.order(2400, True)
            assert [name for _, name in miner.orders] == [
                "adjust_power_limit",
                "power_off",
                "power_on",
                "adjust_power_limit",
            ]

    async def test_what_it_refuses_or_does_not_say_is_an_error_with_a_reason(self):
        async with serving(1) as (miner,):
            api = PyasicApi(miner.host, 30, GROUP.points, None)
            miner.faults.add("mute")
            assert (await api.look()).power_w == 3400  # inferred: it hashes
            miner.faults.add("closed")
            with pytest.raises(StockError, match="refuses the order"):
                await api.order(None, False)
        wrong = PyasicApi(hosts(2)[1], 30, GROUP.points, None)
        with pytest.raises(StockError, match="nobody there"):
            await wrong.look()

    async def test_a_group_is_driven_beside_one_that_hangs(self, until):
        async with serving(3) as miners:
            miners[1].faults.add("hung")
            inbox, keeper = Inbox(), Keeper("s")
            group = StockConfig(
                name="old",
                addresses=f"{miners[0].host}-{miners[2].host}",
                model="M30S",
                points=((3400, 100_000),),
                fall_s=0.1,
                poll_s=0.1,
                silent_s=0.5,
                deadline_s=4.0,
            )
            site = SimpleNamespace(dispatcher=SimpleNamespace(free_w=0))
            settings = config.Config(site=SiteConfig(name="s", limit_mw=1), stock=(group,))
            clock = asyncio.get_running_loop().time
            (stock,) = rigs_of(settings, inbox, keeper, site, clock)
            task = asyncio.create_task(stock.run())
            await until(lambda: stock.rigs[0].look and stock.rigs[2].look)
            assert inbox.could_w == {"old-0000": 3400, "old-0001": 3400, "old-0002": 3400}
            for rig in stock.rigs:
                cmd = b'{"v":1,"nonce":"%s","id":5,"term":1,"seq":1,"epoch":7,' % (
                    rig.kept.nonce.encode()
                )
                rig.kept.hear(cmd + b'"ladder":[[1,0,3370]],"event":0}')
            keeper.budget = Budget(7, 0, clock() + 100)
            await until(lambda: not miners[0].mining and not miners[2].mining)
            await until(lambda: inbox.could_w["old-0000"] == 30)
            assert inbox.could_w["old-0001"] == 3400 and miners[1].mining
            task.cancel()
            await asyncio.wait([task])
