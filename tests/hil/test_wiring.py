"""Whole rigs by raw frames: every board that is wired, and every fault as the page says it is."""

import pytest

from hil import circuits, faults
from hil.breaking import LOST_CHIP
from hil.circuits import CIRCUITS
from hil.machines import S19_PRO
from hil.virtual import wire as pipe
from protocols import apw, emc2305, identity, ina, pic, pmbus, tmp75
from protocols import hashboard as wire
from tests.hil.bare import SLOW, Bare

POINTS = {
    "s21pro": (12_800, 500),
    "s21pro_line": (12_800, 500),
    "s19kpro": (13_500, 590),
    "s19jpro": (13_800, 545),
    "s19xp": (12_940, 483),
}


@pytest.mark.parametrize("board", CIRCUITS)
def test_every_board_starts_and_hashes_what_it_should(board):
    rig, model = Bare(board), CIRCUITS[board].model
    mv, mhz = POINTS[board]
    rig.start(mv, mhz)
    for n in range(model.boards):
        assert len(rig.ask(n, wire.CHIP_ID)) == model.chips
        clocks = rig.wiring.chains[n].clocks()
        assert clocks[0] == pytest.approx(mhz, abs=2)
    wanted = clocks[0] * model.hashes_per_clock * model.chips * model.boards / 1000
    assert rig.plant.hash_ghs == pytest.approx(wanted, rel=1e-6)
    before = rig.ask(0, wire.TOTAL_HASHES)
    at_s = rig.now_s
    rig.run(10.0)
    after, passed_s = rig.ask(0, wire.TOTAL_HASHES), rig.now_s - at_s
    rate = clocks[0] * 1e6 * model.hashes_per_clock / 2**32
    for chip in before:
        assert after[chip] - before[chip] == pytest.approx(passed_s * rate, rel=0.1)


def test_a_machine_nobody_has_wired_is_refused():
    with pytest.raises(KeyError, match="BM1398"):
        circuits.of(S19_PRO)


def test_an_antminers_boards_say_who_they_are():
    rig = Bare("s19jpro")
    for n in range(3):
        status, raw = rig.i2c(0, 0x50 + n, b"\0", 256)
        board = identity.decoded(raw)
        assert status == pipe.I2C_OK and board.serial == f"bare-1/{n}" and board.marking == "BM1362"


def test_an_antminers_pins_cut_what_its_bus_started():
    rig = Bare("s19jpro")
    rig.start(13_800, 545)
    assert rig.plant.wall_w > 2500 and rig.apw(apw.ENABLED) == b"\1\0"
    rig.wiring.pin(rig.circuit.hash_power_pin, None)
    rig.run(0.2)
    assert rig.plant.hash_ghs == 0 and sum(rig.plant.board_w) == 0


def test_fans_behind_a_controller_and_amperes_behind_a_monitor():
    rig = Bare("s19xp")
    rig.start(12_940, 483)
    base = emc2305.fan_base(2)
    for fan in range(4):
        status, _ = rig.i2c(0, 0x2F, bytes((emc2305.fan_base(fan), emc2305.drive(300))))
        assert status == pipe.I2C_OK
    rig.run(15.0)
    _, count = rig.i2c(0, 0x2F, bytes((base + emc2305.TACH_HIGH,)), 2)
    assert emc2305.rpm(count, emc2305.multiplier(0x2B)) == pytest.approx(2590, rel=0.02)
    rig.wiring.pwm(rig.circuit.fan_pin, 25_000, 0xFFFF)
    rig.run(5.0)
    assert rig.wiring.fans[2].rpm < 2700, "their line is not the controller's"
    narrow = ina.current_ma(rig.i2c(0, 0x40, bytes((ina.SHUNT,)), 2)[1], 100)
    volts = ina.bus_mv(rig.i2c(0, 0x40, bytes((ina.BUS,)), 2)[1])
    assert narrow * volts / 1e6 == pytest.approx(sum(rig.plant.board_w), rel=0.01)


def test_a_pics_heartbeat_keeps_one_board_of_three():
    rig = Bare("s19jpro")
    rig.start(13_800, 545)
    for _ in range(8):
        rig.pic(1, pic.HEARTBEAT)
        rig.run(5.0)
    assert [chain.on for chain in rig.wiring.chains] == [False, True, False]


def test_the_mains_gone_and_back_leave_pics_in_their_loaders():
    rig = Bare("s19jpro")
    rig.start(13_800, 545)
    rig.faults.add("psu_off")
    rig.run(1.0)
    assert rig.plant.wall_w == 0
    rig.faults.discard("psu_off")
    rig.run(0.05)
    assert rig.plant.wall_w > 300, "inrush"
    rig.run(3.0)
    assert not any(chain.on for chain in rig.wiring.chains)
    assert rig.pic(0, pic.VERSION) == b"\xfe"


# ---- faults: what each says it does, seen from outside


def hashing(board: str = "s21pro", mv: int = 12_800, mhz: int = 500) -> Bare:
    rig = Bare(board)
    rig.start(mv, mhz)
    return rig


def status_word(rig: Bare) -> int:
    reply = rig.i2c(1, 0x58, bytes((pmbus.STATUS_WORD,)), 3)[1]
    return pmbus.word_of(pmbus.checked(0x58, pmbus.STATUS_WORD, reply))


def told_w(rig: Bare) -> float:
    reply = rig.i2c(1, 0x58, bytes((pmbus.READ_PIN,)), 3)[1]
    word = pmbus.word_of(pmbus.checked(0x58, pmbus.READ_PIN, reply))
    return pmbus.linear11(word) / 1000


def pulses_per_s(rig: Bare, fan: int) -> float:
    pin = rig.circuit.tach_pins[fan]
    before = rig.wiring.edges(pin)
    rig.run(2.0)
    return (rig.wiring.edges(pin) - before) / 2


def test_a_fan_that_is_slow():
    rig = hashing()
    rig.run(8.0)
    good = pulses_per_s(rig, 1)
    rig.faults.add("fan_slow:1")
    rig.run(8.0)
    assert pulses_per_s(rig, 1) == pytest.approx(0.6 * good, rel=0.05)
    assert pulses_per_s(rig, 0) == pytest.approx(good, rel=0.05)


def test_a_tach_that_is_doubled_or_noisy():
    rig = hashing()
    rig.run(8.0)
    good, air = pulses_per_s(rig, 0), rig.plant.flow
    rig.faults.add("tach_doubled")
    rig.run(0.1)
    assert pulses_per_s(rig, 0) == pytest.approx(2 * good, rel=0.02)
    rig.faults.clear()
    rig.faults.add("tach_noisy:2")
    rig.run(0.1)
    assert pulses_per_s(rig, 2) == pytest.approx(0.97 * good + 40, rel=0.1)
    assert rig.plant.flow == pytest.approx(air, rel=0.01)


def test_air_that_goes_round():
    rig = hashing()
    rig.plant.settle([5900.0] * 4)
    inlet_c, outlet_c = rig.plant.inlet_c(0), rig.plant.outlet_c(0)
    rig.faults.add("recirculation")
    rig.run(0.1)
    rig.plant.settle([5900.0] * 4)
    assert rig.plant.inlet_c(0) > inlet_c + 8
    rise_k = rig.plant.air_c() - 25
    assert rise_k == pytest.approx(0.4 * (rig.plant.outlet_c(0) - 25), rel=0.03)
    rig.faults.clear()
    rig.run(0.1)
    rig.plant.settle([5900.0] * 4)
    assert rig.plant.outlet_c(0) == pytest.approx(outlet_c, abs=0.5)


@pytest.mark.parametrize(
    "fault, wanted", [("sensor_high", 1279), ("sensor_zero", 0), ("sensor_minus_one", -10)]
)
def test_sensors_that_say_what_they_like(fault, wanted):
    rig = hashing()
    rig.faults.add(fault + ":3")
    rig.run(0.1)
    assert tmp75.temperature_dc(rig.i2c(0, 0x4B, b"\0", 2)[1]) == wanted
    assert 200 < tmp75.temperature_dc(rig.i2c(0, 0x4A, b"\0", 2)[1]) < 600


def test_a_data_line_held_low_is_freed_by_nine_clocks():
    rig = Bare()
    rig.faults.add("sda_stuck:0")
    rig.run(0.1)
    scl, sda = rig.circuit.scl_pins[0], rig.circuit.sda_pins[0]
    assert rig.i2c(0, 0x48, b"\0", 2)[0] == pipe.I2C_STUCK and rig.wiring.level(sda) == 0
    assert rig.i2c(1, 0x58, b"\x79", 3)[0] == pipe.I2C_OK
    for n in range(9):
        assert rig.i2c(0, 0x48, b"\0", 2)[0] == pipe.I2C_STUCK, n
        rig.wiring.pin(scl, 1)
        rig.wiring.pin(scl, 0)
    rig.wiring.pin(scl, None)
    rig.run(0.1)
    assert rig.i2c(0, 0x48, b"\0", 2)[0] == pipe.I2C_OK and rig.wiring.level(sda) == 1
    rig.faults.clear()
    rig.run(0.1)
    rig.faults.add("sda_stuck:0")
    rig.run(0.1)
    assert rig.i2c(0, 0x48, b"\0", 2)[0] == pipe.I2C_STUCK, "again"
    rig.faults.add("fan_slow")
    rig.faults.discard("sda_stuck:0")
    rig.run(0.1)
    assert rig.i2c(0, 0x48, b"\0", 2)[0] == pipe.I2C_OK, "mended, whatever else is broken"


def test_an_overcurrent_latch_that_wants_to_be_left_alone():
    rig = hashing()
    rig.faults.add("psu_ocp")
    rig.run(0.2)
    pin = rig.circuit.hash_power_pin
    assert rig.plant.supply.volts == 0 and status_word(rig) & 1 << 4
    for off_s, back in ((5, False), (20, False), (31, True)):
        rig.wiring.pin(pin, 0)
        rig.run(off_s)
        rig.wiring.pin(pin, 1)
        rig.run(2.0)
        assert (rig.plant.supply.volts > 12) == back, off_s


def test_a_supply_that_cannot_be_switched_off():
    rig = hashing()
    rig.faults.add("psu_stays_on")
    rig.wiring.pin(rig.circuit.hash_power_pin, 0)
    rig.run(2.0)
    assert rig.plant.hash_ghs > 0
    for pin in rig.circuit.reset_pins:
        rig.wiring.pin(pin, 0)
    rig.run(0.1)
    assert rig.plant.hash_ghs == 0 and rig.plant.supply.volts > 12


def test_a_supply_that_lies():
    rig = hashing()
    true_w = told_w(rig)
    assert status_word(rig) == 0 and true_w == pytest.approx(rig.plant.wall_w, rel=0.01)
    rig.faults.update(("psu_status_lies", "psu_reads_low"))
    rig.run(0.1)
    assert status_word(rig) == 0x0840 and rig.plant.supply.volts > 12
    assert told_w(rig) == pytest.approx(0.85 * rig.plant.wall_w, rel=0.01)
    rig.faults.add("psu_power_unread")
    rig.run(0.1)
    assert told_w(rig) == 0 and rig.plant.wall_w > 2000


def test_mains_that_sag_and_mains_that_fail():
    rig = hashing(mv=13_700, mhz=630)
    full = rig.plant.hash_ghs
    rig.faults.add("mains_sag")
    rig.run(2.0)
    assert rig.plant.supply.volts < 13.69 and rig.plant.wall_w > 3000
    assert status_word(rig) & (1 << 13 | 1 << 3) == 1 << 13, "a warning"
    rig.faults.clear()
    rig.run(2.0)
    assert rig.plant.hash_ghs == full
    rig.faults.add("brown_out")
    rig.run(0.5)
    assert rig.plant.supply.volts == 0 and rig.plant.hash_ghs == 0
    assert status_word(rig) & 1 << 3, "it answers, and says so"
    rig.faults.clear()
    rig.run(2.0)
    assert rig.plant.supply.volts > 12 and rig.plant.hash_ghs == 0, "the chips have forgotten"


def test_chains_that_are_broken_and_chips_that_are_dead():
    rig = hashing()
    full = rig.plant.hash_ghs
    rig.faults.update(("chip_missing:0", "chip_lost:1"))
    rig.run(0.2)
    assert len(rig.ask(0, wire.CHIP_ID)) == 40
    answers = rig.ask(1, wire.CHIP_ID)
    assert len(answers) == 64 and 2 * LOST_CHIP not in answers
    assert len(rig.ask(2, wire.CHIP_ID)) == 65
    assert rig.plant.hash_ghs == pytest.approx(full * (195 - 1) / 195), "cut off, they hash on"


def test_a_noisy_uart_now_and_then_loses_replies():
    rig = hashing()
    rig.faults.add("uart_noise:0")
    rig.run(0.1)
    found = [len(rig.ask(0, wire.CHIP_ID, 0.05)) for _ in range(60)]
    assert min(found) < 40 and found.count(65) > 30
    assert len(rig.ask(1, wire.CHIP_ID)) == 65


def test_a_board_that_will_not_sleep_and_one_that_will_not_wake():
    rig = hashing()
    rig.faults.update(("board_stays_on:0", "board_never_wakes:1"))
    rig.run(0.2)
    third = rig.plant.hash_ghs / 3
    for n in range(3):
        rig.wiring.pin(rig.circuit.enable_pins[n], 0)
    rig.run(1.0)
    assert rig.plant.hash_ghs == pytest.approx(third) and rig.plant.board_w[0] > 500
    for n in range(3):
        rig.wake(n)
        rig.wiring.uart_setup(n, SLOW, 0)
        rig.say(n, wire.write_register(wire.VERSION_ROLLING, 0x9000_FFFF))
    assert [len(rig.replies(n, wire.CHIP_ID)) for n in (1, 2)] == [0, 65]
    rig.wiring.pin(rig.circuit.hash_power_pin, 0)
    rig.run(1.0)
    assert rig.plant.hash_ghs == 0, "without the supply's volts there is nothing to keep"
    for n in range(3):
        rig.wiring.pin(rig.circuit.enable_pins[n], 0)
    rig.wiring.pin(rig.circuit.hash_power_pin, 1)
    rig.run(2.0)
    assert not rig.wiring.chains[0].on, "and it does not switch itself on"


@pytest.mark.parametrize("fault", faults.FAULTS)
def test_every_fault_comes_and_goes(fault):
    """With its usual part, mended again: everything is as it was."""
    rig = Bare()
    rig.start(12_800, 500, boards=(0,))
    rig.faults.add(fault)
    rig.run(1.0)
    rig.faults.clear()
    rig.wiring.pin(rig.circuit.hash_power_pin, 0)
    rig.run(2.0)
    rig.start(12_800, 500, boards=(0,))
    rig.run(5.0)
    assert len(rig.ask(0, wire.CHIP_ID)) == 65 and rig.plant.hash_ghs > 60_000
    assert all(fan.tach_rpm() > 5000 for fan in rig.wiring.fans)
    assert status_word(rig) == 0
