"""The supply, the thermometers, the fans and the pipe's frames."""

import pytest

from hil import link
from hil.chips.fan import Fan
from hil.chips.pmbus_psu import PmbusPsu
from hil.chips.tmp75 import Tmp75
from hil.faults import Faults
from hil.plant import Plant
from hil.supply import OVER_CURRENT
from hil.virtual import wire
from protocols import pmbus, pmbus_supply, tmp75


def supply() -> tuple[Plant, PmbusPsu]:
    plant = Plant()
    psu = PmbusPsu(plant)
    psu.enable(True)
    return plant, psu


def ask(psu: PmbusPsu, command: int, size: int = 2) -> bytes:
    assert psu.write(bytes((command,)))
    reply = psu.read(size + 1)
    assert reply is not None
    return pmbus.checked(0x58, command, reply)


def order_volts(psu: PmbusPsu, millivolts: int) -> None:
    word = pmbus.word_bytes(pmbus.to_ulinear16(millivolts, -9))
    psu.write(bytes((pmbus.VOUT_COMMAND,)) + pmbus.written(0x58, pmbus.VOUT_COMMAND, word))


def run(plant: Plant, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        plant.step(0.05, [3000.0] * 4)


def test_volts_follow_the_command_after_the_wire_enables_it():
    plant, psu = supply()
    order_volts(psu, 13_700)
    assert pmbus.word_of(ask(psu, pmbus.STATUS_WORD)) & pmbus_supply.STATUS_OFF
    run(plant, 1.0)
    assert pmbus.ulinear16(pmbus.word_of(ask(psu, pmbus.READ_VOUT)), -9) == 13_699
    assert pmbus.word_of(ask(psu, pmbus.STATUS_WORD)) == 0
    psu.enable(False)
    run(plant, 0.15)
    assert plant.supply.volts == 0


def test_13_8_volts_are_the_verified_word():
    _, psu = supply()
    order_volts(psu, 13_800)
    assert ask(psu, pmbus.VOUT_COMMAND) == bytes.fromhex("9A1B")
    assert ask(psu, pmbus.VOUT_MODE, 1) == b"\x17"


def test_volts_out_of_range_and_bad_checksums_change_nothing():
    plant, psu = supply()
    order_volts(psu, 15_500)
    psu.write(bytes((pmbus.VOUT_COMMAND, 0x9A, 0x1B, 0x00)))
    assert plant.supply.command_v == 12.0
    assert ask(psu, pmbus_supply.STATUS_CML, 1) == b"\x60"
    psu.write(bytes((pmbus.CLEAR_FAULTS,)) + pmbus.written(0x58, pmbus.CLEAR_FAULTS))
    assert ask(psu, pmbus_supply.STATUS_CML, 1) == b"\0"


def test_an_overload_latches_until_it_is_switched_off():
    plant, psu = supply()
    run(plant, 0.5)
    for load in plant.loads:
        load.on, load.mhz, load.working, load.hashing = True, 1200.0, 1.0, 1.0
    run(plant, 0.5)
    assert plant.supply.latched == OVER_CURRENT and plant.hash_ghs == 0
    assert pmbus.word_of(ask(psu, pmbus.STATUS_WORD)) & 1 << 4
    for load in plant.loads:
        load.on = False
    psu.enable(False)
    run(plant, 0.05)
    psu.enable(True)
    run(plant, 0.5)
    assert plant.supply.volts == 12.0


def test_without_mains_nobody_acknowledges():
    plant, psu = supply()
    plant.supply.mains_v = 0.0
    assert not psu.write(bytes((pmbus.READ_VOUT,))) and psu.read(3) is None


@pytest.mark.parametrize("celsius", [-25.0, 0.0625, 25.0, 50.5, 100.0])
def test_temperatures_come_as_the_register_has_them(celsius):
    sensor = Tmp75()
    sensor.celsius = celsius
    assert sensor.write(b"\0")
    assert abs(tmp75.temperature_dc(sensor.read(2)) - celsius * 10) <= 1


def test_a_sensor_fails_in_its_three_ways():
    sensor = Tmp75()
    sensor.write(b"\0")
    sensor.stuck = True
    before = sensor.read(2)
    sensor.celsius = 90.0
    assert sensor.read(2) == before
    sensor.stuck, sensor.spike = False, True
    heard = {sensor.read(2) for _ in range(8)}
    assert heard == {tmp75.register(900), b"\x7f\xf0"}
    sensor.lost = True
    assert not sensor.write(b"\0") and sensor.read(2) is None


def test_a_fan_spins_up_jams_and_its_tach_can_die():
    fan = Fan()
    for n in range(1, 401):
        fan.step(n * 0.05, 0.2)
    assert abs(fan.rpm - 2130) < 10
    assert fan.edges(21.0) - fan.edges(20.0) == pytest.approx(2130 / 30, abs=1)
    fan.tach_dead = True
    assert fan.edges(21.0) == fan.edges(22.0) and fan.rpm > 2000
    fan.jammed = True
    for n in range(401, 461):
        fan.step(n * 0.05, 1.0)
    assert fan.rpm == 0


def test_frames_are_cut_wherever_the_pipe_breaks_them():
    stream = link.frame(wire.PIN_WRITE, 10, b"\1") + link.frame(wire.UART_WRITE, 2, b"\x55\xaa")
    for at in range(len(stream) + 1):
        first, rest = link.cut(stream[:at])
        second, rest = link.cut(rest + stream[at:])
        assert first + second == [(wire.PIN_WRITE, 10, b"\1"), (wire.UART_WRITE, 2, b"\x55\xaa")]
        assert rest == b""


def test_a_fault_that_does_not_exist_is_refused():
    faults = Faults()
    faults.add("fan_stopped:3")
    assert faults.hit("fan_stopped") == {3} and not faults.hit("tach_dead")
    for wrong in ("fan_stoped", "fan_stopped:4", "i2c_stuck:x"):
        with pytest.raises(ValueError, match="fault"):
            faults.add(wrong)
    faults.add("i2c_stuck")
    assert faults.hit("i2c_stuck") == {0, 1}
