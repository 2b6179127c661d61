"""TMP75-class thermometers (TMP75, TMP1075, LM75A): registers to tenths of a degree.

Texas Instruments TMP75 data sheet, register map; the LM75A is the same with fewer bits.
"""

TEMPERATURE, CONFIG, LOW_LIMIT, HIGH_LIMIT, DIE_ID = 0x00, 0x01, 0x02, 0x03, 0x0F
DIE_ID_TMP1075 = 0x7500
LOW_DC, HIGH_DC = -1280, 1279  # what the register can hold, tenths of a degree
_SHUTDOWN, _RESOLUTION = 0x01, 0x60


class Tmp75Error(ValueError):
    """No such thermometer would send, or take, this."""


def temperature_dc(reply: bytes) -> int:
    """Tenths of a degree Celsius in the two bytes of a temperature register.

    The lowest four bits are always 0, which tells a bus stuck high from a reading.
    """
    if len(reply) != 2:
        raise Tmp75Error(f"a temperature has 2 bytes, not {len(reply)}")
    raw = reply[0] << 8 | reply[1]
    if raw & 0x0F:
        raise Tmp75Error(f"no temperature: {raw:04x}")
    if raw & 0x8000:
        raw -= 0x1_0000
    return (raw * 10 + 128) >> 8


def register(temperature_dc: int) -> bytes:
    """The register nearest to a temperature, in steps of 1/16 degree."""
    if not LOW_DC <= temperature_dc <= HIGH_DC:
        raise Tmp75Error(f"{temperature_dc / 10} °C, from {LOW_DC / 10} to {HIGH_DC / 10}")
    raw = ((temperature_dc * 16 + 5) // 10 << 4) & 0xFFFF
    return bytes((raw >> 8, raw & 0xFF))


def config(bits: int = 12, shutdown: bool = False) -> int:
    """CONFIG for a resolution of 9 to 12 bits, measuring all the time or not at all."""
    if not 9 <= bits <= 12:
        raise Tmp75Error(f"{bits} bits, from 9 to 12")
    return (bits - 9) << 5 | (_SHUTDOWN if shutdown else 0)


def resolution_bits(config: int) -> int:
    """How many bits of the temperature a CONFIG value asks for."""
    return 9 + ((config & _RESOLUTION) >> 5)


def is_shut_down(config: int) -> bool:
    return bool(config & _SHUTDOWN)
