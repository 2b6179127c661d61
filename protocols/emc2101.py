"""The EMC2101: one fan and an outside diode.  Registers to rpm, duty and degrees, and back.

Microchip EMC2101 data sheet.
"""

ADDRESS = 0x4C
INTERNAL, EXTERNAL_HIGH, EXTERNAL_LOW = 0x00, 0x01, 0x10
CONFIG, FAN_CONFIG, FAN_DUTY, TACH_LOW, TACH_HIGH = 0x03, 0x4A, 0x4C, 0x46, 0x47
IDEALITY, BETA, PRODUCT, MANUFACTURER = 0x17, 0x18, 0xFD, 0xFE
TACH_ON, DIRECT = 0x04, 0x20  # of CONFIG: the pin is a tach; of FAN_CONFIG: FAN_DUTY is heard
MANUFACTURER_MICROCHIP, PRODUCTS = 0x5D, (0x16, 0x28)
DUTY_MAX = 63
_COUNTS_PER_MINUTE = 5_400_000
_STANDING = 82  # what FFFF, the count of a fan that does not turn, comes to
_OPEN, _SHORT = 0x3F8, 0x3FF  # of the diode


class Emc2101Error(ValueError):
    """The controller cannot mean, or do, this."""


def rpm(count: int) -> int:
    """Revolutions per minute; 0 for a fan that stands still."""
    if not 0 < count <= 0xFFFF:
        raise Emc2101Error(f"a tachometer count of {count}")
    found = (_COUNTS_PER_MINUTE + count // 2) // count
    return found if found > _STANDING else 0


def count(rpm: int) -> int:
    """The tachometer count of a fan at this speed."""
    return 0xFFFF if rpm <= _STANDING else (_COUNTS_PER_MINUTE + rpm // 2) // rpm


def external_dc(high: int, low: int) -> int:
    """Tenths of a degree of the outside diode, 11 bits.  Raises when it is open or shorted."""
    raw = high << 3 | low >> 5
    if raw in (_OPEN, _SHORT):
        raise Emc2101Error("the diode is open" if raw == _OPEN else "the diode is shorted")
    raw -= 0x800 if raw & 0x400 else 0
    return (raw * 10 + 4) >> 3


def external(dc: int) -> tuple[int, int]:
    """EXTERNAL_HIGH and EXTERNAL_LOW of a temperature."""
    raw = max(-0x400, min(0x3F7, (dc * 8 + 5) // 10)) & 0x7FF
    return raw >> 3, raw << 5 & 0xE0


def duty(duty_pm: int) -> int:
    """FAN_DUTY for a duty in thousandths; rounded up, because more air is the safe side."""
    if not 0 <= duty_pm <= 1000:
        raise Emc2101Error(f"duty {duty_pm}, from 0 to 1000")
    return (duty_pm * DUTY_MAX + 999) // 1000
