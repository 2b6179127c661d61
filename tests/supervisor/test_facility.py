"""Fans and pumps: the decision by story and property, whole sites in virtual time."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.drive import WORDS, Bus, FanDrive
from supervisor.config import DRIVES
from supervisor.envelope import Entry, settle
from supervisor.facility import Drive, Facility, Load, Rules, Sight
from supervisor.inbox import Inbox
from supervisor.modbus import gateways_of
from supervisor.sections.facility import DriveKeys
from supervisor.sections.modbus import ModbusConfig
from supervisor.sources.drives import SOURCE, Drives, Reader, load_drive, load_of
from supervisor.sources.registers import MapError
from tests.supervisor.lines import UNIX_S, MemoryClient
from tests.supervisor.test_rigs_modbus import site_of, total_w

RULES = Rules()
MW = 1_000_000
TWO = (Drive("a", 2 * MW), Drive("b", 2 * MW))


class Story:
    """A facility asked once a second; drives in turning move air when told, at once."""

    def __init__(self, *drives, taking_over=False, rules=RULES):
        self.now_s = 0.0
        self.turning = {drive.name for drive in drives}
        self.heard = set(self.turning)
        self.facility = Facility(drives, rules, 0.0, taking_over=taking_over)
        self.plan = None
        self.running = set()  # as told; a test may run them before anybody told them

    def run(self, seconds, demand_mw=0.0, drawn_mw=0.0):
        """The limit in MW after each second; None: no limit."""
        limits = []
        for _ in range(seconds):
            self.now_s += 1.0
            for name in self.heard:
                on = name in self.running
                sight = Sight(self.now_s, on and name in self.turning, on, "" if on else "stopped")
                self.facility.hear(name, sight)
            load = Load(round(demand_mw * MW), round(drawn_mw * MW))
            self.plan = self.facility.step(self.now_s, load)
            self.running = set(self.plan.on) if self.now_s > 1 else self.running
            limit_w = self.plan.limit_w
            limits.append(None if limit_w is None else limit_w / MW)
        return limits


def test_nothing_is_allowed_before_the_air_is_proven_and_then_what_it_carries():
    story = Story(*TWO)
    limits = story.run(12, demand_mw=1.0)
    assert story.plan.on == {"a"}  # one is enough
    assert limits[:6] == [0.0] * 6 and limits[-1] == 2.0
    assert story.plan.because == "1 of 2 proven"
    assert story.run(12, demand_mw=3.0)[-1] is None
    assert story.plan.because == "all fans and pumps are proven"


def test_a_fan_that_does_not_turn_blocks_the_restore_says_why_and_another_is_started():
    story = Story(*TWO)
    story.turning = {"b"}
    limits = story.run(29, demand_mw=1.0)
    assert set(limits) == {0.0} and story.plan.on == {"a"}
    assert story.plan.because.startswith("0 of 2 proven; a: ")
    limits = story.run(20, demand_mw=1.0)
    assert story.plan.on >= {"b"} and limits[-1] == 2.0


def test_what_runs_is_held_while_the_proof_is_a_little_old_and_shed_by_rule():
    story = Story(*TWO)
    story.run(20, demand_mw=4.0)
    assert story.plan.limit_w is None
    story.heard = {"a"}  # b cannot be heard any more
    limits = story.run(25, demand_mw=4.0, drawn_mw=2.5)
    assert limits[3:5] == [None, 2.65]  # no rise, nothing shed,
    assert limits[9:11] == [2.65, 2.0]  # then what a carries
    assert set(limits[11:]) == {2.0}
    assert story.plan.because.startswith("1 of 2 proven; b: ")
    story.heard = {"a", "b"}
    assert story.run(7, demand_mw=4.0, drawn_mw=2.0)[-3:] == [2.0, None, None]  # steady again


def test_a_fan_runs_on_for_the_cool_down_and_they_stop_one_after_the_other():
    story = Story(*TWO)
    story.run(200, demand_mw=4.0, drawn_mw=4.0)
    assert story.plan.on == {"a", "b"}
    story.run(179)
    assert story.plan.on == {"a", "b"}
    story.run(3)
    assert story.plan.on == {"a"}
    story.run(8)
    assert story.plan.on == {"a"}
    story.run(3)
    assert story.plan.on == set()


def test_what_is_still_drawn_keeps_its_fans_whatever_is_allowed():
    story = Story(*TWO)
    story.run(200, demand_mw=4.0, drawn_mw=4.0)
    story.run(400, demand_mw=0.0, drawn_mw=1.5)
    assert story.plan.on == {"a"}


def test_zones_do_not_cool_each_other():
    halls = (
        Drive("a1", MW, "a"),
        Drive("a2", MW, "a"),
        Drive("b1", 3 * MW, "b"),
    )
    story = Story(*halls)
    story.turning = {"a1", "b1"}
    assert story.run(60, demand_mw=2.0)[-1] == 1.0  # all that is drawn may be in hall a
    assert story.plan.because.startswith("1 of 2 proven in a; a2: ")


def test_one_that_takes_over_holds_what_runs_until_it_is_proven_or_not():
    story = Story(*TWO, taking_over=True)
    story.running = {"a", "b"}
    limits = story.run(12, demand_mw=4.0, drawn_mw=3.0)
    assert limits[0] == 3.18 and limits[-1] is None and story.plan.on == {"a", "b"}
    lost = Story(*TWO, taking_over=True)
    lost.running, lost.turning = {"a", "b"}, {"a"}
    limits = lost.run(12, demand_mw=4.0, drawn_mw=3.0)
    assert limits[0] == 3.18 and limits[-1] == 2.0
    assert limits[8:] == [3.18, 3.18, 2.0, 2.0] or limits[8:] == [3.18, 2.0, 2.0, 2.0]
    fresh = Story(*TWO)
    fresh.running = {"a", "b"}
    assert fresh.run(5, demand_mw=4.0, drawn_mw=3.0) == [0.0] * 5  # nobody has proven anything


def test_fans_that_run_when_we_come_are_not_stopped_by_our_coming():
    story = Story(*TWO)
    story.running = {"b"}
    story.run(179)
    assert story.plan.on == {"b"}
    story.run(20)
    assert story.plan.on == set()


@given(
    st.lists(
        st.tuples(st.floats(0, 9), st.floats(0, 9), st.sets(st.sampled_from("abc"))),
        max_size=60,
    ),
    st.booleans(),
)
def test_never_more_than_is_proven_nor_off_while_rigs_run(seconds, taking_over):
    drives = tuple(Drive(name, 3 * MW) for name in "abc")
    rules = Rules(cool_down_s=20.0, stage_s=3.0)
    story = Story(*drives, taking_over=taking_over, rules=rules)
    before, drawn = set(), []
    for demand_mw, drawn_mw, turning in seconds:
        story.turning = turning
        drawn.append(drawn_mw)
        (limit_mw,) = story.run(1, demand_mw, drawn_mw)
        facility, now_s = story.facility, story.now_s
        proven_mw = sum(3.0 for d in drives if facility.proven(d, now_s))
        lately_mw = sum(3.0 for d in drives if now_s - facility._states[d.name].proof_s <= 10.0)
        if proven_mw < 9:
            assert limit_mw is not None
            assert limit_mw <= max(proven_mw, min(lately_mw, 1.06 * max(drawn) + 1e-5))
        if before - story.plan.on:  # somebody was stopped: those left can carry it all
            assert 3.0 * len(story.plan.on) >= max(drawn[-20:]) - 1e-6
        before = set(story.plan.on)


def test_maps_of_drives_that_come_along_say_where_they_are_from():
    paths = sorted(DRIVES.glob("*.toml"))
    assert len(paths) >= 3
    for path in paths:
        drive, proof = load_drive(path, "speed")
        assert drive.command.run != drive.command.stop and proof.unit == "%"
        assert any(word in path.read_text() for word in ("manual", "guide", "bench"))
        full = drive.reference.per_percent * 100 * proof.scale
        assert full == pytest.approx(100.0)  # what is wished reads back as the same percent


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("", "name"),
        ('name = "x"\n[command]\naddress = 0\nrun = 1', "stop"),
        ('name = "x"\n[command]\naddress = 0\nrun = 1\nstop = 0', "it has no speed"),
        ("x", "Expected"),
    ],
)
def test_a_map_that_is_wrong_names_its_file(tmp_path, text, wrong):
    (tmp_path / "d.toml").write_text(text)
    with pytest.raises(MapError, match=rf"d.toml: .*{wrong}"):
        load_drive(tmp_path / "d.toml", "speed")


# ---- the whole site


def readers_of(gateway, clock, fans, **keys):
    return [
        Reader(
            DriveKeys(
                name=f"fan-{unit}",
                gateway="g",
                unit=unit,
                map=str(DRIVES / "surplus-bench.toml"),
                carries_mw=0.020,
                **keys,
            ),
            gateway.unit(unit),
            clock,
            30.0,
        )
        for unit in fans
    ]


@asynccontextmanager
async def hall(folder, fans=2, **keys):
    """Ten rigs of 3.4 kW on a line, and fans of 20 kW each on another."""
    async with site_of(folder, 10) as (site, models, _):
        clock = site.loop.time
        drives = {unit: FanDrive(clock) for unit in range(1, fans + 1)}
        client = MemoryClient({unit: drive.answer for unit, drive in drives.items()}, WORDS)
        readers = readers_of(client.gateway(deadline_s=0.5), clock, drives, **keys)
        named = tuple(Drive(reader.name, 20_000) for reader in readers)
        source = Drives(
            site.inbox,
            readers,
            Facility(named, Rules(cool_down_s=60.0), clock()),
            lambda: load_of(site.site),
            clock=clock,
            unix=lambda: UNIX_S + site.now_s,
        )
        task = asyncio.create_task(source.run())
        try:
            yield site, models, drives, client
        finally:
            task.cancel()
            await asyncio.wait([task])


def cooled(models, drives):
    """Whether the air that really moves carries what is really drawn by rigs that are awake."""
    moving_w = sum(20_000 for drive in drives.values() if drive.air_pct > 70)
    return total_w(models) <= max(250, moving_w)


@pytest.mark.asyncio
async def test_rigs_wake_only_behind_air_that_moves_and_fans_outlast_them(tmp_path):
    async with hall(tmp_path) as (site, models, drives, _):
        assert not any(drive.air_pct for drive in drives.values())
        site.allow(34_000)

        def always():
            assert cooled(models, drives)

        await site.run(8, always)
        assert total_w(models) == 250 and site.site.envelope.source == SOURCE
        await site.run(40, always)
        assert total_w(models) > 25_000
        site.allow(0)
        await site.run(60, always)
        assert all(drive.air_pct > 99 for drive in drives.values())
        await site.run(40, always)
        assert not any(drive.air_pct for drive in drives.values())


@pytest.mark.asyncio
async def test_field_fault_20_a_facility_fan_off_while_rigs_run(tmp_path):
    async with hall(tmp_path) as (site, models, drives, _):
        site.allow(34_000)
        await site.run(50)
        assert total_w(models) > 25_000
        drives[1].faults.add("tripped")
        await site.run(25)
        assert 250 < total_w(models) <= 20_000
        assert site.site.envelope.because.startswith("1 of 2 proven; fan-1: speed is")
        await site.run(60, lambda: cooled(models, drives) or pytest.fail("no air"))
        drives[1].faults.clear()
        await site.run(60, lambda: cooled(models, drives) or pytest.fail("no air"))
        assert total_w(models) > 25_000


@pytest.mark.asyncio
async def test_a_drive_that_forgets_over_a_restart_is_told_again_before_anything_is_shed(tmp_path):
    async with hall(tmp_path) as (site, models, drives, _):
        site.allow(15_000)
        await site.run(50)
        drives[1].restart()
        before_w = total_w(models)
        await site.run(6)
        assert drives[1].speed_pct > 40 and total_w(models) >= before_w - 100


@pytest.mark.asyncio
async def test_commands_are_asserted_again_now_and_then_and_not_more(tmp_path):
    async with hall(tmp_path) as (site, _, drives, __):
        site.allow(15_000)
        await site.run(50)
        drives[1].commands.clear()
        await site.run(120)
        assert 3 <= len(drives[1].commands) <= 5


@pytest.mark.asyncio
async def test_a_drive_that_cannot_be_heard_is_not_proven_and_delays_no_other(tmp_path):
    async with hall(tmp_path) as (site, models, _, client):
        site.allow(34_000)
        await site.run(50)
        client.hung.add(2)
        await site.run(25)
        assert 10_000 < total_w(models) <= 20_000
        assert "fan-2: line:502 unit 2" in site.site.envelope.because
        client.hung.clear()
        await site.run(80)
        assert total_w(models) > 25_000


@pytest.mark.asyncio
async def test_a_torn_belt_is_seen_by_the_current_not_by_the_speed(tmp_path):
    async with hall(tmp_path, proof="current", proof_min=30.0) as (site, models, drives, _):
        site.allow(34_000)
        await site.run(50)
        assert total_w(models) > 25_000
        drives[2].faults.add("belt")
        await site.run(25)
        assert total_w(models) <= 20_000
        assert "current is 12 A, below 30 A" in site.site.envelope.because


@pytest.mark.asyncio
async def test_a_command_that_cannot_be_written_is_said_and_nothing_rises(tmp_path):
    async with hall(tmp_path) as (site, models, drives, _):
        for drive in drives.values():
            drive.faults.add("refuses")
        site.allow(34_000)
        await site.run(60)
        assert total_w(models) == 250
        refused = [row.why for row in site.ledger.read("refused") if row.source == SOURCE]
        assert len(refused) == 2 and "Modbus exception 2" in refused[0]


def test_the_bound_never_stands_in_for_a_signal():
    bound = Entry(SOURCE, ((0.0, 5),), bound=True)
    grid = Entry("grid", ((0.0, 7),))
    assert settle([bound], 100, 0, 1.0).limit_w == 0
    assert settle([bound], 100, 0, 1.0).source == "site"
    assert settle([bound], 100, 50, 1.0).source == SOURCE
    assert settle([bound, grid], 100, 0, 1.0).limit_w == 5
    assert settle([grid], 100, 0, 1.0).limit_w == 7


@pytest.mark.asyncio
@pytest.mark.real_time
async def test_a_real_server_as_a_drive(until, monkeypatch):
    monkeypatch.setattr("hil.drive.SPIN_S", 0.2)
    drive, inbox = FanDrive(), Inbox()
    bus = Bus({3: drive})
    gateways = gateways_of(
        [ModbusConfig(name="g", host="127.0.0.1", port=await bus.start(), gap_ms=1)]
    )
    clock = asyncio.get_running_loop().time
    rules = Rules(steady_s=0.1, cool_down_s=0.1, stage_s=0.1)
    facility = Facility((Drive("fan-3", 20_000),), rules, clock())
    load = [Load(9000, 0)]
    readers = readers_of(gateways["g"], clock, [3])
    source = Drives(inbox, readers, facility, lambda: load[0], poll_s=0.02, clock=clock)
    assert inbox.entries[SOURCE].schedule[0][1] == 0
    task = asyncio.create_task(source.run())
    await until(lambda: not inbox.entries[SOURCE].schedule)
    assert drive.air_pct > 80
    load[0] = Load(0, 0)
    await until(lambda: drive.commands[-1][1] == 0 and len(drive.commands) > 1)
    task.cancel()
    gateways.close()
    await bus.stop()
