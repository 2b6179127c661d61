"""The thermometer inside a BM1368: a start written to CONTROL, a code read from VALUE.

Factory code as hardware.md 1.6 of the reference has it: T = code x 0.171342 - 299.5144.
"""

CONTROL, VALUE = 0xB0, 0xB4
START = 0x1002_0000  # the last of the three writes that start it
_VALID = 0x8000_0000
_PER_CODE, _BELOW = 0.171342, 299.5144


def value(control: int, celsius: float) -> int:
    """VALUE at this temperature; not valid before it was started."""
    if control != START:
        return 0
    return _VALID | max(0, min(0xFFFF, round((celsius + _BELOW) / _PER_CODE)))
