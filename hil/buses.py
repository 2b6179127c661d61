"""The I2C buses of a rig: parts by address, and lines that are held low."""

from collections.abc import Mapping

from hil.chips.i2c import Part
from hil.faults import Faults
from hil.virtual import wire

FREEING_CLOCKS = 9  # of a part that holds the data line low


class Buses:
    def __init__(self, parts: Mapping[tuple[int, int], Part], faults: Faults) -> None:
        """parts: by bus and address."""
        self._parts, self._faults = parts, faults
        self._held: dict[int, int] = {}  # clocks still missing, by bus whose data line is held

    def transfer(
        self, bus: int, address: int, out: bytes, size: int, now_s: float
    ) -> tuple[int, bytes]:
        """The status, and what was read."""
        if self.stuck(bus):
            return wire.I2C_STUCK, b""
        part = self._parts.get((bus, address))
        if part is None or not part.write(out, now_s):
            return wire.I2C_NACK, b""
        data = part.read(size, now_s) if size else b""
        return (wire.I2C_NACK, b"") if data is None else (wire.I2C_OK, data)

    def kept(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes] | None:
        """What a part that has kept() would answer, changing nothing; None: it is asked."""
        if self.stuck(bus):
            return None  # costs its time
        kept = getattr(self._parts.get((bus, address)), "kept", None)
        data = kept(out, size) if kept else None
        return None if data is None else (wire.I2C_OK, data)

    def stuck(self, bus: int) -> bool:
        return bool(self._faults) and (bus in self._held or bus in self._faults.hit("i2c_stuck"))

    def hold(self, bus: int) -> None:
        """A part was interrupted in the middle of a byte."""
        self._held[bus] = FREEING_CLOCKS

    def release(self, buses: frozenset[int]) -> None:
        """Nothing is held but on these."""
        self._held = {bus: left for bus, left in self._held.items() if bus in buses}

    def clock(self, bus: int) -> None:
        """A falling edge lets such a part shift out one more bit."""
        if bus in self._held:
            self._held[bus] -= 1
            if self._held[bus] == 0:
                del self._held[bus]
