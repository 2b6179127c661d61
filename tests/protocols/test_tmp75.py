"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import tmp75
from protocols.tmp75 import Tmp75Error

# register -> tenths of a degree, from the data sheet's table
READINGS = (
    ("7FF0", 1279),
    ("6400", 1000),
    ("5000", 800),
    ("4B00", 750),
    ("3200", 500),
    ("1900", 250),
    ("0010", 1),
    ("0000", 0),
    ("FFF0", -1),
    ("E700", -250),
    ("8000", -1280),
)


def refuses(call, *args):
    try:
        call(*args)
    except Tmp75Error:
        return True
    return False


def test_readings_of_the_data_sheet():
    for register, tenths in READINGS:
        assert tmp75.temperature_dc(bytes.fromhex(register)) == tenths, register


def test_every_tenth_comes_back():
    for tenths in range(tmp75.LOW_DC, tmp75.HIGH_DC + 1):
        assert tmp75.temperature_dc(tmp75.register(tenths)) == tenths


def test_a_bus_stuck_high_is_not_a_temperature():
    for reply in (b"\xff\xff", b"\x19\x01", b"", b"\x19", b"\x19\x00\x00"):
        assert refuses(tmp75.temperature_dc, reply), reply


def test_a_temperature_out_of_range_is_refused():
    assert refuses(tmp75.register, 1280)
    assert refuses(tmp75.register, -1281)


def test_config():
    for bits, value in ((9, 0x00), (10, 0x20), (11, 0x40), (12, 0x60)):
        assert tmp75.config(bits) == value
        assert tmp75.resolution_bits(value | 0x9F) == bits
        assert not tmp75.is_shut_down(value)
    assert tmp75.config(shutdown=True) == 0x61 and tmp75.is_shut_down(0x61)
    assert refuses(tmp75.config, 8) and refuses(tmp75.config, 13)


def test_registers_of_the_data_sheet():
    for register, tenths in (("6400", 1000), ("1900", 250), ("E700", -250), ("0020", 1)):
        assert tmp75.register(tenths) == bytes.fromhex(register)
    assert (tmp75.TEMPERATURE, tmp75.CONFIG, tmp75.LOW_LIMIT, tmp75.HIGH_LIMIT) == (0, 1, 2, 3)
    assert (tmp75.DIE_ID, tmp75.DIE_ID_TMP1075) == (0x0F, 0x7500)
