"""The site's Modbus TCP meter: power, energy and frequency of whatever it is asked to watch.

Registers as in supervisor/meters/surplus-bench.toml.  faults can be changed live:
"silent" (exceptions), "frozen" (the last value for ever), "flipped" (wrong sign).
"""

import struct
import time
from collections.abc import Callable
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 7  # int32 W, uint64 Wh, uint16 cHz
MAINS_CHZ = 5000


class Meter:
    """power_w is called for every reading."""

    def __init__(self, power_w: Callable[[], float], host: str = "127.0.0.1", port: int = 0):
        self.faults: set[str] = set()
        self.energy_wh, self._before_s = 0.0, time.monotonic()
        self._power_w, self._frozen = power_w, b""
        registers = SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(1, simdata=[registers], action=self._answer)
        self._server = ModbusTcpServer(device, address=(host, port))

    async def start(self) -> int:
        """Take connections.  The port."""
        await self._server.serve_forever(background=True)
        transport: Any = self._server.transport
        return int(transport.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        await self._server.shutdown()  # type: ignore[no-untyped-call]

    def _count(self) -> float:
        """The power now; what was used since the last reading is added to the energy."""
        power_w, now_s = self._power_w(), time.monotonic()
        self.energy_wh += max(0.0, power_w) * (now_s - self._before_s) / 3600
        self._before_s = now_s
        return power_w

    async def _answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Fill the registers at the moment they are read."""
        if written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        if "silent" in self.faults:
            return ExcCodes.DEVICE_FAILURE
        sign = -1 if "flipped" in self.faults else 1
        now = struct.pack(">iQH", sign * round(self._count()), round(self.energy_wh), MAINS_CHZ)
        self._frozen = self._frozen if "frozen" in self.faults and self._frozen else now
        registers[:REGISTERS] = struct.unpack(f">{REGISTERS}H", self._frozen)
        return None
