"""A Bitmain APW supply: its commands, on top of the plant's output stage.

protocols/apw.md says what goes over the wire, apw_port.py how it goes in and out.
"""

from collections.abc import Callable

from hil.chips.apw_eeprom import eeprom
from hil.chips.apw_port import ApwPort
from hil.plant import Plant
from protocols import apw

WATCHDOG_S = 60.0  # told by one source, never measured
DEFAULT_MV = 15_200  # enabled before anybody has said what it should give
_DETAILS = (0xC1, 0xC2)  # types that tell power, temperatures and status in version 1


class Apw:
    """kind: the type it says it is, which also says the version it talks."""

    def __init__(self, plant: Plant, kind: int = 0x75, firmware: int = 6) -> None:
        self._plant, self._supply = plant, plant.supply
        self._kind, self._firmware = kind, firmware
        self._version = 2 if kind in apw.TYPES_2 else 1
        self.stays_on = False
        self.lying_status = 0  # of STATUS, where the type has one
        self.reported = 1.0
        self.port = ApwPort(self._obey)
        self._eeprom = eeprom(kind)
        self._enable_pin = self._watched = False
        self._now_s = self._fed_s = 0.0
        low_mv, high_mv = self._range_mv()
        self._want_mv = max(low_mv, min(high_mv, DEFAULT_MV))
        self._supply.command_v = self._want_mv / 1000
        self._n = 0
        self._answers = self._commands()

    def enable(self, on: bool) -> None:
        """The plain wire that cuts hash power whatever the bus does."""
        self._enable_pin = on
        self._supply.enabled = self.stays_on or (on and not self._bitten())

    def look(self, now_s: float = 0.0) -> None:
        """Now and then: the watchdog, and forgetting when the mains are gone."""
        self._now_s = now_s
        if not self._supply.alive:
            self.port.clear()
            self._watched = False
        self.enable(self._enable_pin)

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        """False when nobody acknowledges."""
        self._now_s = now_s
        if self._supply.alive:
            self.port.write(data, now_s)
        return self._supply.alive

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        return self.port.read(size, now_s) if self._supply.alive else None

    def _obey(self, request: bytes) -> bytes | None:
        try:
            command, data = apw.decoded(request, self._version)
        except apw.ApwError:
            return None  # a wrong sum, or the other version
        answer = self._answers.get(command)
        said = answer(data) if answer else None
        return None if said is None else apw.frame(command, said, self._version)

    def _commands(self) -> dict[int, Callable[[bytes], bytes | None]]:
        common: dict[int, Callable[[bytes], bytes | None]] = {
            apw.FIRMWARE: lambda data: _u16(self._firmware),
            apw.TYPE: lambda data: _u16(self._kind),
            apw.ENABLED: lambda data: _u16(int(self._supply.enabled)),
            apw.READ_EEPROM: self._read_eeprom,
            apw.WATCHDOG: self._watch,
            apw.SET_VOLTAGE: self._set_volts,
        }
        if self._version == 2:
            return common | self._commands_2()
        common |= {apw.GET_VOLTAGE: lambda data: _u16(self._n), apw.MEASURED: self._measured}
        if self._kind in _DETAILS:
            common |= {
                apw.INPUT_POWER: lambda data: _u16(round(self._wall_w())),
                apw.TEMPERATURES: lambda data: _u16(700) * 3,  # codes nobody can read
                apw.STATUS: lambda data: self._trouble().to_bytes(8, "little"),
                apw.RUNNING: lambda data: int(self._now_s * 5).to_bytes(4, "little"),
                apw.INPUT_STATUS: lambda data: int(self._supply.under_voltage).to_bytes(
                    4, "little"
                ),
                apw.CLEAR_STATUS: lambda data: b"",
            }
        return common

    def _commands_2(self) -> dict[int, Callable[[bytes], bytes | None]]:
        return {
            apw.GET_VOLTAGE: lambda data: apw.volts(self._want_mv),
            apw.MEASURED: lambda data: apw.volts(round(self._supply.volts * 1000)),
            apw.RELEASED: lambda data: _u16(0x1801),
            apw.INPUT_POWER: lambda data: apw.volts(round(self._wall_w() * 1000)),
            apw.TEMPERATURES: lambda data: bytes(10),
            apw.AGE: lambda data: _u16(0),
            apw.RUNNING: lambda data: bytes(4),
            apw.INPUT_STATUS: lambda data: int(self._now_s).to_bytes(4, "little"),
            apw.ERRORS: lambda data: bytes(4) + self._trouble().to_bytes(4, "little") + bytes(2),
            apw.CLEAR_ERRORS: lambda data: bytes(10),
            apw.ERROR_DATA: lambda data: bytes(68),
        }

    def _read_eeprom(self, data: bytes) -> bytes | None:
        half = self._version
        if len(data) != 2 * half:
            return None
        at, size = (int.from_bytes(data[n : n + half], "little") for n in (0, half))
        if size > 64 or at + size > len(self._eeprom):
            return None
        return size.to_bytes(half, "little") + self._eeprom[at : at + size]

    def _watch(self, data: bytes) -> bytes | None:
        if len(data) != 2:
            return None
        self._watched, self._fed_s = bool(data[self._version - 1]), self._now_s
        self.enable(self._enable_pin)
        return data

    def _bitten(self) -> bool:
        return self._watched and self._now_s - self._fed_s > WATCHDOG_S

    def _set_volts(self, data: bytes) -> bytes | None:
        low_mv, high_mv = self._range_mv()
        if len(data) != 2 * self._version:
            return None
        if self._version == 1:
            self._n = data[0]
            wanted_mv = apw.mv_of(self._n, self._kind, self._firmware)
        else:
            try:
                wanted_mv = apw.milli(data)
            except apw.ApwError:
                return None
        self._want_mv = max(low_mv, min(high_mv, wanted_mv))
        self._supply.command_v = self._want_mv / 1000
        return data

    def _measured(self, data: bytes) -> bytes | None:
        own = apw.settings(self._kind, self._firmware)
        return _u16(round(self._supply.volts * 1e6 / own.sample_uv)) if own.sample_uv else None

    def _range_mv(self) -> tuple[int, int]:
        if self._version == 2:
            return apw.TYPES_2[self._kind]
        own = apw.settings(self._kind, self._firmware)
        return own.low_mv, own.high_mv

    def _trouble(self) -> int:
        """Some bit for a latched fault: which one it is, is not known."""
        return int(bool(self._supply.latched)) | self.lying_status

    def _wall_w(self) -> float:
        return self._plant.wall_w * self.reported


def _u16(value: int) -> bytes:
    return max(0, min(0xFFFF, value)).to_bytes(2, "little")
