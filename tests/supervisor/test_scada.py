"""What a SCADA may order, by example; then IEC 60870-5-104 with a real master on the wire."""

import asyncio
import math
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.peers import Master
from supervisor.grid import iec104
from supervisor.grid.scada import Desk
from supervisor.inbox import Inbox
from supervisor.sections.scada import Iec104Config, ScadaConfig
from tests.supervisor.test_sunspec import Clock, Shown, told

MW, LIMIT_W = 1_000_000, 100_000_000


LINK = "the first"


def desk(**section):
    inbox, clock = Inbox(), Clock()
    keys = {"default_mw": 5, "stagger_s": 0, "fall_pct_per_s": 100}
    made = Desk("scada", ScadaConfig(**(keys | section)), "ridge-1", LIMIT_W, inbox, clock)
    made.say()
    return made, inbox, clock


def mw(inbox, clock):
    return inbox.entries["scada"].limit_w(clock()) / MW


def test_failsafe_until_ordered_then_the_order():
    made, inbox, clock = desk()
    assert mw(inbox, clock) == 5
    assert made.setpoint(62.5) == ""
    made.say()
    assert mw(inbox, clock) == 62.5


def test_a_lost_room_is_held_on_and_then_the_default():
    made, inbox, clock = desk(silence_s=35, hold_s=60)
    made.setpoint(62.5)
    made.say()
    clock.now_s += 94
    assert mw(inbox, clock) == 62.5
    clock.now_s += 3
    assert mw(inbox, clock) == 5


def test_a_living_link_is_being_heard_unless_a_watchdog_is_asked_for():
    for watchdog, still in ((False, 62.5), (True, 5)):
        made, inbox, clock = desk(silence_s=35, hold_s=0, watchdog=watchdog)
        made.watchdog()
        assert made.setpoint(62.5) == ""
        for _ in range(20):
            clock.now_s += 5
            made.linked(LINK)
            made.say()
        assert mw(inbox, clock) == still


def lost(**section):
    """A room whose set-point of 62.5 MW was lost 1 s ago."""
    made, inbox, clock = desk(silence_s=35, hold_s=60, **section)
    made.watchdog()
    assert made.setpoint(62.5) == ""
    made.linked(None)
    made.say()
    clock.now_s += 96
    assert mw(inbox, clock) == 5
    return made, inbox, clock


def test_a_lost_set_point_does_not_come_back_with_the_link_but_with_a_new_one():
    made, inbox, clock = lost()
    for _ in range(10):
        made.linked(LINK)
        made.say()
        clock.now_s += 1
        assert mw(inbox, clock) == 5
    assert made.setpoint(62.5) == ""
    made.say()
    assert mw(inbox, clock) == 62.5


def test_a_link_that_was_never_down_is_no_loss_however_long_nobody_had_time_to_look():
    made, inbox, clock = desk(silence_s=35, hold_s=60)
    for link, still in ((LINK, 62.5), ("another", 5), (None, 5)):
        made.linked(LINK)
        made.setpoint(62.5)
        clock.now_s += 500
        made.linked(link)
        made.say()
        assert mw(inbox, clock) == still
        made.linked(None)


def test_a_link_that_is_back_in_time_goes_on_as_if_it_had_not_been_away():
    made, inbox, clock = desk(silence_s=35, hold_s=60)
    made.setpoint(62.5)
    clock.now_s += 94
    made.linked(LINK)
    made.say()
    clock.now_s += 94
    assert mw(inbox, clock) == 62.5


def test_with_a_watchdog_a_set_point_is_taken_only_after_it():
    made, inbox, clock = lost(watchdog=True)
    assert "watchdog point was not written for 35 s" in made.setpoint(62.5)
    made.watchdog()
    made.say()
    assert mw(inbox, clock) == 5, "a heartbeat alone"
    assert made.setpoint(62.5) == ""
    made.say()
    assert mw(inbox, clock) == 62.5
    fresh, _, _ = desk(watchdog=True)
    assert "watchdog" in fresh.setpoint(62.5)


def test_an_emergency_after_a_loss_counts_and_brings_no_old_set_point_back():
    made, inbox, clock = lost()
    made.emergency(True)
    made.say()
    assert mw(inbox, clock) == 0
    made.emergency(False)
    made.say()
    assert mw(inbox, clock) == 5


def test_an_emergency_that_stood_when_the_room_was_lost_stands_again_with_the_link():
    made, inbox, clock = desk(silence_s=35, hold_s=60)
    made.setpoint(62.5)
    made.emergency(True)
    made.say()
    clock.now_s += 96
    assert mw(inbox, clock) == 5
    made.linked(LINK)
    made.say()
    assert mw(inbox, clock) == 0
    made.emergency(False)
    made.say()
    assert mw(inbox, clock) == 5


def test_an_emergency_is_nothing_until_it_is_taken_back():
    made, inbox, clock = desk()
    made.setpoint(62.5)
    made.emergency(True)
    made.say()
    assert mw(inbox, clock) == 0 and inbox.entries["scada"].emergency
    made.setpoint(80)
    made.say()
    assert mw(inbox, clock) == 0
    made.emergency(False)
    made.say()
    assert mw(inbox, clock) == 80


@pytest.mark.parametrize("value", [-0.1, 100.1, math.nan, math.inf, -math.inf])
def test_a_setpoint_out_of_range_changes_nothing(value):
    made, inbox, clock = desk()
    made.setpoint(62.5)
    assert "0 to 100 MW" in made.setpoint(value)
    made.say()
    assert mw(inbox, clock) == 62.5


def test_a_late_or_early_time_tag_is_refused():
    made, _, clock = desk()
    assert made.setpoint(1, clock() - 9) == "" == made.setpoint(1, clock() + 9)
    assert "+11.0 s old" in made.setpoint(1, clock() - 11)
    assert "-11.0 s old" in made.setpoint(1, clock() + 11)


@given(st.floats(allow_nan=True), st.none() | st.floats(allow_nan=True))
def test_whatever_is_ordered_never_above_the_sites_own(value, tag_s):
    made, inbox, clock = desk()
    made.setpoint(value, tag_s)
    made.say()
    assert 0 <= mw(inbox, clock) <= 100


# ---- IEC 60870-5-104


class Wire:
    """An outstation, and a master in a process of its own connected to it."""

    def __init__(self, **section):
        pytest.importorskip("c104")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        keys = {"port": port, "default_mw": 5, "stagger_s": 0, "fall_pct_per_s": 100}
        self.section = Iec104Config(**(keys | section))
        self.inbox, self.board = Inbox(), Shown()
        self.desk = Desk(
            "scada", self.section, "ridge-1", LIMIT_W, self.inbox, weigh=self.board.weigh
        )
        self.station = iec104.Iec104(self.section, self.desk, self.board)

    def mw(self):
        return self.inbox.entries["scada"].limit_w(time.time()) / MW

    async def __aenter__(self):
        self.task = asyncio.create_task(self.station.run())
        await asyncio.sleep(0)
        self.master = Master("master104", self.section.port)
        await self.master.start()
        async with asyncio.timeout(30):
            while await self.master.ask(do="state") != "OPEN":
                await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_):
        await self.master.stop()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def send(self, ioa, value, **more):
        """Whether the outstation confirmed it."""
        return await self.master.ask(do="send", ioa=ioa, value=value, **more)

    async def ordered(self, ioa, value):
        """Confirmed; c104 as a master loses an order now and then, and says so."""
        refusals = len(self.inbox._refusals)
        async with asyncio.timeout(50):
            while not await self.send(ioa, value):
                assert len(self.inbox._refusals) == refusals

    async def shown(self, wanted):
        async with asyncio.timeout(10):
            while not wanted(found := await self.master.ask(do="read")):
                await asyncio.sleep(0.05)
        return found


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_master_orders(until):
    async with Wire() as wire:
        assert wire.mw() == 5
        await wire.ordered(iec104.SETPOINT, 62.5)
        await until(lambda: wire.mw() == 62.5)
        await wire.ordered(iec104.SELECTED, 41.0)
        await until(lambda: wire.mw() == 41)
        assert not await wire.send(iec104.SETPOINT, 1e9)
        assert not await wire.send(iec104.TAGGED, 7.0, age_s=60)
        await until(lambda: len(wire.inbox._refusals) == 2)
        assert wire.mw() == 41
        await wire.ordered(iec104.TAGGED, 7.0)
        await until(lambda: wire.mw() == 7)
        await wire.ordered(iec104.EMERGENCY, 1)
        await until(lambda: wire.mw() == 0)
        await wire.ordered(iec104.EMERGENCY, 0)
        await until(lambda: wire.mw() == 7)


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_master_reads_and_what_is_not_known_is_invalid(monkeypatch):
    monkeypatch.setattr(iec104, "REPORT_MS", 200)
    async with Wire() as wire:
        await wire.shown(lambda found: found["2001"][1] is False)
        wire.board.told = told()
        known = {"2001": [59.0, True], "2011": [41.0, True], "2102": [False, True]}
        await wire.shown(lambda found: known.items() <= found.items())
        wire.board.told = told(metered_age_s=60.0)
        await wire.shown(lambda found: found["2001"][1] is False)
        await wire.shown(lambda found: found["2102"] == [True, True])


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_what_a_supervisor_that_hangs_does_not_show_any_more_is_invalid(monkeypatch):
    """c104's own threads go on reporting when ours does nothing."""
    monkeypatch.setattr(iec104, "REPORT_MS", 200)
    monkeypatch.setattr(iec104, "BEAT_S", 0.05)
    async with Wire() as wire:
        wire.board.told = told()
        await wire.shown(lambda found: found["2001"] == [59.0, True])
        monkeypatch.setattr(iec104, "STALE_S", 0.5)
        monkeypatch.setattr(wire.station, "show", lambda: None)
        await wire.shown(lambda found: not found["2001"][1] and not found["2104"][1])


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_master_that_dies_is_a_loss(until):
    async with Wire(silence_s=1, hold_s=0) as wire:
        await wire.ordered(iec104.SETPOINT, 62.5)
        await until(lambda: wire.mw() == 62.5)
        wire.master.kill()
        await until(lambda: wire.mw() == 5)


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_garbage_on_the_wire_moves_nothing(until):
    async with Wire() as wire:
        await wire.ordered(iec104.SETPOINT, 62.5)
        http = b"GET / HTTP/1.1\r\n\r\n"
        for garbage in (b"\x68\xff" * 400, b"\x00" * 5000, http, b"\x68\x04\x07"):
            _, writer = await asyncio.open_connection("127.0.0.1", wire.section.port)
            writer.write(garbage)
            await writer.drain()
            writer.close()
        assert wire.mw() == 62.5
        await wire.ordered(iec104.SETPOINT, 61.0)
        await until(lambda: wire.mw() == 61)


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_selected_set_point_is_weighed_and_refused_where_the_settings_say_so(until):
    async with Wire() as wire:
        await wire.ordered(iec104.SETPOINT, 62.5)
        await until(lambda: wire.mw() == 62.5)
        assert wire.board.weighed == [], "a direct order is not asked about"
        await wire.ordered(iec104.SELECTED, 41.0)
        await until(lambda: wire.mw() == 41)
        assert {entry.schedule[0][1] for entry in wire.board.weighed} == {41 * MW}
        wire.board.refusal = "90 % of the rigs to sleep"
        async with asyncio.timeout(30):
            while not wire.inbox._refusals:
                assert not await wire.send(iec104.SELECTED, 7.0)
        assert wire.mw() == 41 and "90 % of the rigs" in wire.inbox._refusals[0].because


def test_only_a_select_of_this_station_is_a_select():
    """Captured between c104's own master and outstation."""
    select = bytes.fromhex("681204000600320106000100eb03000000204280")
    assert iec104.selected(select, 1) == 40.0 and iec104.selected(select, 2) is None
    execute = bytes.fromhex("681206000800320106000100eb03000000204200")
    supervisory = bytes.fromhex("680401000a00")
    for frame in (execute, supervisory, b"", select[:-1], select + b"\0"):
        assert iec104.selected(frame, 1) is None


@given(st.binary(max_size=40))
def test_any_frame_selects_a_number_or_nothing(frame):
    assert iec104.selected(frame, 1) is None or len(frame) == 20
