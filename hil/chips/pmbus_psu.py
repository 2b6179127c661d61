"""A PMBus power supply: its registers, on top of the plant's output stage.

LINEAR11, output voltages ULINEAR16 with exponent -9, PEC on everything it sends
and accepted on what it hears.  An unknown command or a bad checksum is noted in
STATUS_CML, and nothing else happens: what a host must survive.
"""

from collections.abc import Callable

from hil.plant import Plant
from protocols import pmbus
from protocols.pmbus import PmbusError, to_linear11, to_ulinear16, word_bytes

ADDRESS = 0x58
MODE, EXPONENT = 0x17, -9
LOW_MV, HIGH_MV = 11_900, 15_000
MAINS_V = 230.0
OVER_CURRENT, OVER_HEAT = "over-current", "over-temperature"
_CML_COMMAND, _CML_DATA, _CML_PEC = 0x80, 0x40, 0x20

# of one latch: bits of STATUS_WORD, STATUS_IOUT, STATUS_TEMPERATURE
_LATCHES = {"": (0, 0, 0), OVER_CURRENT: (1 << 14 | 1 << 4, 0x80, 0), OVER_HEAT: (1 << 2, 0, 0x80)}


class PmbusPsu:
    def __init__(self, plant: Plant, address: int = ADDRESS) -> None:
        self._plant, self._supply, self._address = plant, plant.supply, address
        self._command = 0
        self._operation = pmbus.OPERATION_ON
        self._bytes = {pmbus.ON_OFF_CONFIG: 0x1F, pmbus.WRITE_PROTECT: 0}
        self._cml = 0
        self._enable_pin = False
        self._reads: dict[int, Callable[[], bytes]] = {
            pmbus.OPERATION: lambda: bytes((self._operation,)),
            pmbus.CAPABILITY: lambda: b"\x80",  # PEC, 100 kHz
            pmbus.REVISION: lambda: b"\x33",
            pmbus.VOUT_MODE: lambda: bytes((MODE,)),
            pmbus.VOUT_COMMAND: lambda: _millivolts(self._supply.command_v * 1000),
            pmbus.VOUT_MAX: lambda: _millivolts(HIGH_MV),
            pmbus.VOUT_MIN: lambda: _millivolts(LOW_MV),
            pmbus.STATUS_BYTE: lambda: word_bytes(self._status())[:1],
            pmbus.STATUS_WORD: lambda: word_bytes(self._status()),
            pmbus.STATUS_IOUT: lambda: bytes((_LATCHES[self._supply.latched][1],)),
            pmbus.STATUS_TEMPERATURE: lambda: bytes((_LATCHES[self._supply.latched][2],)),
            pmbus.STATUS_CML: lambda: bytes((self._cml,)),
            pmbus.STATUS_VOUT: lambda: b"\0",
            pmbus.STATUS_INPUT: lambda: b"\0",
            pmbus.READ_VIN: lambda: _linear(MAINS_V),
            pmbus.READ_IIN: lambda: _linear(self._plant.wall_w / MAINS_V),
            pmbus.READ_VOUT: lambda: _millivolts(self._supply.volts * 1000),
            pmbus.READ_IOUT: lambda: _linear(self._supply.out_w / max(1.0, self._supply.volts)),
            pmbus.READ_POUT: lambda: _linear(self._supply.out_w),
            pmbus.READ_PIN: lambda: _linear(self._plant.wall_w),
            pmbus.READ_TEMPERATURE_1: lambda: _linear(30 + 0.008 * self._supply.out_w),
            pmbus.MFR_ID: lambda: _block(b"SURPLUS"),
            pmbus.MFR_MODEL: lambda: _block(b"VIRTUAL-3700"),
        }

    def enable(self, high: bool) -> None:
        """The plain wire that cuts hash power whatever the bus does."""
        self._enable_pin = high
        self._switch()

    def write(self, data: bytes) -> bool:
        """False when nobody acknowledges."""
        if not self._supply.mains:
            return False
        if data:
            self._command = data[0]
            if len(data) > 1 or data[0] == pmbus.CLEAR_FAULTS:
                self._obey(data[0], data[1:])
        return True

    def read(self, size: int) -> bytes | None:
        if not self._supply.mains:
            return None
        if self._command in self._bytes:
            data = bytes((self._bytes[self._command],))
        elif self._command in self._reads:
            data = self._reads[self._command]()
        else:
            self._cml |= _CML_COMMAND
            return b"\xff" * size
        reply = pmbus.answered(self._address, self._command, data)
        return (reply + b"\xff" * size)[:size]

    def kept(self, out: bytes, size: int) -> bytes | None:
        """What writing out and reading would answer, changing nothing; None: ask."""
        if not self._supply.mains or len(out) != 1 or out[0] not in self._reads:
            return None
        reply = pmbus.answered(self._address, out[0], self._reads[out[0]]())
        return (reply + b"\xff" * size)[:size]

    def _obey(self, command: int, data: bytes) -> None:
        width = 0 if command == pmbus.CLEAR_FAULTS else 2 if command == pmbus.VOUT_COMMAND else 1
        try:
            if len(data) > width:
                data = pmbus.checked_write(self._address, command, data)
        except PmbusError:
            self._cml |= _CML_PEC
            return
        if len(data) != width:
            self._cml |= _CML_DATA
        elif command == pmbus.CLEAR_FAULTS:
            self._cml = 0
        elif command == pmbus.OPERATION:
            self._operation = data[0]
            self._switch()
        elif command == pmbus.VOUT_COMMAND:
            self._set_volts(pmbus.ulinear16(pmbus.word_of(data), EXPONENT))
        elif command in self._bytes:
            self._bytes[command] = data[0]
        else:
            self._cml |= _CML_COMMAND

    def _set_volts(self, millivolts: int) -> None:
        if LOW_MV <= millivolts <= HIGH_MV:
            self._supply.command_v = millivolts / 1000
        else:
            self._cml |= _CML_DATA

    def _switch(self) -> None:
        on = bool(self._operation & pmbus.OPERATION_ON)
        self._supply.enabled = self._enable_pin and on

    def _status(self) -> int:
        supply = self._supply
        status = _LATCHES[supply.latched][0]
        if supply.volts < 1:
            status |= pmbus.STATUS_OFF
        if supply.volts < 0.9 * supply.command_v:
            status |= pmbus.STATUS_POWER_NOT_GOOD
        return status | (pmbus.STATUS_COMMUNICATION if self._cml else 0)


def _linear(value: float) -> bytes:
    return word_bytes(to_linear11(round(value * 1000)))


def _millivolts(value: float) -> bytes:
    return word_bytes(to_ulinear16(round(value), EXPONENT))


def _block(text: bytes) -> bytes:
    return bytes((len(text),)) + text
