"""A PMBus power supply: its registers, on top of the plant's output stage.

LINEAR11, output voltages ULINEAR16 with exponent -9, PEC on everything it sends
and accepted on what it hears.  An unknown command, bad data or a bad checksum is noted
in STATUS_CML, and nothing else happens: what a host must survive.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from hil.chips.pmbus_status import CML_COMMAND, CML_DATA, CML_PEC, NAMES, Status
from hil.chips.pmbus_stored import Stored
from hil.plant import Plant
from protocols import pmbus, pmbus_supply
from protocols.pmbus import PmbusError, to_ulinear16, word_bytes
from protocols.pmbus_supply import to_linear11

ADDRESS = 0x58
MODE, EXPONENT = 0x17, -9


class PmbusPsu:
    """mode: VOUT_MODE, with its top bit for limits that are factors of VOUT_COMMAND.

    keeps_status: being switched off does not clear the status registers; by the
    specification only switching on again does.
    """

    def __init__(
        self, plant: Plant, address: int = ADDRESS, mode: int = MODE, keeps_status: bool = False
    ) -> None:
        self._plant, self._supply, self._address = plant, plant.supply, address
        self._mode, self._keeps_status = mode, keeps_status
        self.stays_on = False  # gives its volts whatever it is told
        self.lying_status = 0  # bits of STATUS_WORD that are not true
        self.reported = 1.0  # of the watts and amperes that flow, what it tells
        self._command = 0
        self._kept: dict[tuple[int, int], bytes] = {}  # answers, good until something changes
        self._operation = pmbus.OPERATION_ON
        self._stored = Stored(mode, plant.model.supply_mv[1] / 1000)
        self._status = Status(self._supply)
        self._enable_pin = False
        self._reads = self._readings()

    def _readings(self) -> dict[int, Callable[[], bytes]]:
        plant, supply = self._plant, self._supply
        low_mv, high_mv = plant.model.supply_mv
        status = {name: partial(self._status_byte, name) for name in NAMES}
        reads: dict[int, Callable[[], bytes]] = {
            **status,
            pmbus.OPERATION: lambda: bytes((self._operation,)),
            pmbus_supply.CAPABILITY: lambda: b"\x80",  # PEC, 100 kHz
            pmbus_supply.REVISION: lambda: b"\x33",
            pmbus.VOUT_MODE: lambda: bytes((self._mode,)),
            pmbus.VOUT_COMMAND: lambda: _millivolts(supply.command_v * 1000),
            pmbus_supply.VOUT_MAX: lambda: _millivolts(high_mv),
            pmbus_supply.VOUT_MIN: lambda: _millivolts(low_mv),
            pmbus_supply.STATUS_BYTE: lambda: word_bytes(self._word())[:1],
            pmbus.STATUS_WORD: lambda: word_bytes(self._word()),
            pmbus_supply.READ_VIN: lambda: _linear(supply.mains_v),
            pmbus_supply.READ_IIN: lambda: _linear(self._wall_w() / max(1.0, supply.mains_v)),
            pmbus.READ_VOUT: lambda: _millivolts(supply.volts * 1000),
            pmbus_supply.READ_IOUT: lambda: _linear(self._out_w() / max(1.0, supply.volts)),
            pmbus_supply.READ_POUT: lambda: _linear(self._out_w()),
            pmbus.READ_PIN: lambda: _linear(self._wall_w()),
            pmbus_supply.READ_TEMPERATURE_1: lambda: _linear(30 + 0.008 * supply.out_w),
            pmbus_supply.MFR_ID: lambda: _block(b"SURPLUS"),
            pmbus_supply.MFR_MODEL: lambda: _block(b"VIRTUAL-3700"),
        }
        stored = self._stored
        return reads | {name: partial(stored.read, name) for name in stored.names()}

    def enable(self, high: bool) -> None:
        """The plain wire that cuts hash power whatever the bus does."""
        self._enable_pin = high
        self._switch()

    def look(self, now_s: float = 0.0) -> None:
        """After every step: what passes between two reads is latched, what was kept is old."""
        self._kept.clear()
        supply = self._supply
        if supply.latched or supply.under_voltage or supply.mains_v < 200:
            self._status.look(self._limits_v())
        if not supply.alive:
            self._status.clear()

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        """False when nobody acknowledges."""
        if not self._supply.alive:
            return False
        if data:
            self._command = data[0]
            if len(data) > 1 or data[0] == pmbus.CLEAR_FAULTS:
                self._obey(data[0], data[1:])
                self._kept.clear()
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        if not self._supply.alive:
            return None
        if self._command not in self._reads:
            self._status.note(CML_COMMAND)
            self._kept.clear()
            return b"\xff" * size
        return self._answer(self._command, size)

    def kept(self, out: bytes, size: int) -> bytes | None:
        """What writing out and reading would answer, changing nothing; None: ask."""
        if not self._supply.alive or len(out) != 1 or out[0] not in self._reads:
            return None
        key = (out[0], size)
        if key not in self._kept:
            self._kept[key] = self._answer(*key)
        return self._kept[key]

    def _answer(self, command: int, size: int) -> bytes:
        reply = pmbus_supply.answered(self._address, command, self._reads[command]())
        return (reply + b"\xff" * size)[:size]

    def _obey(self, command: int, data: bytes) -> None:
        known = command == pmbus.CLEAR_FAULTS or command in self._reads
        if not known:
            self._status.note(CML_COMMAND)
            return
        width = self._width(command)
        try:
            if len(data) > width:
                data = pmbus_supply.checked_write(self._address, command, data)
        except PmbusError:
            self._status.note(CML_PEC)
            return
        if len(data) != width or not self._stored.allows(command):
            self._status.note(CML_DATA)
        else:
            self._take(command, data)

    def _width(self, command: int) -> int:
        if command == pmbus.CLEAR_FAULTS:
            return 0
        return 2 if command == pmbus.VOUT_COMMAND else self._stored.width(command)

    def _take(self, command: int, data: bytes) -> None:
        if command == pmbus.CLEAR_FAULTS:
            self._status.clear()
        elif command == pmbus.OPERATION:
            self._operation = data[0]
            self._switch()
        elif command == pmbus.VOUT_COMMAND:
            self._set_volts(pmbus.ulinear16(pmbus.word_of(data), EXPONENT))
        elif command in self._stored.names():
            self._stored.write(command, data)
        else:  # it can only be read
            self._status.note(CML_COMMAND)

    def _set_volts(self, millivolts: int) -> None:
        low_mv, high_mv = self._plant.model.supply_mv
        if low_mv <= millivolts <= high_mv:
            self._supply.command_v = millivolts / 1000
        else:
            self._status.note(CML_DATA)

    def _limits_v(self) -> tuple[float, float, float]:
        return self._stored.limits_v(self._supply.command_v)

    def _switch(self) -> None:
        on = self._operation & pmbus.OPERATION_ON or not self._stored.hears_operation()
        enabled = self.stays_on or bool(self._enable_pin and on)
        if enabled != self._supply.enabled and enabled == self._keeps_status:
            self._status.clear()
        self._supply.enabled = enabled

    def _status_byte(self, name: int) -> bytes:
        return bytes((self._status.bits(name, self._limits_v()),))

    def _word(self) -> int:
        return self._status.word(self._limits_v()) | self.lying_status

    def _wall_w(self) -> float:
        return self._plant.wall_w * self.reported

    def _out_w(self) -> float:
        return self._supply.out_w * self.reported


@lru_cache(maxsize=4096)
def _linear(value: float) -> bytes:
    return word_bytes(to_linear11(round(value * 1000)))


def _millivolts(value: float) -> bytes:
    return word_bytes(to_ulinear16(round(value), EXPONENT))


def _block(text: bytes) -> bytes:
    return bytes((len(text),)) + text
