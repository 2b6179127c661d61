"""Rigs on a Modbus line: what goes first by table, stories in virtual time, real sockets."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hil.modbus_rigs import WORDS, Line, ModbusRig
from protocols import registers
from protocols.ladder import Step
from supervisor.inbox import Inbox
from supervisor.kept import Budget, Keeper, Kept
from supervisor.modbus import gateways_of
from supervisor.sections.modbus import ModbusConfig
from supervisor.sources.rigs_modbus import TOLD, LineRig, RigLine, hello_of, next_job
from tests.supervisor.lines import MemoryClient, VirtualSite

POINTS = [[1200, 60_000], [2400, 100_000], [3400, 125_000]]
HELLO = {
    "model": "m",
    "firmware": "1",
    "boards": 3,
    "chips": 195,
    "floor_w": 25,
    "points": POINTS,
    "wake_ms": 0,
    "up_w_per_s": 1000,
}


def line_rig(name, wants=0, told=0, told_s=-99.0, until_s=10.0, asked_s=0.0, **changes):
    """A rig whose ladder admits `wants` watts at any position."""
    rig = LineRig(name, None, Kept(name, Inbox(), HELLO), asked_s, told, told_s, until_s, 10.0)
    rig.kept.watts = lambda admitted: wants
    rig.kept.admitted = lambda budget, now_s: type("A", (), {"level": int(wants > 0)})
    for key, value in changes.items():
        setattr(rig, key, value)
    return rig


BUDGET = Budget(1, 5000, 11.0)
STORIES = {
    "nobody is due": ([line_rig("a", 1200, 1200)], None),
    "a fall before everything": (
        [line_rig("a", 2400, 0), line_rig("b", 0, 1200), line_rig("c", 9, 9, asked_s=-99)],
        ("b", 0),
    ),
    "the larger fall first": ([line_rig("a", 0, 1200), line_rig("b", 1200, 3400)], ("b", 1200)),
    "a fall within a level": ([line_rig("a", 2399, 2400)], ("a", 2399)),
    "a lease about to end before a rise": (
        [line_rig("a", 3400, 1200), line_rig("b", 1200, 1200, until_s=5.0)],
        ("b", 1200),
    ),
    "the lease that ends first": (
        [line_rig("a", 9, 9, until_s=4.0), line_rig("b", 9, 9, until_s=3.0)],
        ("b", 9),
    ),
    "the larger rise first": ([line_rig("a", 1200, 0), line_rig("b", 2400, 0)], ("b", 2400)),
    "no rise so soon after the last": ([line_rig("a", 2400, 1200, told_s=0.5)], None),
    "a small rise waits": ([line_rig("a", 2410, 2400)], None),
    "a lease that has ended is a fall nobody needs to write": (
        [line_rig("a", 0, 1200, until_s=0.9)],
        None,
    ),
    "who is due is asked": (
        [line_rig("a", asked_s=-1.0), line_rig("b", asked_s=-1.5)],
        ("b", None),
    ),
    "who is long overdue is asked before a rise": (
        [line_rig("a", 1200, 0), line_rig("b", asked_s=-6.0)],
        ("b", None),
    ),
    "who does not answer is only asked": (
        [line_rig("a", 0, 1200, lost_s=0.0, asked_s=-5.0)],
        ("a", None),
    ),
    "who refuses is not told again at once": (
        [line_rig("a", 0, 1200, refused={TOLD: "no"}, told_s=0.5)],
        None,
    ),
    "but soon": ([line_rig("a", 0, 1200, refused={TOLD: "no"}, told_s=0.0)], ("a", 0)),
    "who is not known yet is asked": ([line_rig("a", kept=None, asked_s=-9.0)], ("a", None)),
}


@pytest.mark.parametrize("story", STORIES, ids=STORIES)
def test_what_goes_first(story):
    rigs, expected = STORIES[story]
    job = next_job(rigs, BUDGET, 1.0, 2.0)
    assert (job and (job[0].name, job[1])) == expected


def test_who_does_not_lead_only_asks():
    """Another supervisor may be writing to the same rigs."""
    for rigs, _ in STORIES.values():
        job = next_job(rigs, BUDGET, 1.0, 2.0, leads=False)
        assert job is None or job[1] is None
    fall = line_rig("a", 0, 1200, asked_s=-9.0)
    assert next_job([fall], BUDGET, 1.0, 2.0, leads=False) == (fall, None)


def words_of(rig):
    values = rig.values()
    return registers.answer(values, 0, 48), registers.answer(values, 200, 64)


def test_what_a_rig_is_from_its_registers():
    facts = hello_of(*words_of(ModbusRig()))
    assert facts["model"] == "modelled on a line" and facts["floor_w"] == 25
    assert facts["points"] == POINTS


@pytest.mark.parametrize("at, word", [(0, 9), (40, 0xFFFF)], ids=["another map", "no text"])
def test_what_is_no_rig_is_refused(at, word):
    identity, points = words_of(ModbusRig())
    identity[at] = word
    with pytest.raises(registers.RegisterError):
        hello_of(identity, points)
    with pytest.raises(registers.RegisterError, match="no operating point"):
        hello_of(words_of(ModbusRig())[0], [0] * 64)


@asynccontextmanager
async def site_of(folder, rigs, **keys):
    """A site in virtual time with one line of rigs; it has run for 20 s with 0 W allowed."""
    site = VirtualSite(folder, **keys)
    clock = site.loop.time
    models = {unit: ModbusRig(clock=clock) for unit in range(1, rigs + 1)}
    client = MemoryClient({unit: rig.answer for unit, rig in models.items()}, WORDS)
    gateway = client.gateway(gap_s=0.01, deadline_s=0.5)
    line = RigLine(
        site.inbox,
        site.keeper,
        [LineRig(f"hall-{unit}", gateway.unit(unit)) for unit in models],
        poll_s=2.0,
        clock=clock,
    )
    task = asyncio.create_task(line.run())
    await site.run(20)
    try:
        yield site, models, client
    finally:
        task.cancel()
        site.ledger.close()


def total_w(models):
    return sum(rig.power_w for rig in models.values())


@pytest.mark.asyncio
async def test_rigs_on_a_line_join_and_follow_the_budget_to_the_watt(tmp_path):
    async with site_of(tmp_path, 10) as (site, models, _):
        assert len(site.site.fleet) == 10 and total_w(models) == 250
        for allowed_w in (12_000, 30_000, 17_321, 0, 25_000):
            site.allow(allowed_w)
            await site.run(3)

            def never_above(allowed_w=allowed_w):
                assert total_w(models) <= max(allowed_w, 250)

            await site.run(20, never_above)
            if allowed_w:
                assert total_w(models) > 0.7 * allowed_w  # nothing is learned without a meter
        assert site.sent and not any("hall" in topic for topic in site.sent)


@pytest.mark.asyncio
async def test_a_fall_reaches_a_whole_line_within_its_own_time(tmp_path):
    async with site_of(tmp_path, 20) as (site, models, _):
        site.allow(60_000)
        await site.run(15)
        assert total_w(models) > 40_000
        site.allow(0)
        await site.run(2)  # a write and its reading back: 20 x 60 ms
        assert total_w(models) == 20 * 25


@pytest.mark.asyncio
async def test_without_a_supervisor_every_rig_is_off_when_its_lease_ends(tmp_path):
    async with site_of(tmp_path, 5) as (site, models, _):
        site.allow(15_000)
        await site.run(15)
        assert total_w(models) > 10_000
        await asyncio.sleep(10.1)
        assert total_w(models) == 5 * 25
        await site.run(20)
        assert total_w(models) > 10_000


@pytest.mark.asyncio
async def test_a_rig_that_hangs_is_counted_until_its_watchdog_has_ended_then_others_run(tmp_path):
    async with site_of(tmp_path, 4) as (site, models, client):
        site.allow(8_000)
        await site.run(20)
        row = site.row("hall-1")
        before_w = total_w(models)
        assert models[1].power_w > 1000
        client.hung.add(1)
        since_s = site.now_s

        def never_above():
            assert total_w(models) <= 8_000
            if site.site.fleet.counted[row]:
                return
            assert models[1].power_w == 25 and site.now_s - since_s > 9

        await site.run(40, never_above)
        assert not site.site.fleet.counted[row]
        assert total_w(models) > 0.8 * before_w
        client.hung.clear()
        await site.run(80, lambda: total_w(models) <= 8_000 or pytest.fail("above"))
        assert site.site.fleet.counted[row]


@pytest.mark.asyncio
async def test_a_rig_that_is_away_shorter_than_its_lease_goes_on(tmp_path):
    async with site_of(tmp_path, 4) as (site, models, client):
        site.allow(13_000)
        await site.run(20)
        nonces = list(site.site.fleet.nonces)
        client.hung.add(2)
        await site.run(2)
        client.hung.clear()
        await site.run(12)
        assert site.site.fleet.nonces == nonces and models[2].power_w > 1000


@pytest.mark.asyncio
async def test_a_hung_rig_does_not_slow_the_others_fall(tmp_path):
    async with site_of(tmp_path, 10) as (site, models, client):
        site.allow(34_000)
        await site.run(15)
        client.hung.add(3)
        await site.run(30)
        site.allow(0)
        await site.run(3)
        assert sum(rig.power_w for unit, rig in models.items() if unit != 3) == 9 * 25


@pytest.mark.asyncio
async def test_only_what_changed_is_written(tmp_path):
    async with site_of(tmp_path, 10) as (site, models, _):
        site.allow(34_000)
        await site.run(20)
        for rig in models.values():
            rig.writes.clear()
        await site.run(60)
        writes = [len(rig.writes) for rig in models.values()]
        assert all(9 <= count <= 20 for count in writes)  # a renewal every half lease


@pytest.mark.asyncio
async def test_a_refused_limit_is_said_once_and_not_hammered(tmp_path):
    async with site_of(tmp_path, 2) as (site, models, client):
        models[1].faults.add("refuses")
        client.asked.clear()
        site.allow(5_000)
        await site.run(30)
        refused = [row for row in site.ledger.read("refused") if "hall-1" in row.why]
        assert len(refused) == 1 and "Modbus exception 3" in refused[0].why
        assert sum(unit == 1 and bool(words) for _, unit, words in client.asked) < 40
        assert models[2].power_w > 1000


@pytest.mark.asyncio
async def test_a_rig_in_fault_leaves_the_count_and_joins_again(tmp_path):
    async with site_of(tmp_path, 2) as (site, models, _):
        site.allow(7_000)
        await site.run(15)
        models[1].faults.add("fault")
        await site.run(6)
        assert not site.site.fleet.counted[site.row("hall-1")]
        models[1].faults.clear()
        await site.run(40)
        assert site.site.fleet.counted[site.row("hall-1")] and models[1].power_w > 1000


@pytest.mark.asyncio
@pytest.mark.real_time
async def test_over_real_sockets(until):
    models = {unit: ModbusRig() for unit in (1, 2)}
    line = Line(models)
    keys = ModbusConfig(name="g", host="127.0.0.1", port=await line.start(), gap_ms=1)
    gateways, inbox, keeper = gateways_of([keys]), Inbox(), Keeper("s")
    rigs = [LineRig(f"r-{n}", gateways.unit("g", n)) for n in models]
    task = asyncio.create_task(RigLine(inbox, keeper, rigs, poll_s=0.1).run())
    heard = await until(lambda: len(inbox._heard) >= 4 and inbox.take_rigs())
    assert {(rig, kind) for rig, kind, _ in heard} >= {("r-1", "hello"), ("r-2", "state")}
    now_s = asyncio.get_running_loop().time()
    rigs[0].kept._ladders = {1: (Step(1, 0, 1175), Step(2, 1175, 2375))}
    keeper.budget = Budget(1, 1775, now_s + 0.6)
    await until(lambda: models[1].limit_w == 1800)
    assert models[2].writes == [] and 0 < models[1].writes[-1][2] <= 600
    await until(lambda: models[1].power_w == 25, 3.0)
    task.cancel()
    gateways.close()
    await line.stop()
