"""Registers of a PMBus supply that are stored, and what they mean: limits, and who may write."""

from protocols import pmbus, pmbus_supply
from protocols.pmbus import word_bytes

RELATIVE = 0x80  # of VOUT_MODE: limits are factors of VOUT_COMMAND
_UNIT = 512  # exponent -9
# what a limit is of the volts at first: over-voltage fault and warning, under- the same
_FACTORS = {0x40: 1.25, 0x42: 1.16, 0x43: 0.90, 0x44: 0.75}
_OV_FAULT, _UV_WARN, _UV_FAULT = 0x40, 0x43, 0x44
_CMD = 0x08  # of ON_OFF_CONFIG: OPERATION is heard
# first values of what is only kept
_BYTES = {
    pmbus_supply.ON_OFF_CONFIG: 0x1F,
    pmbus_supply.WRITE_PROTECT: 0,
    0x41: 0xB8,
    0x45: 0x80,
    0x47: 0xC0,
}
_WORDS = (0x33, 0x35, 0x36, 0x46, 0x4A, 0x4F, 0x51, 0x60, 0x61, 0x64)
# what each level of WRITE_PROTECT still lets through
_WRITABLE = {
    0x80: (pmbus_supply.WRITE_PROTECT,),
    0x40: (pmbus_supply.WRITE_PROTECT, pmbus.OPERATION),
    0x20: (
        pmbus_supply.WRITE_PROTECT,
        pmbus.OPERATION,
        pmbus_supply.ON_OFF_CONFIG,
        pmbus.VOUT_COMMAND,
    ),
}


class Stored:
    def __init__(self, mode: int, highest_v: float) -> None:
        """mode: VOUT_MODE.  Limits in volts are at first never in the way."""
        self._relative = bool(mode & RELATIVE)
        of = 1.0 if self._relative else highest_v
        self._bytes = dict(_BYTES)
        self._words = dict.fromkeys(_WORDS, 0)
        self._words |= {name: round(factor * of * _UNIT) for name, factor in _FACTORS.items()}
        if not self._relative:
            self._words |= {_UV_WARN: 0, _UV_FAULT: 0}

    def names(self) -> list[int]:
        return [*self._bytes, *self._words]

    def width(self, name: int) -> int:
        return 2 if name in self._words else 1

    def read(self, name: int) -> bytes:
        return bytes((self._bytes[name],)) if name in self._bytes else word_bytes(self._words[name])

    def write(self, name: int, data: bytes) -> None:
        """data as wide as the register."""
        if name in self._bytes:
            self._bytes[name] = data[0]
        else:
            self._words[name] = pmbus.word_of(data)

    def allows(self, command: int) -> bool:
        """Whether WRITE_PROTECT lets this be written."""
        level = self._bytes[pmbus_supply.WRITE_PROTECT]
        return level not in _WRITABLE or command in _WRITABLE[level]

    def hears_operation(self) -> bool:
        return bool(self._bytes[pmbus_supply.ON_OFF_CONFIG] & _CMD)

    def limits_v(self, command_v: float) -> tuple[float, float, float]:
        """Over-voltage fault, under-voltage warning, and fault."""
        of = command_v / _UNIT if self._relative else 1 / _UNIT
        words = self._words
        return words[_OV_FAULT] * of, words[_UV_WARN] * of, words[_UV_FAULT] * of
