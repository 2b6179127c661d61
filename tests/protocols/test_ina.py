"""Runs under pytest, and under MicroPython by tests/on_micropython.py.  Data sheets' scales."""

from protocols import ina
from protocols.ina import InaError


def refused(call, *args):
    try:
        call(*args)
    except InaError:
        return True
    return False


def test_an_ina260_counts_milliamperes_and_millivolts():
    assert ina.current_260_ma(b"\x27\x10") == 12_500  # 10000 counts
    assert ina.current_260_ma(b"\xff\xff") == -1  # -1.25
    assert ina.bus_260_mv(b"\x25\x80") == 12_000
    assert ina.power_260_mw(b"\x3a\x98") == 150_000


def test_an_ina238_measures_over_the_boards_shunt():
    # data sheet's example: 10 A over 16.2 mohm is 162 mV
    assert ina.shunt_uv(b"\x7e\x90") == 162_000
    assert ina.current_ma(b"\x7e\x90", 16_200) == 10_000
    assert ina.shunt_uv(b"\x7e\x90", ina.NARROW) == 40_500
    assert ina.current_ma(b"\xff\xff", 500) == -10
    assert ina.bus_mv(b"\x3c\x00") == 48_000 and ina.bus_mv(b"\x0f\x00") == 12_000
    assert ina.die_dc(b"\x19\x00") == 500 and ina.die_dc(b"\xff\x80") == -10


def test_what_is_no_register_is_refused():
    for call in (ina.current_260_ma, ina.bus_260_mv, ina.power_260_mw, ina.bus_mv, ina.die_dc):
        assert refused(call, b"") and refused(call, b"\0\0\0")
    assert refused(ina.current_ma, b"\0\0", 0)


def test_registers_are_where_the_data_sheets_have_them():
    of_260 = (ina.CONFIG_260, ina.CURRENT_260, ina.BUS_260, ina.POWER_260, ina.MAKER_260)
    assert of_260 == (0, 1, 2, 3, 0xFE) and ina.DIE_260 == 0xFF and ina.MAKER == 0x5449
    of_238 = (ina.CONFIG, ina.ADC_CONFIG, ina.SHUNT_CAL, ina.SHUNT, ina.BUS, ina.DIE_TEMPERATURE)
    assert of_238 == (0, 1, 2, 4, 5, 6) and (ina.CURRENT, ina.POWER) == (7, 8)
    assert (ina.MAKER_238, ina.DEVICE_238, ina.DEVICE) == (0x3E, 0x3F, 0x2381)
    assert ina.SIZES == {8: 3} and ina.NARROW == 0x10 and ina.ADDRESS == 0x40
