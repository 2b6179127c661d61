"""The supply's side of PMBus: its other commands, the bits of its status, what it answers.

A controller carries only the host's side, pmbus.py.
"""

from protocols.pmbus import ChecksumError, PmbusError, checked, divided, read_pec, written

ON_OFF_CONFIG, WRITE_PROTECT, CAPABILITY = 0x02, 0x10, 0x19
VOUT_MAX, VOUT_MIN = 0x24, 0x2B
VOUT_OV_FAULT_LIMIT, VOUT_UV_FAULT_LIMIT, IOUT_OC_FAULT_LIMIT = 0x40, 0x44, 0x46
OT_FAULT_LIMIT, OT_WARN_LIMIT = 0x4F, 0x51
STATUS_BYTE, STATUS_VOUT, STATUS_IOUT, STATUS_INPUT = 0x78, 0x7A, 0x7B, 0x7C
STATUS_TEMPERATURE, STATUS_CML, STATUS_FANS_12 = 0x7D, 0x7E, 0x81
READ_VIN, READ_IIN, READ_IOUT = 0x88, 0x89, 0x8C
READ_TEMPERATURE_1, READ_TEMPERATURE_2, READ_TEMPERATURE_3 = 0x8D, 0x8E, 0x8F
READ_FAN_SPEED_1, READ_POUT, REVISION = 0x90, 0x96, 0x98
MFR_ID, MFR_MODEL, MFR_REVISION, MFR_SERIAL = 0x99, 0x9A, 0x9B, 0x9E

OPERATION_OFF = 0x00

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


def to_linear11(milli: int) -> int:
    """The nearest LINEAR11 word, with as many digits as fit."""
    if milli == 0:
        return 0
    for exponent in range(-16, 16):
        mantissa = divided(milli, exponent)
        if -1024 <= mantissa <= 1023:
            return (exponent & 0x1F) << 11 | mantissa & 0x7FF
    raise PmbusError(f"{milli} thousandths do not fit LINEAR11")


def status_names(word: int) -> list[str]:
    """What STATUS_WORD says, in words."""
    return [name for bit, name in enumerate(STATUS_BITS) if word >> bit & 1]


def answered(address: int, command: int, data: bytes) -> bytes:
    """What a supply sends to a read of this command: the data and its checksum."""
    return data + bytes((read_pec(address, command, data),))


def checked_block(address: int, command: int, reply: bytes) -> bytes:
    """The data of a block reply: a count, as many bytes, the checksum; the rest is noise."""
    size = reply[0] if reply else 0
    return checked(address, command, reply[: size + 2])[1:]


def checked_write(address: int, command: int, data: bytes) -> bytes:
    """The data a host wrote, without its checksum.  Raises ChecksumError."""
    if not data or written(address, command, data[:-1]) != data:
        raise ChecksumError(f"wrong checksum writing command 0x{command:02x}: {data.hex()}")
    return data[:-1]
