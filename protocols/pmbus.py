"""PMBus power supplies: commands, numbers and checksums.

Numbers are thousandths of the unit (mV, mA, mW, 1/1000 °C) as integers.  Words are
little-endian on the wire.  PMBus specification parts I and II, revision 1.3.
"""

from protocols.crc import crc8

OPERATION, ON_OFF_CONFIG, CLEAR_FAULTS, WRITE_PROTECT, CAPABILITY = 0x01, 0x02, 0x03, 0x10, 0x19
VOUT_MODE, VOUT_COMMAND, VOUT_MAX, VOUT_MIN = 0x20, 0x21, 0x24, 0x2B
VOUT_OV_FAULT_LIMIT, VOUT_UV_FAULT_LIMIT, IOUT_OC_FAULT_LIMIT = 0x40, 0x44, 0x46
OT_FAULT_LIMIT, OT_WARN_LIMIT = 0x4F, 0x51
STATUS_BYTE, STATUS_WORD, STATUS_VOUT, STATUS_IOUT, STATUS_INPUT = 0x78, 0x79, 0x7A, 0x7B, 0x7C
STATUS_TEMPERATURE, STATUS_CML, STATUS_FANS_12 = 0x7D, 0x7E, 0x81
READ_VIN, READ_IIN, READ_VOUT, READ_IOUT = 0x88, 0x89, 0x8B, 0x8C
READ_TEMPERATURE_1, READ_TEMPERATURE_2, READ_TEMPERATURE_3 = 0x8D, 0x8E, 0x8F
READ_FAN_SPEED_1, READ_POUT, READ_PIN, REVISION = 0x90, 0x96, 0x97, 0x98
MFR_ID, MFR_MODEL, MFR_REVISION, MFR_SERIAL = 0x99, 0x9A, 0x9B, 0x9E

OPERATION_ON, OPERATION_OFF = 0x80, 0x00

# names of the bits of STATUS_WORD, from bit 0
STATUS_BITS = (
    "none of the above",
    "communication",
    "temperature",
    "input too low",
    "output current too high",
    "output voltage too high",
    "off",
    "busy",
    "unknown",
    "other",
    "fans",
    "power not good",
    "manufacturer",
    "input",
    "output current or power",
    "output voltage",
)
STATUS_OFF, STATUS_BUSY, STATUS_POWER_NOT_GOOD = 1 << 6, 1 << 7, 1 << 11
STATUS_COMMUNICATION = 1 << 1


class PmbusError(ValueError):
    """These bytes, or this number, are not good PMBus."""


class ChecksumError(PmbusError):
    """The packet error code is wrong; a busy supply answers FF and this is how it shows."""


def linear11(word: int) -> int:
    """A LINEAR11 word in thousandths: currents, powers, temperatures, input voltage."""
    return _scaled(_signed(word & 0x7FF, 11) * 1000, _signed(word >> 11 & 0x1F, 5))


def to_linear11(milli: int) -> int:
    """The nearest LINEAR11 word, with as many digits as fit."""
    if milli == 0:
        return 0
    for exponent in range(-16, 16):
        mantissa = _divided(milli, exponent)
        if -1024 <= mantissa <= 1023:
            return (exponent & 0x1F) << 11 | mantissa & 0x7FF
    raise PmbusError(f"{milli} thousandths do not fit LINEAR11")


def vout_exponent(mode: int) -> int:
    """The exponent VOUT_MODE gives for every output voltage.  Raises when it is not linear."""
    if mode & 0x60:
        raise PmbusError(f"VOUT_MODE 0x{mode:02x} is not linear")
    return _signed(mode & 0x1F, 5)


def ulinear16(word: int, exponent: int) -> int:
    """An output voltage in millivolts."""
    return _scaled(word * 1000, exponent)


def to_ulinear16(milli: int, exponent: int) -> int:
    """The nearest word for an output voltage in millivolts."""
    word = _divided(milli, exponent)
    if not 0 <= word <= 0xFFFF:
        raise PmbusError(f"{milli} mV do not fit ULINEAR16 with exponent {exponent}")
    return word


def status_names(word: int) -> list[str]:
    """What STATUS_WORD says, in words."""
    return [name for bit, name in enumerate(STATUS_BITS) if word >> bit & 1]


def word_bytes(word: int) -> bytes:
    """A word as it goes over the wire."""
    return bytes((word & 0xFF, word >> 8))


def word_of(data: bytes) -> int:
    """The word in two bytes of the wire."""
    if len(data) != 2:
        raise PmbusError(f"a word has 2 bytes, not {len(data)}")
    return data[0] | data[1] << 8


def written(address: int, command: int, data: bytes = b"") -> bytes:
    """What follows the command in a write: the data and its checksum.  7-bit address."""
    return data + bytes((crc8(bytes((address << 1, command)) + data),))


def answered(address: int, command: int, data: bytes) -> bytes:
    """What a supply sends to a read of this command: the data and its checksum."""
    return data + bytes((_read_pec(address, command, data),))


def checked(address: int, command: int, reply: bytes) -> bytes:
    """The data of a reply.  Raises ChecksumError."""
    if len(reply) < 2 or _read_pec(address, command, reply[:-1]) != reply[-1]:
        raise ChecksumError(f"wrong checksum on command 0x{command:02x}: {reply.hex()}")
    return reply[:-1]


def checked_block(address: int, command: int, reply: bytes) -> bytes:
    """The data of a block reply: a count, as many bytes, the checksum; the rest is noise."""
    size = reply[0] if reply else 0
    return checked(address, command, reply[: size + 2])[1:]


def checked_write(address: int, command: int, data: bytes) -> bytes:
    """The data a host wrote, without its checksum.  Raises ChecksumError."""
    if not data or written(address, command, data[:-1]) != data:
        raise ChecksumError(f"wrong checksum writing command 0x{command:02x}: {data.hex()}")
    return data[:-1]


def _read_pec(address: int, command: int, data: bytes) -> int:
    return crc8(bytes((address << 1, command, address << 1 | 1)) + data)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _scaled(value: int, exponent: int) -> int:
    """value * 2^exponent, to the nearest."""
    if exponent >= 0:
        return value << exponent
    return (value + (1 << -exponent - 1)) >> -exponent


def _divided(milli: int, exponent: int) -> int:
    """milli / 1000 / 2^exponent, to the nearest."""
    if exponent < 0:
        return ((milli << -exponent) + 500) // 1000
    return (milli + (500 << exponent)) // (1000 << exponent)
