"""PMBus power supplies: commands, numbers and checksums.

Numbers are thousandths of the unit (mV, mA, mW, 1/1000 °C) as integers.  Words are
little-endian on the wire.  PMBus specification parts I and II, revision 1.3.
"""

from protocols.crc import crc8

OPERATION, CLEAR_FAULTS, VOUT_MODE, VOUT_COMMAND = 0x01, 0x03, 0x20, 0x21
STATUS_WORD, READ_VOUT, READ_PIN = 0x79, 0x8B, 0x97
OPERATION_ON = 0x80


class PmbusError(ValueError):
    """These bytes, or this number, are not good PMBus."""


class ChecksumError(PmbusError):
    """The packet error code is wrong; a busy supply answers FF and this is how it shows."""


def linear11(word: int) -> int:
    """A LINEAR11 word in thousandths: currents, powers, temperatures, input voltage."""
    return _scaled(_signed(word & 0x7FF, 11) * 1000, _signed(word >> 11 & 0x1F, 5))


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
    word = divided(milli, exponent)
    if not 0 <= word <= 0xFFFF:
        raise PmbusError(f"{milli} mV do not fit ULINEAR16 with exponent {exponent}")
    return word


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


def checked(address: int, command: int, reply: bytes) -> bytes:
    """The data of a reply.  Raises ChecksumError."""
    if len(reply) < 2 or read_pec(address, command, reply[:-1]) != reply[-1]:
        raise ChecksumError(f"wrong checksum on command 0x{command:02x}: {reply.hex()}")
    return reply[:-1]


def read_pec(address: int, command: int, data: bytes) -> int:
    return crc8(bytes((address << 1, command, address << 1 | 1)) + data)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _scaled(value: int, exponent: int) -> int:
    """value * 2^exponent, to the nearest."""
    if exponent >= 0:
        return value << exponent
    return (value + (1 << -exponent - 1)) >> -exponent


def divided(milli: int, exponent: int) -> int:
    """milli / 1000 / 2^exponent, to the nearest."""
    if exponent < 0:
        return ((milli << -exponent) + 500) // 1000
    return (milli + (500 << exponent)) // (1000 << exponent)
