"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import emc2305
from protocols.emc2305 import Emc2305Error


def refuses(call, *args):
    try:
        call(*args)
    except Emc2305Error:
        return True
    return False


def test_a_count_on_record():
    assert emc2305.rpm(bytes((1311 >> 5, 1311 << 3 & 0xFF)), 1) == 2999
    assert emc2305.rpm(bytes((1311 >> 5, 1311 << 3 & 0xFF | 7)), 2) == 5999


def test_a_fan_that_stands_still():
    assert emc2305.rpm(b"\xff\xf8", 1) == 0
    assert emc2305.rpm(b"\xff\x00", 8) == 0
    assert emc2305.tach(0, 1) == b"\xff\xf8"
    assert emc2305.rpm(emc2305.tach(100, 1), 1) == 0
    assert emc2305.rpm(b"\xfe\xf8", 1) == 482


def test_speeds_come_back():
    for multiplier in (1, 2, 4, 8):
        for rpm in range(500 * multiplier, 8000, 137):
            back = emc2305.rpm(emc2305.tach(rpm, multiplier), multiplier)
            assert abs(back - rpm) <= 1 + rpm * rpm // (3_932_160 * multiplier)


def test_nonsense_is_refused():
    for reply in (b"", b"\x10", b"\x10\x00\x00", b"\x00\x00", b"\x00\x07"):
        assert refuses(emc2305.rpm, reply, 1), reply


def test_registers_of_each_fan():
    assert [emc2305.fan_base(fan) for fan in range(5)] == [0x30, 0x40, 0x50, 0x60, 0x70]
    offsets = (emc2305.DRIVE, emc2305.CONFIG, emc2305.TACH_HIGH, emc2305.TACH_LOW)
    assert offsets == (0x00, 0x02, 0x0E, 0x0F)
    assert refuses(emc2305.fan_base, 5) and refuses(emc2305.fan_base, -1)


def test_ranges():
    for config, multiplier in ((0x0B, 1), (0x2B, 2), (0x4B, 4), (0x6B, 8)):
        assert emc2305.multiplier(config) == multiplier
    for slowest_rpm, config in ((500, 0x0B), (999, 0x0B), (1000, 0x2B), (2000, 0x4B), (9000, 0x6B)):
        assert emc2305.config_range(0x6B, slowest_rpm) == config
    assert emc2305.config_range(0x0B, 2000) == 0x4B
    assert refuses(emc2305.config_range, 0, 499)


def test_duty():
    assert (emc2305.drive(0), emc2305.drive(1), emc2305.drive(1000)) == (0, 1, 255)
    assert emc2305.drive(500) == 128
    for drive in range(256):
        assert emc2305.drive(emc2305.duty_pm(drive)) == drive
    assert refuses(emc2305.drive, -1) and refuses(emc2305.drive, 1001)


def test_which_controller():
    assert (emc2305.PRODUCT, emc2305.MANUFACTURER) == (0xFD, 0xFE)
    assert emc2305.MANUFACTURER_MICROCHIP == 0x5D
    assert emc2305.FANS == {0x34: 5, 0x35: 3, 0x36: 2, 0x37: 1}
    assert emc2305.RANGES_RPM == (500, 1000, 2000, 4000)
