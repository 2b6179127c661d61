"""Runs under pytest, and under MicroPython by tests/on_micropython.py.  Data sheet's numbers."""

from protocols import emc2101
from protocols.emc2101 import Emc2101Error


def refusal(call, *args):
    try:
        call(*args)
    except Emc2101Error as error:
        return str(error)
    raise AssertionError("taken")


def test_tachometer_counts():
    assert emc2101.rpm(900) == 6000 and emc2101.count(6000) == 900
    assert emc2101.rpm(0xFFFF) == 0 and emc2101.count(0) == 0xFFFF == emc2101.count(82)
    assert emc2101.rpm(emc2101.count(83)) == 83
    assert "count of 0" in refusal(emc2101.rpm, 0)
    assert "count of 65536" in refusal(emc2101.rpm, 0x10000)


def test_the_outside_diode():
    for dc, high, low in (
        (0, 0, 0),
        (250, 25, 0),
        (251, 25, 0x20),
        (-10, 0xFF, 0),
        (655, 65, 0x80),
    ):
        assert emc2101.external(dc) == (high, low), dc
        assert abs(emc2101.external_dc(high, low) - dc) <= 1
    assert "open" in refusal(emc2101.external_dc, 0x7F, 0)
    assert "shorted" in refusal(emc2101.external_dc, 0x7F, 0xE0)


def test_duty():
    assert [emc2101.duty(pm) for pm in (0, 1, 500, 1000)] == [0, 1, 32, 63]
    assert "1001" in refusal(emc2101.duty, 1001)
