"""Fans and pumps on whole sites in virtual time, and a real server as a drive."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hil.drive import WORDS, Bus, FanDrive
from supervisor.config import DRIVES
from supervisor.facility import Drive, Facility, Load, Rules
from supervisor.inbox import Inbox
from supervisor.modbus import gateways_of
from supervisor.sections.facility import DriveKeys
from supervisor.sections.modbus import ModbusConfig
from supervisor.sources.drive_map import load_drive
from supervisor.sources.drives import SOURCE, Drives, Reader, load_of
from supervisor.sources.registers import MapError
from tests.supervisor.lines import UNIX_S, MemoryClient
from tests.supervisor.test_rigs_modbus import site_of, total_w

RULES = Rules()


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
async def hall(folder, fans=2, leads=lambda: True, **keys):
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
            leads=leads,
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
async def test_who_does_not_lead_for_the_moment_tells_no_drive(tmp_path):
    """Another supervisor may lead, and see to them; this one reads them all the same."""
    leads = [True]
    async with hall(tmp_path, leads=lambda: leads[0]) as (site, _, drives, _):
        site.allow(34_000)
        await site.run(20)
        assert all(drive.air_pct > 99 for drive in drives.values())
        leads[0] = False
        drives[1].restart()
        site.allow(0)
        await site.run(120)
        assert not drives[1].speed_pct and drives[2].air_pct > 99
        leads[0] = True
        await site.run(5)
        assert drives[2].air_pct < 99


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
