"""EEPROM, power monitors, fan controllers and the board's microcontroller, by their data sheets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.chips.at24c import WRITE_S, At24c
from hil.chips.board_pic import HEARTBEAT_S, JUMP_S, BoardPic
from hil.chips.fan import Fan
from hil.chips.fan_controllers import Emc2101, Emc2305
from hil.chips.ina import Ina238, Ina260
from hil.chips.pmbus_psu import PmbusPsu
from hil.chips.tmp75 import SAYS, Tmp75
from hil.machines import S21_PRO
from hil.plant import Plant
from protocols import emc2101, emc2305, identity, ina, pic, pmbus, pmbus_supply, tmp75


def spun(duty: float) -> Fan:
    fan = Fan()
    for n in range(1, 401):
        fan.step(n * 0.05, duty)
    return fan


# ---- EEPROM


def test_an_eeprom_is_read_from_where_it_was_set_and_around_its_end():
    part = At24c(bytes(range(256)))
    assert part.write(b"\x10") and part.read(4) == b"\x10\x11\x12\x13"
    assert part.read(2) == b"\x14\x15"
    assert part.write(b"\xfe") and part.read(4) == b"\xfe\xff\x00\x01"


def test_a_page_write_wraps_within_its_page_and_takes_its_time():
    part = At24c(bytes(256))
    assert part.write(b"\x0c" + bytes(range(1, 11)), 1.0)
    assert not part.write(b"\x08", 1.0 + WRITE_S / 2) and part.read(1, 1.001) is None
    assert part.write(b"\x08", 1.0 + WRITE_S)
    assert part.read(8, 2.0) == bytes((5, 6, 7, 8, 9, 10, 3, 4))
    assert part.read(1, 2.0) == b"\0", "the next page is as it was"
    assert part.writes == 1


def test_a_protected_eeprom_acknowledges_and_keeps_what_it_has():
    part = At24c(b"\x11")
    part.protected = True
    assert part.write(b"\x00\xaa", 0.0) and part.write(b"\x00", 0.0)
    assert part.read(2) == b"\x11\xff" and part.writes == 0


def test_a_board_says_who_it_is():
    board = identity.Identity("SN-1", "ED", "MARK", 4, 0x11E, 0x100, "BB", 13_800, 545, 9990)
    part = At24c(identity.encoded(board))
    part.write(b"\0")
    assert identity.decoded(part.read(256)) == board


# ---- power monitors


def test_an_ina260_reads_what_flows():
    part = Ina260()
    part.volts, part.amperes = 12.0, 3.5
    for register, call, wanted in (
        (ina.BUS_260, ina.bus_260_mv, 12_000),
        (ina.CURRENT_260, ina.current_260_ma, 3_500),
        (ina.POWER_260, ina.power_260_mw, 42_000),
    ):
        assert part.write(bytes((register,))) and call(part.read(2)) == wanted
    assert part.kept(bytes((ina.MAKER_260,)), 2) == b"TI"
    part.amperes = -1.0
    part.write(bytes((ina.CURRENT_260,)))
    assert ina.current_260_ma(part.read(2)) == -1_000


@pytest.mark.parametrize("config", [0, ina.NARROW])
def test_an_ina238_reads_what_flows_past_its_shunt(config):
    part = Ina238(shunt_uohm=500)
    part.volts, part.amperes, part.celsius = 13.8, 60.0, 48.5
    part.write(bytes((ina.CONFIG,)) + config.to_bytes(2, "big"))
    assert ina.current_ma(part.kept(b"\x04", 2), 500, config) == pytest.approx(60_000, abs=5)
    assert ina.bus_mv(part.kept(b"\x05", 2)) == pytest.approx(13_800, abs=2)
    assert ina.die_dc(part.kept(b"\x06", 2)) == 485


def test_an_ina238s_power_is_as_its_calibration_says():
    """By the data sheet: SHUNT_CAL = 819.2e6 x unit x shunt; power in fifths of that unit."""
    part = Ina238(shunt_uohm=20_000)
    part.volts, part.amperes = 12.0, 1.0
    part.write(bytes((ina.SHUNT_CAL,)) + (16_384).to_bytes(2, "big"))  # a milliampere
    assert int.from_bytes(part.kept(bytes((ina.CURRENT,)), 2), "big") == 1000
    watts = int.from_bytes(part.kept(bytes((ina.POWER,)), 3), "big") * 0.2 * 0.001
    assert watts == pytest.approx(12.0)
    part.write(bytes((ina.SHUNT_CAL,)) + b"\0\0")
    assert part.kept(bytes((ina.CURRENT,)), 2) == b"\0\0"


# ---- fan controllers


@pytest.mark.parametrize("slowest", [500, 2000])
def test_an_emc2305_counts_its_fans(slowest):
    part = Emc2305([spun(0.5), Fan()])
    config = emc2305.config_range(0x2B, slowest)
    base = emc2305.fan_base(0)
    part.write(bytes((base + emc2305.CONFIG, config)))
    part.write(bytes((base + emc2305.TACH_HIGH,)))
    rpm = emc2305.rpm(part.read(2), emc2305.multiplier(config))
    assert rpm == pytest.approx(part.fans[0].rpm, rel=0.02)
    part.write(bytes((emc2305.fan_base(1) + emc2305.TACH_HIGH,)))
    assert emc2305.rpm(part.read(2), 2) == 0


def test_an_emc2305_drives_its_fans_at_full_speed_until_told():
    part = Emc2305([Fan(), Fan(), Fan()])
    assert part.duty(2) == 1.0
    part.write(bytes((emc2305.fan_base(2), emc2305.drive(300))))
    assert part.duty(2) == pytest.approx(0.3, abs=0.005)
    part.write(bytes((emc2305.PRODUCT, 0)))
    assert part.read(1) == b"\x35", "what is fixed stays"
    part.write(bytes((emc2305.PRODUCT,)))
    assert emc2305.FANS[part.read(1)[0]] == 3


def test_an_emc2101_tells_its_fan_and_its_diode():
    part = Emc2101(spun(1.0))
    part.outside_c, part.celsius = 61.5, 40.0
    part.write(bytes((emc2101.TACH_LOW,)))
    assert part.read(1) == b"\xff", "the pin is no tach yet"
    part.write(bytes((emc2101.CONFIG, emc2101.TACH_ON)))
    count = [part.write(bytes((r,))) and part.read(1)[0] for r in (0x46, 0x47)]
    assert emc2101.rpm(count[0] | count[1] << 8) == pytest.approx(5950, rel=0.01)
    halves = [part.write(bytes((r,))) and part.read(1)[0] for r in (0x01, 0x10)]
    assert emc2101.external_dc(*halves) == 615
    part.write(bytes((emc2101.FAN_DUTY, emc2101.duty(500))))
    assert part.duty() == pytest.approx(0.5, abs=0.02)


# ---- the board's microcontroller


def asked(part: BoardPic, command: int, data: bytes, now_s: float) -> bytes:
    assert part.write(pic.request(command, data), now_s)
    wait_s = pic.WAIT_MS.get(command, pic.WAIT_SHORT_MS) / 1000
    return pic.replied(command, part.read(pic.REPLY_SIZE[command], now_s + wait_s))


def test_a_pic_begins_in_its_loader_and_jumps():
    part = BoardPic()
    assert asked(part, pic.VERSION, b"", 0.0) == b"\xfe"
    part.write(pic.request(pic.ENABLE, b"\1"), 0.5)
    assert part.read(2, 1.0) == b"\xff\xff", "the loader cannot"
    assert asked(part, pic.JUMP, b"", 1.0) == b"\1"
    assert asked(part, pic.VERSION, b"", 1.0 + JUMP_S) == b"\x89"
    assert asked(part, pic.ENABLE, b"\1", 3.0) == b"\1" and part.enabled(3.1)
    assert asked(part, pic.RESET, b"", 4.0) == b"\xfe" and not part.enabled(4.1)


def test_a_pic_without_a_heartbeat_takes_the_volts():
    part = BoardPic()
    asked(part, pic.JUMP, b"", 0.0)
    asked(part, pic.ENABLE, b"\1", 2.0)
    assert asked(part, pic.HEARTBEAT, b"", 20.0)[:1] == b"\1"
    assert part.enabled(20.0 + HEARTBEAT_S) and not part.enabled(20.1 + HEARTBEAT_S)
    asked(part, pic.ENABLE, b"\0", 60.0)
    asked(part, pic.HEARTBEAT, b"", 61.0)
    assert not part.enabled(61.0)


def test_a_pic_read_too_soon_says_nothing():
    part = BoardPic()
    part.write(pic.request(pic.VERSION), 0.0)
    assert part.read(5, 0.1) == b"\xff" * 5 and part.read(5, 0.3)[0] == 5


# ---- thermometers and the PMBus supply, further


@pytest.mark.parametrize("bits, step", [(9, 0.5), (10, 0.25), (11, 0.125), (12, 0.0625)])
def test_a_tmp75_has_the_bits_it_is_set_to(bits, step):
    part = Tmp75()
    part.write(bytes((tmp75.CONFIG, tmp75.config(bits))))
    part.write(b"\0")
    for celsius in (25.0, 61.03, -10.3, 127.99):
        part.celsius = celsius
        read = int.from_bytes(part.read(2), "big", signed=True) / 256
        assert 0 <= celsius - read < step and read % step == 0


def test_a_tmp75_that_is_shut_down_keeps_its_last_reading():
    part = Tmp75()
    part.write(bytes((tmp75.CONFIG, tmp75.config(12, shutdown=True))))
    part.write(b"\0")
    before = part.read(2)
    part.celsius = 80.0
    assert part.read(2) == before and part.kept(b"\0", 2) is None
    part.write(bytes((tmp75.CONFIG, tmp75.config())))
    part.write(b"\0")
    assert part.read(2) == tmp75.register(800)


def test_thermometers_are_told_apart_by_their_ids():
    for lm75a, register, wanted in (
        (False, tmp75.DIE_ID, b"\x75\x00"),
        (False, 7, b"\xff"),
        (True, 7, b"\xa1"),
        (True, tmp75.DIE_ID, b"\xff\xff"),
    ):
        part = Tmp75(lm75a)
        part.write(bytes((register,)))
        assert part.read(len(wanted)) == wanted
    half = Tmp75(lm75a=True)
    half.celsius = 40.7
    assert half.kept(b"\0", 2) == b"\x28\x80"


def test_broken_thermometers_say_what_was_heard_in_the_field():
    part = Tmp75()
    heard = {}
    for name, word in SAYS.items():
        part.says = word
        part.write(b"\0")
        heard[name] = part.read(2)
        assert part.kept(b"\0", 2) == heard[name]
    assert [tmp75.temperature_dc(heard[name]) for name in ("high", "zero", "minus_one")] == [
        1279,
        0,
        -10,
    ]
    with pytest.raises(tmp75.Tmp75Error):
        tmp75.temperature_dc(heard["ones"])


def pmbus_read(psu: PmbusPsu, command: int, size: int = 2) -> int:
    psu.write(bytes((command,)))
    return int.from_bytes(pmbus.checked(0x58, command, psu.read(size + 1)), "little")


def pmbus_write(psu: PmbusPsu, command: int, data: bytes = b"") -> None:
    psu.write(bytes((command,)) + pmbus.written(0x58, command, data))


def on(seconds: float = 2.0, **options) -> tuple[Plant, PmbusPsu]:
    plant = Plant(S21_PRO)
    psu = PmbusPsu(plant, **options)
    psu.enable(True)
    run(plant, psu, seconds)
    return plant, psu


def run(plant: Plant, psu: PmbusPsu, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        plant.step(0.05, [3000.0] * 4)
        psu.look()


def test_a_dip_of_the_mains_is_latched_until_it_is_cleared():
    plant, psu = on()
    plant.supply.mains_v = 120.0
    run(plant, psu, 0.2)
    plant.supply.mains_v = 230.0
    run(plant, psu, 2.0)
    assert pmbus_read(psu, pmbus_supply.STATUS_INPUT, 1) == 0x30
    assert pmbus_read(psu, pmbus.STATUS_WORD) == 1 << 13 | 1 << 3, "and the volts are back"
    pmbus_write(psu, pmbus.CLEAR_FAULTS)
    assert pmbus_read(psu, pmbus.STATUS_WORD) == 0


def test_without_mains_it_forgets_what_was_latched():
    plant, psu = on(keeps_status=True)
    for mains_v, latched in ((120.0, 0x30), (0.0, None), (230.0, 0)):
        plant.supply.mains_v = mains_v
        run(plant, psu, 0.2)
        if latched is not None:
            assert pmbus_read(psu, pmbus_supply.STATUS_INPUT, 1) == latched


@pytest.mark.parametrize("keeps", [False, True])
def test_being_switched_off_clears_the_status_or_does_not(keeps):
    plant, psu = on(keeps_status=keeps)
    plant.supply.mains_v = 120.0
    run(plant, psu, 0.2)
    plant.supply.mains_v = 230.0
    run(plant, psu, 0.2)
    psu.enable(False)
    assert bool(pmbus_read(psu, pmbus_supply.STATUS_INPUT, 1)) == keeps
    psu.enable(True)
    assert pmbus_read(psu, pmbus_supply.STATUS_INPUT, 1) == 0


def test_limits_may_be_factors_of_the_command():
    _, psu = on(mode=0x97)
    assert pmbus_read(psu, pmbus.VOUT_MODE, 1) == 0x97
    assert pmbus_read(psu, pmbus_supply.VOUT_OV_FAULT_LIMIT) == round(1.25 * 512)
    assert pmbus_read(psu, pmbus_supply.STATUS_VOUT, 1) == 0
    pmbus_write(psu, pmbus_supply.VOUT_OV_FAULT_LIMIT, pmbus.word_bytes(round(0.9 * 512)))
    assert pmbus_read(psu, pmbus_supply.STATUS_VOUT, 1) == 0x80
    assert pmbus_read(psu, pmbus.STATUS_WORD) & (1 << 15 | 1 << 5)


def test_low_volts_count_once_it_has_settled():
    plant, psu = on(0.3, mode=0x97)
    assert pmbus_read(psu, pmbus_supply.STATUS_VOUT, 1) == 0, "still rising"
    run(plant, psu, 2.0)
    plant.supply.volts = 0.8 * plant.supply.command_v
    assert pmbus_read(psu, pmbus_supply.STATUS_VOUT, 1) == 0x20
    plant.supply.volts = 0.5 * plant.supply.command_v
    assert pmbus_read(psu, pmbus_supply.STATUS_VOUT, 1) == 0x30


@pytest.mark.parametrize(
    "level, off, volts", [(0x80, False, False), (0x40, True, False), (0x20, True, True)]
)
def test_write_protect_lets_through_what_its_level_says(level, off, volts):
    plant, psu = on()
    pmbus_write(psu, pmbus_supply.WRITE_PROTECT, bytes((level,)))
    pmbus_write(psu, pmbus.VOUT_COMMAND, pmbus.word_bytes(pmbus.to_ulinear16(13_000, -9)))
    assert (plant.supply.command_v == 13.0) == volts
    pmbus_write(psu, pmbus.OPERATION, b"\0")
    assert plant.supply.enabled != off
    pmbus_write(psu, pmbus_supply.WRITE_PROTECT, b"\0")
    pmbus_write(psu, pmbus.OPERATION, b"\0")
    assert not plant.supply.enabled


def test_each_kind_of_nonsense_has_its_bit():
    for data, bit in (
        (b"\xd5\x00", 0x80),  # no such command
        (b"\x8b\x00", 0x80),  # it can only be read
        (b"\x21\x00", 0x40),  # too short
        (b"\x21\x00\x00", 0x40),  # volts it cannot give
        (b"\x01\x80\x00", 0x20),  # PEC
    ):
        _, psu = on(0.1)
        psu.write(data)
        assert pmbus_read(psu, pmbus_supply.STATUS_CML, 1) == bit, data.hex()
    psu.write(b"\xd5")
    assert psu.read(3) == b"\xff\xff\xff"


def test_it_can_lie_about_status_and_power():
    plant, psu = on()
    true_w = pmbus.linear11(pmbus_read(psu, pmbus.READ_PIN))
    psu.reported, psu.lying_status = 0.85, 0x0840
    assert pmbus_read(psu, pmbus.STATUS_WORD) == 0x0840
    assert pmbus.linear11(pmbus_read(psu, pmbus.READ_PIN)) == pytest.approx(0.85 * true_w, rel=0.01)
    psu.stays_on = True
    psu.enable(False)
    run(plant, psu, 1.0)
    assert plant.supply.volts == 12.0


PARTS = {
    "tmp75": Tmp75,
    "lm75a": lambda: Tmp75(lm75a=True),
    "at24c": At24c,
    "ina260": Ina260,
    "ina238": Ina238,
    "emc2305": lambda: Emc2305([Fan(), Fan()]),
    "emc2101": lambda: Emc2101(Fan()),
    "pic": BoardPic,
    "pmbus": lambda: PmbusPsu(Plant()),
}


@pytest.mark.parametrize("name", PARTS)
@given(said=st.lists(st.tuples(st.binary(max_size=12), st.integers(0, 40)), max_size=20))
def test_any_bytes_do_no_harm(name, said):
    """It answers with as many bytes as are asked, or not at all; and keeps nothing of it."""
    part = PARTS[name]()
    for n, (out, size) in enumerate(said):
        kept = getattr(part, "kept", lambda out, size: None)(out, size)
        assert part.write(out, n) in (True, False)
        data = part.read(size, n)
        assert data is None or len(data) == size
        assert kept is None or kept == data
    sizes = [len(v) for v in vars(part).values() if isinstance(v, dict | list | bytes | bytearray)]
    assert max(sizes, default=0) <= 256
