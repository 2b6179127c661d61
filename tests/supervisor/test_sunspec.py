"""The SunSpec and plain Modbus server, against masters that we did not write."""

import asyncio
import shutil
import subprocess

import pytest
import sunspec2.modbus.client as sunspec_client
import sunspec2.modbus.modbus as sunspec_modbus
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid.capability import Capability
from supervisor.grid.sunspec import Sunspec
from supervisor.grid.sunspec_map import BASE, Image
from supervisor.grid.told import Told
from supervisor.inbox import Inbox
from supervisor.sections.frequency import FrequencyConfig
from supervisor.sections.sunspec import SunspecConfig

MW = 1_000_000
LIMIT_W, DEFAULT_W = 100 * MW, 5 * MW


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self):
        return self.now_s


class Shown:
    """A board that shows what a test puts on it, and refuses what it is told to."""

    told, refusal = None, ""

    def __init__(self):
        self.weighed = []

    def weigh(self, entry):
        self.weighed.append(entry)
        return self.refusal

    def foreseen_w(self, at_s):
        return 42 * MW


def told(**changes):
    known = {
        "unix_s": 1e9,
        "limit_w": 60 * MW,
        "asked_w": 60 * MW,
        "committed_w": 61 * MW,
        "floor_w": MW,
        "capacity_w": 100 * MW,
        "metered_w": 59 * MW,
        "metered_age_s": 0.5,
        "source": "grid",
        "because": "",
        "capability": Capability((58 * MW,) * 3, (1 * MW, 30 * MW, 41 * MW)),
        "rigs": 10,
        "sick": 1,
        "hz": 49.98,
    }
    return Told(**(known | changes))


def device(droop=None, **section):
    inbox, board, clock = Inbox(), Shown(), Clock()
    keys = SunspecConfig(port=0, default_mw=5, **section)
    made = Sunspec(keys, LIMIT_W, inbox, board, clock, droop)
    made.say()
    return made, inbox, board, clock


def said_w(inbox, clock, source="sunspec"):
    entry = inbox.entries.get(source)
    return None if entry is None else entry.limit_w(clock())


def write(made, **values):
    """Points of 704 as a master would, one request a point."""
    for name, value in values.items():
        model = 715 if name == "ControllerHb" else 704
        point = made.image.points[model, name]
        raw = (value & ((1 << 16 * point.size) - 1)).to_bytes(2 * point.size, "big")
        words = [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw), 2)]
        refusal = made.write(point.address, words)
        if refusal:
            return refusal
    return ""


def test_the_image_is_laid_out_as_sunspec_has_it():
    image = Image()
    assert image.registers[:2] == [0x5375, 0x6E53] and image.registers[-2:] == [0xFFFF, 0]
    lengths = {model: image.get(model, "L") for model in (1, 701, 704, 711, 715)}
    assert lengths == {1: 66, 701: 153, 704: 65, 711: 22, 715: 7}
    assert image.points[701, "ID"].address == BASE + 2 + 68
    assert image.get(701, "W") is None, "unset is not implemented"


def test_until_it_is_written_to_it_is_in_failsafe():
    _, inbox, _, clock = device()
    assert said_w(inbox, clock) == DEFAULT_W


def test_a_setpoint_holds_for_its_timer_and_reverts():
    made, inbox, _, clock = device()
    assert write(made, WSet=-60 * MW, WSetRvrt=-10 * MW, WSetRvrtTms=120, WSetEna=1) == ""
    assert said_w(inbox, clock) == 60 * MW
    clock.now_s += 119
    assert said_w(inbox, clock) == 60 * MW
    clock.now_s += 1
    assert said_w(inbox, clock) == 10 * MW


def test_without_a_timer_it_has_the_sites_own():
    """A link that dies between the set-point and its timer leaves no set-point for ever."""
    made, inbox, _, clock = device(revert_s=300)
    assert write(made, WSet=-60 * MW, WSetEna=1) == ""
    clock.now_s += 299
    assert said_w(inbox, clock) == 60 * MW
    clock.now_s += 1
    assert said_w(inbox, clock) == DEFAULT_W


def test_a_timer_renews_a_set_point_that_runs_and_brings_none_back():
    made, inbox, _, clock = device(revert_s=300)
    assert write(made, WSetRvrtTms=120) == "" and said_w(inbox, clock) == DEFAULT_W, "timer first"
    assert write(made, WSet=-60 * MW, WSetEna=1) == ""
    clock.now_s += 100
    assert write(made, WSetRvrtTms=120) == ""
    clock.now_s += 119
    assert said_w(inbox, clock) == 60 * MW
    clock.now_s += 1
    for name, value, left_w in (
        ("WSetRvrtTms", 3600, DEFAULT_W),
        ("WSetRvrt", -7 * MW, 7 * MW),
        ("WSetRvrtTms", 0, 7 * MW),
    ):
        assert write(made, **{name: value}) == "" and said_w(inbox, clock) == left_w
    assert write(made, WSetRvrtTms=60, WSet=-50 * MW) == ""
    clock.now_s += 59
    assert said_w(inbox, clock) == 50 * MW


def test_with_reversion_switched_off_nothing_is_left_of_it():
    made, inbox, _, clock = device()
    write(made, WSetEnaRvrt=0, WSetRvrtTms=60, WSet=-60 * MW, WSetEna=1)
    clock.now_s += 60
    assert said_w(inbox, clock) is None


def test_the_lower_of_a_limit_and_a_setpoint():
    made, inbox, _, clock = device()
    write(made, WSet=-60 * MW, WSetEna=1, WMaxLimPct=4_000, WMaxLimPctEna=1)
    assert said_w(inbox, clock) == 40 * MW
    write(made, WMaxLimPctEna=0)
    assert said_w(inbox, clock) == 60 * MW
    write(made, WSetPct=-2_500, WSetMod=0)
    assert said_w(inbox, clock) == 25 * MW
    write(made, WSetEna=0)
    assert said_w(inbox, clock) is None


@pytest.mark.parametrize(
    "values, why",
    [
        ({"WSetEna": 1, "WSet": 60 * MW}, "import is negative"),
        ({"WSetEna": 1, "WSet": -101 * MW}, "0 down to -100000000 W"),
        ({"WMaxLimPctEna": 1, "WMaxLimPct": 10_001}, "0 to 100"),
        ({"WSetEna": 2}, "0 is off, 1 is on"),
        ({"WSetMod": 7}, "0 for per cent or 1 for watts"),
        ({"WSetRvrtTms": 700_000}, "0 to 604800 seconds"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(values, why):
    made, inbox, _, clock = device()
    write(made, WSet=-60 * MW, WSetEna=1)
    before = list(made.image.registers)
    assert why in write(made, **values)
    assert said_w(inbox, clock) == 60 * MW
    if len(values) == 1:
        assert made.image.registers == before


def test_half_a_point_and_a_read_only_one():
    made, _, _, _ = device()
    wset, w = made.image.points[704, "WSet"], made.image.points[701, "W"]
    assert "2 registers" in made.write(wset.address, [1])
    assert "read-only" in made.write(w.address, [1])
    for model, name in ((704, "WRmp"), (704, "VarSetEna"), (715, "OpCtl"), (1, "DA")):
        point = made.image.points[model, name]
        refusal = made.write(point.address, [1] * point.size)
        assert "read-only" in refusal, "what is not followed cannot be written"
    assert "not all of the map" in made.write(BASE + len(made.image.registers) - 1, [1, 2])


def test_a_heartbeat_that_stops_is_failsafe_and_needs_a_limit_to_end():
    made, inbox, _, clock = device(heartbeat_s=10)
    write(made, ControllerHb=1, WSet=-60 * MW, WSetEna=1)
    assert said_w(inbox, clock) == 60 * MW
    clock.now_s += 6
    write(made, ControllerHb=2)
    clock.now_s += 6
    assert said_w(inbox, clock) == 60 * MW
    write(made, ControllerHb=2)  # the same again is no heartbeat
    clock.now_s += 4
    assert said_w(inbox, clock) == DEFAULT_W
    write(made, ControllerHb=3)
    assert said_w(inbox, clock) == DEFAULT_W, "the old limit does not come back by itself"
    write(made, WSet=-50 * MW)
    assert said_w(inbox, clock) == 50 * MW


def test_the_droop_is_shown_as_it_is_set_and_nobody_writes_it():
    made, _, _, _ = device(FrequencyConfig(dead_band_hz=0.035, droop_pct=1.25))
    shown = {
        name: made.image.get(711, f"Ctl.{name}") for name in ("DbUf", "KUf", "DbOf", "ReadOnly")
    }
    assert shown == {"DbUf": 35, "KUf": 1250, "DbOf": 50_000, "ReadOnly": 1}
    assert made.image.get(711, "Ena") == 1
    for name in ("Ena", "AdptCtlReq", "RvrtTms", "Ctl.DbUf", "Ctl.KUf"):
        point = made.image.points[711, name]
        assert "read-only" in made.write(point.address, [0] * point.size)
    silent, _, _, _ = device()
    assert silent.image.get(711, "Ena") == 0 and silent.image.get(711, "Ctl.KUf") is None


@given(st.integers(BASE - 5, BASE + 330), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8))
def test_whatever_is_written_the_site_never_gets_more_than_its_own(address, values):
    made, inbox, _, clock = device()
    made.write(address, values)
    entry = inbox.entries.get("sunspec")
    for later_s in (0, 100, 1000):
        limit_w = entry.limit_w(clock() + later_s) if entry else None
        assert limit_w is None or 0 <= limit_w <= LIMIT_W


# ---- the plain map


def test_plain_limit_with_its_hold():
    made, inbox, _, clock = device()
    assert said_w(inbox, clock, "modbus") is None and said_w(inbox, clock) == DEFAULT_W
    assert made.plain.write(0, [0, 60_000, 120]) == ""
    assert said_w(inbox, clock) is None, "the failsafe of the map that is not used holds nobody"
    clock.now_s += 119
    assert said_w(inbox, clock, "modbus") == 60 * MW
    assert made.plain.write(3, [77]) == ""
    clock.now_s += 119
    assert said_w(inbox, clock, "modbus") == 60 * MW, "a heartbeat renews it"
    clock.now_s += 1
    assert said_w(inbox, clock, "modbus") == DEFAULT_W
    for address, value in ((3, 78), (2, 3_600), (3, 79)):
        assert made.plain.write(address, [value]) == ""
        assert said_w(inbox, clock, "modbus") == DEFAULT_W, "the old limit does not come back"
    assert made.plain.write(0, [0, 50_000]) == ""
    clock.now_s += 3_599
    assert said_w(inbox, clock, "modbus") == 50 * MW


def test_a_heartbeat_is_heard_and_no_news():
    made, inbox, _, clock = device(heartbeat_s=10)
    write(made, ControllerHb=1, WSet=-60 * MW, WSetEna=1)
    made.plain.write(0, [0, 60_000, 120])
    inbox.take_news()
    for beat in range(2, 9):
        clock.now_s += 5
        write(made, ControllerHb=beat)
        made.plain.write(3, [beat])
    assert inbox.take_news() == []
    assert said_w(inbox, clock) == said_w(inbox, clock, "modbus") == 60 * MW


@pytest.mark.parametrize(
    "address, values, why",
    [
        (0, [1], "0 and 1 together"),
        (1, [1], "0 and 1 together"),
        (0, [2, 0], "131072 kW; the site's own is 100000 kW"),
        (2, [0], "for ever"),
        (4, [1], "only 0 to 3"),
        (3, [1, 1], "only 0 to 3"),
    ],
)
def test_plain_nonsense(address, values, why):
    made, inbox, _, clock = device()
    made.plain.write(0, [0, 60_000, 120])
    assert why in made.plain.write(address, values)
    assert said_w(inbox, clock, "modbus") == 60 * MW


def test_plain_shows_what_there_is_and_no_old_number():
    made, _, board, _ = device()
    assert made.plain.shown()[10] == 0xFFFF
    board.told = told()
    shown = made.plain.shown()
    assert shown[10:18] == [0, 60_000, 0, 59_000, 1, 34_464, 0, 61_000]
    assert shown[24:32] == [0, 1_000, 0, 30_000, 0, 41_000, 0, 0]
    board.told = told(metered_age_s=60.0)
    assert made.plain.shown()[12:14] == [0xFFFF, 0xFFFF] and made.plain.shown()[30] == 1


# ---- foreign masters

pytestmark: list[pytest.MarkDecorator] = []


@pytest.fixture
def serving():
    """A server in a loop of its own thread, so that blocking masters can talk to it."""
    import threading

    made, inbox, board, clock = device(FrequencyConfig())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(10)
    yield made, inbox, board, clock
    asyncio.run_coroutine_threadsafe(made._server.shutdown(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.real_time
def test_pysunspec2_finds_the_models_reads_and_writes(serving):
    made, inbox, board, clock = serving
    board.told = told()
    master = sunspec_client.SunSpecModbusClientDeviceTCP(
        slave_id=1, ipaddr="127.0.0.1", ipport=made.port
    )
    master.scan()
    assert [model for model in master.models if isinstance(model, int)] == [1, 701, 704, 711, 715]
    assert master.common[0].Mn.value == "Surplus"
    droop = master.models[711][0]
    droop.read()
    assert droop.Ena.value == 1 and droop.NCtl.value == len(droop.Ctl) == 1
    control = droop.Ctl[0]
    values = (control.DbUf.cvalue, control.KUf.cvalue, control.RspTms.cvalue)
    assert values == pytest.approx((0.05, 0.009, 2.0)) and control.ReadOnly.value == 1
    control.DbUf.value = 500
    with pytest.raises(sunspec_modbus.ModbusClientError):
        control.write()
    ac, der = master.models[701][0], master.models[704][0]
    ac.read()
    assert ac.W.cvalue == -59 * MW and ac.Hz.cvalue == pytest.approx(49.98)
    der.WSetEna.value, der.WSetMod.value, der.WSet.value = 1, 1, -42 * MW
    der.WSetRvrt.value, der.WSetEnaRvrt.value, der.WSetRvrtTms.value = -7 * MW, 1, 90
    der.write()
    assert said_w(inbox, clock) == 42 * MW
    clock.now_s += 30
    der.read()
    assert der.WSet.cvalue == -42 * MW and der.WSetRvrtRem.value == 60
    clock.now_s += 60
    assert said_w(inbox, clock) == 7 * MW
    board.told = told(metered_age_s=99.0)
    ac.read()
    assert ac.W.value is None, "an old reading is shown as none"
    master.close()


@pytest.mark.real_time
@pytest.mark.skipif(not shutil.which("mbpoll"), reason="mbpoll is not installed")
def test_mbpoll_writes_and_reads_the_plain_map(serving):
    made, inbox, board, clock = serving
    board.told = told()

    def mbpoll(*words):
        where = ("-m", "tcp", "-p", str(made.port), "-a", "2", "-0", "-1", "-q", "-t", "4")
        words = (shutil.which("mbpoll"), *where, *words)
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)

    done = mbpoll("-r", "0", "127.0.0.1", "0", "55000", "120")
    assert done.returncode == 0, done.stderr
    assert said_w(inbox, clock, "modbus") == 55 * MW
    assert "55000" in mbpoll("-r", "0", "-c", "4", "127.0.0.1").stdout
    assert mbpoll("-r", "0", "127.0.0.1", "9", "9", "120").returncode != 0
    assert said_w(inbox, clock, "modbus") == 55 * MW
