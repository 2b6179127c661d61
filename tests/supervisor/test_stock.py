"""Rigs with somebody else's firmware: the decision by story and property, sites in virtual time,
and the real pyasic against a miner's own protocol."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import config
from supervisor.inbox import Inbox
from supervisor.kept import Budget, Keeper
from supervisor.sections.site import SiteConfig
from supervisor.sections.stock import StockConfig
from supervisor.sources.stock import Look, PyasicApi, StockError, StockRigs, rigs_of, stock_rig
from supervisor.stock import Miner, Rules
from tests.supervisor.lines import VirtualSite
from tests.supervisor.test_rigs_modbus import site_of, total_w

pytest.importorskip("pyasic", reason="pip install 'surplus[stock]'")
from hil.whatsminer import IDLE_W, Whatsminer, hosts

LEVELS_W = (30, 2400, 3400)
RULES = Rules()


class Desk:
    """A miner whose orders are noted; power follows nobody but the test."""

    def __init__(self, power_w=3400, rules=RULES):
        self.now_s, self.power_w, self.orders = 1000.0, power_w, []
        self.miner = Miner(LEVELS_W, rules, self.now_s)

    def run(self, seconds, aim, heard=True):
        for _ in range(seconds):
            self.now_s += 1.0
            if heard:
                self.miner.hear(self.now_s, self.power_w)
            level = self.miner.step(self.now_s, aim)
            if level is not None:
                self.orders.append((self.now_s - 1000.0, level))
        return self.orders


def test_it_is_taken_as_it_is_found():
    for power_w, level in ((3390, 2), (2500, 1), (35, 0), (900, 1)):
        desk = Desk(power_w)
        assert desk.miner.told is None and desk.miner.could_w(desk.now_s) == 3400
        desk.run(1, level)
        assert desk.miner.told == level and desk.miner.could_w(desk.now_s) >= power_w


def test_a_fall_is_ordered_once_it_lasts_and_repeated_until_it_is_measured():
    desk = Desk()
    desk.run(10, 2)
    assert desk.run(2, 0) == []
    assert desk.run(60, 0) == [(13.0, 0), (43.0, 0)]
    desk.power_w = 31
    assert len(desk.run(300, 0)) == 2 and desk.miner.arrived


def test_a_falling_one_is_counted_as_before_until_it_is_measured_where_it_was_told():
    desk = Desk()
    desk.run(10, 2)
    desk.run(5, 0)
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 1000  # on its way is not there
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 30
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 30


def test_a_rise_waits_for_dwell_and_is_counted_at_once():
    desk = Desk(30)
    assert desk.run(299, 2) == []
    assert desk.run(1, 2) == [(300.0, 2)]
    assert desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 3380
    desk.run(1, 2)
    assert desk.run(9, 1) == [(300.0, 2), (304.0, 1)]  # a fall waits for nobody


def test_a_rise_that_does_not_last_is_none():
    desk = Desk(30)
    desk.run(400, 0)
    for _ in range(10):
        desk.run(20, 2)
        desk.run(5, 0)
    assert desk.orders == []


def test_one_that_wakes_is_counted_at_its_top_until_it_is_where_it_was_told():
    desk = Desk(30)
    desk.run(300, 1)
    assert desk.orders == [(300.0, 1)] and desk.miner.could_w(desk.now_s) == 3400
    desk.power_w = 3400  # it came back as it was made
    assert desk.run(35, 1) == [(300.0, 1), (330.0, 1)]
    desk.power_w = 2390
    desk.run(1, 1)
    assert desk.miner.could_w(desk.now_s) == 2400


def test_one_that_is_not_heard_is_counted_at_its_top_and_told_nothing():
    desk = Desk(30)
    desk.run(400, 0)
    assert desk.miner.could_w(desk.now_s) == 30
    desk.run(30, 0, heard=False)
    assert desk.miner.could_w(desk.now_s) == 30
    desk.run(1, 0, heard=False)
    assert desk.miner.could_w(desk.now_s) == 3400
    assert desk.run(1000, 2, heard=False) == [] and desk.miner.could_w(desk.now_s) == 3400


def test_one_that_somebody_else_has_woken_is_counted_and_told_again():
    desk = Desk(30)
    desk.run(400, 0)
    desk.power_w = 2000
    desk.run(1, 0)
    assert desk.miner.could_w(desk.now_s) == 2400
    assert desk.run(31, 0)[-1][1] == 0


def test_one_that_does_not_obey_says_so_and_is_told_for_ever():
    desk = Desk()
    desk.run(10, 2)
    desk.run(100, 0)
    assert not desk.miner.disobeys(desk.now_s)
    desk.run(500, 0)
    assert desk.miner.disobeys(desk.now_s) and len(desk.orders) >= 20
    assert desk.miner.could_w(desk.now_s) == 3400


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(1, 60), st.booleans(), st.integers(0, 8), st.booleans()
        ),
        max_size=30,
    ),
    st.integers(0, 2),
)
def test_it_never_draws_more_than_it_is_counted_with(stretches, first):
    """Whatever is admitted, however slow or deaf it is, heard or not: nobody else touches it."""
    rules = Rules(rise_s=3.0, dwell_s=10.0, repeat_s=5.0, obey_s=20.0, silent_s=8.0)
    desk = Desk(LEVELS_W[first], rules)
    miner, goal_w, due = desk.miner, LEVELS_W[first], []
    for aim, seconds, heard, delay_s, deaf in stretches:
        for _ in range(seconds):
            desk.now_s += 1.0
            while due and due[0][0] <= desk.now_s:
                goal_w = due.pop(0)[1]
            desk.power_w += max(-900, min(900, goal_w - desk.power_w))
            if heard:
                miner.hear(desk.now_s, desk.power_w)
            level = miner.step(desk.now_s, aim)
            if level is not None and not deaf:
                back = desk.power_w <= 30 and level  # wakes as it was made, then finds its limit
                due += [(desk.now_s + delay_s, LEVELS_W[-1])] if back else []
                due.append((desk.now_s + delay_s + (9 if back else 0), LEVELS_W[level]))
                due.sort(key=lambda pair: pair[0])
            if miner.told is not None:
                assert desk.power_w <= miner.could_w(desk.now_s)


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
        self.model, self.answer_s, self.looks = model, answer_s, 0

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
