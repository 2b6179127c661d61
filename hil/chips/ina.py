"""Power monitors INA260 and INA238: what flows past them, as their registers have it."""

from protocols import ina


class Ina260:
    """With its shunt inside; volts and amperes are set from outside."""

    def __init__(self) -> None:
        self.volts = self.amperes = 0.0
        self._pointer, self._config = 0, 0x6127

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        if data:
            self._pointer = data[0]
        if len(data) >= 3 and data[0] == ina.CONFIG_260:
            self._config = data[1] << 8 | data[2]
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        return (self._register(self._pointer) + b"\xff" * size)[:size]

    def kept(self, out: bytes, size: int) -> bytes | None:
        """What writing out and reading would answer, changing nothing."""
        return (self._register(out[0]) + b"\xff" * size)[:size] if len(out) == 1 else None

    def _register(self, register: int) -> bytes:
        words = {
            ina.CONFIG_260: self._config,
            ina.CURRENT_260: round(self.amperes / 0.00125),
            ina.BUS_260: max(0, round(self.volts / 0.00125)),
            ina.POWER_260: max(0, round(self.volts * self.amperes / 0.01)),
            ina.MAKER_260: ina.MAKER,
            ina.DIE_260: 0x2270,
        }
        return _word(words[register]) if register in words else b""


class Ina238:
    """Over the board's shunt."""

    def __init__(self, shunt_uohm: int = 500) -> None:
        self.volts = self.amperes = 0.0
        self.celsius = 25.0
        self._shunt_ohm = shunt_uohm / 1e6
        self._pointer = 0
        self._stored = {ina.CONFIG: 0, ina.ADC_CONFIG: 0xFB68, ina.SHUNT_CAL: 0x1000}

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        if data:
            self._pointer = data[0]
        if len(data) >= 3 and data[0] in self._stored:
            self._stored[data[0]] = data[1] << 8 | data[2]
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        return (self._register(self._pointer) + b"\xff" * size)[:size]

    def kept(self, out: bytes, size: int) -> bytes | None:
        """What writing out and reading would answer, changing nothing."""
        return (self._register(out[0]) + b"\xff" * size)[:size] if len(out) == 1 else None

    def _register(self, register: int) -> bytes:
        """CURRENT and POWER as SHUNT_CAL has them: 0 of it, and they read 0."""
        narrow = bool(self._stored[ina.CONFIG] & ina.NARROW)
        counts = _clipped(self.amperes * self._shunt_ohm / (1.25e-6 if narrow else 5e-6))
        calibrated = self._stored[ina.SHUNT_CAL]
        current = _clipped(counts * 4096 / calibrated) if calibrated else 0
        if register == ina.POWER:  # a fifth of CURRENT's unit at one volt
            power = round(5 * abs(current) * max(0.0, self.volts))
            return min(0xFF_FFFF, power).to_bytes(3, "big")
        words = self._stored | {
            ina.SHUNT: counts,
            ina.BUS: _clipped(self.volts / 0.003125),
            ina.DIE_TEMPERATURE: _clipped(self.celsius * 8) << 4,
            ina.CURRENT: current,
            ina.MAKER_238: ina.MAKER,
            ina.DEVICE_238: ina.DEVICE,
        }
        return _word(words[register]) if register in words else b""


def _clipped(value: float) -> int:
    return max(-0x8000, min(0x7FFF, round(value)))


def _word(value: int) -> bytes:
    return (max(-0x8000, min(0xFFFF, value)) & 0xFFFF).to_bytes(2, "big")
