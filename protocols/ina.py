"""INA260 and INA238 power monitors: registers to milliamperes, millivolts and milliwatts.

Texas Instruments data sheets; the INA238's shunt and range are the board's.
"""

ADDRESS = 0x40
# INA260: the shunt is inside
CONFIG_260, CURRENT_260, BUS_260, POWER_260, MAKER_260, DIE_260 = 0x00, 0x01, 0x02, 0x03, 0xFE, 0xFF
MAKER = 0x5449  # "TI"
# INA238
CONFIG, ADC_CONFIG, SHUNT_CAL, SHUNT, BUS = 0x00, 0x01, 0x02, 0x04, 0x05
DIE_TEMPERATURE, CURRENT, POWER, MAKER_238, DEVICE_238 = 0x06, 0x07, 0x08, 0x3E, 0x3F
DEVICE = 0x2381
NARROW = 1 << 4  # of CONFIG: the shunt's range is a quarter, and so is a count
SIZES = {POWER: 3}  # bytes of a register; all others have 2


class InaError(ValueError):
    """No such monitor would send this."""


def current_260_ma(reply: bytes) -> int:
    """1.25 mA a count."""
    return _rounded(_signed(reply, 2) * 125, 100)


def bus_260_mv(reply: bytes) -> int:
    """1.25 mV a count."""
    return _rounded(_unsigned(reply, 2) * 125, 100)


def power_260_mw(reply: bytes) -> int:
    """10 mW a count."""
    return _unsigned(reply, 2) * 10


def shunt_uv(reply: bytes, config: int = 0) -> int:
    """5 µV a count, 1.25 in the narrow range."""
    counts = _signed(reply, 2)
    return _rounded(counts * 125, 100) if config & NARROW else counts * 5


def current_ma(reply: bytes, shunt_uohm: int, config: int = 0) -> int:
    """From the SHUNT register, so that SHUNT_CAL does not matter."""
    if shunt_uohm <= 0:
        raise InaError(f"a shunt of {shunt_uohm} millionths of an ohm")
    return _rounded(shunt_uv(reply, config) * 1000, shunt_uohm)


def bus_mv(reply: bytes) -> int:
    """3.125 mV a count."""
    return _rounded(_signed(reply, 2) * 3125, 1000)


def die_dc(reply: bytes) -> int:
    """Tenths of a degree; bits 15-4, an eighth of a degree each."""
    return _rounded((_signed(reply, 2) >> 4) * 10, 8)


def _unsigned(reply: bytes, size: int) -> int:
    if len(reply) != size:
        raise InaError(f"a register has {size} bytes, not {len(reply)}")
    return int.from_bytes(reply, "big")


def _signed(reply: bytes, size: int) -> int:
    value = _unsigned(reply, size)
    return value - (1 << 8 * size) if value >> 8 * size - 1 else value


def _rounded(value: int, by: int) -> int:
    return (value + by // 2) // by
