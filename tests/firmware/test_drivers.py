"""Thermometer, supply and fans, as conversations; on both runtimes."""

from exchange import Exchange, raises

from firmware import clock
from firmware.drivers import SensorError, SupplyError, fan
from firmware.drivers.pmbus_psu import ATTEMPTS, Psu
from firmware.drivers.tmp75 import Tmp75
from protocols import pmbus, pmbus_supply, tmp75

ADDRESS = 0x58
BUSY = b"\xff\xff\xff"
NOBODY, HELD = OSError(19), OSError(116)


def read(command, data):
    return ("read", command, pmbus_supply.answered(ADDRESS, command, data))


def write(command, data=b""):
    return ("write", command, pmbus.written(ADDRESS, command, data))


MODE = read(pmbus.VOUT_MODE, b"\x17")


def test_a_thermometer_is_set_to_sixteenths_and_read():
    bus = Exchange(
        ("write", tmp75.CONFIG, b"\x60"),
        ("read", tmp75.TEMPERATURE, b"\x32\x10"),
        ("read", tmp75.TEMPERATURE, b"\xff\xf0"),
    )
    sensor = Tmp75(bus, 0x49)
    assert sensor.read_dc() == 501
    assert sensor.read_dc() == -1
    assert bus.done()


def test_a_thermometer_that_was_away_is_set_again():
    setting = ("write", tmp75.CONFIG, b"\x60")
    bus = Exchange(
        setting,
        ("read", tmp75.TEMPERATURE, NOBODY),
        setting,
        ("read", tmp75.TEMPERATURE, b"\xff\xff"),
        setting,
        ("read", tmp75.TEMPERATURE, b"\x19\x00"),
    )
    sensor = Tmp75(bus, 0x49)
    assert "0x49" in raises(SensorError, sensor.read_dc)
    raises(SensorError, sensor.read_dc)
    assert sensor.read_dc() == 250 and bus.done()


def test_a_supply_is_started():
    bus = Exchange(
        write(pmbus.CLEAR_FAULTS),
        MODE,
        write(pmbus.VOUT_COMMAND, b"\x9a\x1b"),
        write(pmbus.OPERATION, b"\x80"),
        write(pmbus.VOUT_COMMAND, b"\x00\x18"),
    )
    psu = Psu(bus, ADDRESS)
    psu.start(13_800)
    psu.set_mv(12_000)
    assert bus.done()


def test_numbers_of_a_supply():
    psu = Psu(
        Exchange(
            read(pmbus.STATUS_WORD, b"\x40\x08"),
            read(pmbus.READ_VOUT, b"\x9a\x1b"),
            MODE,
            read(pmbus.READ_PIN, b"\x65\x13"),
        ),
        ADDRESS,
    )
    assert psu.status() == 0x0840
    assert psu.output_mv() == 13_801
    assert psu.input_w() == 3476


def test_a_busy_supply_is_asked_again():
    good = read(pmbus.STATUS_WORD, b"\x00\x00")
    bus = Exchange(("read", pmbus.STATUS_WORD, BUSY), ("read", pmbus.STATUS_WORD, NOBODY), good)
    psu = Psu(bus, ADDRESS)
    assert psu.status() == 0 and psu.bad_replies == 2 and bus.done()


def test_a_supply_that_never_makes_sense_is_an_error_and_not_a_number():
    bus = Exchange(*[("read", pmbus.STATUS_WORD, BUSY)] * ATTEMPTS)
    assert "0x79" in raises(SupplyError, Psu(bus, ADDRESS).status)
    assert bus.done()
    bus = Exchange(*[("write", pmbus.CLEAR_FAULTS, NOBODY)] * ATTEMPTS)
    assert "0x03" in raises(SupplyError, Psu(bus, ADDRESS).start, 12_000)


def test_a_held_bus_is_asked_once():
    bus = Exchange(("read", pmbus.STATUS_WORD, HELD), ("write", pmbus.CLEAR_FAULTS, HELD))
    psu = Psu(bus, ADDRESS)
    raises(SupplyError, psu.status)
    raises(SupplyError, psu.start, 12_000)
    assert bus.done()


def test_what_cannot_be_is_an_error():
    for command, data, call in (
        (pmbus.READ_PIN, b"\x00\x1c", "input_w"),
        (pmbus.READ_PIN, b"\xff\x2f", "input_w"),
    ):
        psu = Psu(Exchange(read(command, data)), ADDRESS)
        assert "cannot be" in raises(SupplyError, getattr(psu, call)), call
    psu = Psu(Exchange(read(pmbus.READ_VOUT, b"\xff\xff"), MODE), ADDRESS)
    assert "cannot be" in raises(SupplyError, psu.output_mv)
    psu = Psu(Exchange(read(pmbus.VOUT_MODE, b"\x40")), ADDRESS)
    raises(SupplyError, psu.set_mv, 12_000)


class Counter:
    def __init__(self):
        self.count = 0

    def value(self):
        if self.count is None:
            raise OSError(5)
        return self.count


class Pwm:
    def __init__(self):
        self.duties = []

    def duty_u16(self, duty):
        self.duties.append(duty)


class Hands:
    """A clock moved by hand, in place of the firmware's while a test runs."""

    def __init__(self):
        self.ms = 0
        self._kept = (clock.now_ms, clock.since_ms)

    def __enter__(self):
        clock.now_ms = lambda: self.ms
        clock.since_ms = lambda then: self.ms - then
        return self

    def __exit__(self, *_):
        clock.now_ms, clock.since_ms = self._kept


def test_rpm_of_two_pulses_a_turn_over_half_a_second():
    with Hands() as hands:
        counter = Counter()
        fans = fan.Fans(Pwm(), [counter])
        assert fans.rpm() == [0]
        for _ in range(20):
            hands.ms += 100
            counter.count += 20  # 100 turns a second
            rpm = fans.rpm()
        assert rpm == [6000]
        readings = []
        for _ in range(7):
            hands.ms += 100
            readings.append(fans.rpm()[0])
        assert readings[0] == 4800 and readings[4:] == [0, 0, 0], readings
        counter.count = None
        assert fans.rpm() == [0]


def test_duty_goes_to_the_pin_and_settles_after_its_time():
    with Hands() as hands:
        pwm = Pwm()
        fans = fan.Fans(pwm, [])
        fans.set_duty(1000)
        assert pwm.duties == [65_535] and fans.settled_pm() == (0, 1000)
        hands.ms += fan.SETTLE_MS
        assert fans.settled_pm() == (0, 1000)
        hands.ms += 1
        assert fans.settled_pm() == (1000, 1000)
        fans.set_duty(300)
        assert pwm.duties[-1] == 19_660 and fans.settled_pm() == (300, 1000)
        fans.set_duty(800)
        assert fans.settled_pm() == (300, 1000)
        hands.ms += fan.SETTLE_MS + 1
        assert fans.settled_pm() == (800, 800)
