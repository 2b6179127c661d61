"""EMC2301/2302/2303/2305 fan controllers: registers, tachometer counts to rpm and back.

Microchip EMC2305 data sheet.  The tachometer counts a 32.768 kHz clock during one
revolution of a fan with two pulses a revolution.
"""

PRODUCT, MANUFACTURER = 0xFD, 0xFE
MANUFACTURER_MICROCHIP = 0x5D
FANS = {0x37: 1, 0x36: 2, 0x35: 3, 0x34: 5}  # by PRODUCT
# offsets within a fan's registers, which begin at fan_base(n)
DRIVE, CONFIG, TACH_HIGH, TACH_LOW = 0x00, 0x02, 0x0E, 0x0F
RANGES_RPM = (500, 1000, 2000, 4000)  # slowest fan that can be measured, by bits 6-5 of CONFIG
_COUNTS_PER_MINUTE = 3_932_160
_STOPPED = 0xFF  # upper byte of the count of a fan that does not turn
_COUNT_MAX = 0x1FFF


class Emc2305Error(ValueError):
    """The controller cannot mean, or do, this."""


def fan_base(fan: int) -> int:
    """Where the registers of fan 0 to 4 begin."""
    if not 0 <= fan <= 4:
        raise Emc2305Error(f"fan {fan}, from 0 to 4")
    return 0x30 + 0x10 * fan


def multiplier(config: int) -> int:
    """How much faster a fan's clock counts than in the lowest range."""
    return 1 << (config >> 5 & 3)


def config_range(config: int, slowest_rpm: int) -> int:
    """CONFIG changed to the finest range that still measures slowest_rpm."""
    for step in (3, 2, 1, 0):
        if RANGES_RPM[step] <= slowest_rpm:
            return config & ~0x60 | step << 5
    raise Emc2305Error(f"{slowest_rpm} rpm, the slowest that can be measured is {RANGES_RPM[0]}")


def rpm(tach: bytes, multiplier: int) -> int:
    """Revolutions per minute from TACH_HIGH and TACH_LOW; 0 for a fan that stands still."""
    if len(tach) != 2:
        raise Emc2305Error(f"a tachometer count has 2 bytes, not {len(tach)}")
    count = tach[0] << 5 | tach[1] >> 3
    if tach[0] == _STOPPED:
        return 0
    if count == 0:
        raise Emc2305Error("a tachometer count of 0: faster than any fan")
    return (_COUNTS_PER_MINUTE * multiplier + count // 2) // count


def tach(rpm: int, multiplier: int) -> bytes:
    """TACH_HIGH and TACH_LOW of a fan at this speed; too slow reads as standing still."""
    count = _COUNT_MAX
    if rpm > 0:
        count = min((_COUNTS_PER_MINUTE * multiplier + rpm // 2) // rpm, _COUNT_MAX)
    return bytes((count >> 5, count << 3 & 0xFF))


def drive(duty_pm: int) -> int:
    """DRIVE for a duty in thousandths; rounded up, because more air is the safe side."""
    if not 0 <= duty_pm <= 1000:
        raise Emc2305Error(f"duty {duty_pm}, from 0 to 1000")
    return (duty_pm * 255 + 999) // 1000


def duty_pm(drive: int) -> int:
    """The duty in thousandths a DRIVE value makes."""
    return drive * 1000 // 255
