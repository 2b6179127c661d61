"""A facility fan's drive and its air: registers as in supervisor/drives/surplus-bench.toml.

faults can be changed live: "hung" (no answer), "tripped" (takes commands, does not turn),
"belt" (the motor turns at no load, no air moves), "refuses" (no command can be written).
restart() is a power cut: the drive comes back stopped and has forgotten what it was told.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

WORDS = 13
HUNG_S = 3600.0
SPIN_S = 8.0  # from standstill to full speed
FULL_A, IDLE_A, FULL_PA = 40.0, 12.0, 250.0


class FanDrive:
    """speed_pct and air_pct are the truth."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faults: set[str] = set()
        self.commands: list[tuple[float, int]] = []  # (when, what was written to register 0)
        self._clock, self._told, self._wanted_pct = clock, 0, 0.0
        self._speed_pct, self._at_s = 0.0, clock()

    @property
    def speed_pct(self) -> float:
        """Towards what is wanted, as fast as its rotor lets it."""
        now_s = self._clock()
        aim = self._wanted_pct if self._told == 1 and "tripped" not in self.faults else 0.0
        most = 100.0 / SPIN_S * (now_s - self._at_s)
        self._speed_pct += max(-most, min(most, aim - self._speed_pct))
        self._at_s = now_s
        return self._speed_pct

    @property
    def air_pct(self) -> float:
        return 0.0 if "belt" in self.faults else self.speed_pct

    def restart(self) -> None:
        self._told, self._wanted_pct = 0, 0.0

    def _registers(self) -> list[int]:
        speed, air = self.speed_pct, self.air_pct
        load = (air / 100) ** 3
        amps = IDLE_A * speed / 100 + (FULL_A - IDLE_A) * load
        words = [0] * WORDS
        words[0], words[1] = self._told, round(self._wanted_pct * 100)
        words[10], words[11] = round(speed * 100), round(amps * 10)
        words[12] = round(FULL_PA * (air / 100) ** 2)
        return words

    async def answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        words: list[int],
        written: Any,
    ) -> ExcCodes | None:
        """pymodbus's action."""
        if "hung" in self.faults:
            await asyncio.sleep(HUNG_S)
        if written is None:
            words[:WORDS] = self._registers()
            return None
        if address > 1 or "refuses" in self.faults:
            return ExcCodes.ILLEGAL_ADDRESS
        if address == 0:
            self.commands.append((self._clock(), written[0]))
            self._told = written[0]
        else:
            self._wanted_pct = written[0] / 100
        return None


class Bus:
    """Several drives by unit behind one address."""

    def __init__(self, drives: dict[int, FanDrive]) -> None:
        devices = [
            SimDevice(
                unit,
                simdata=[SimData(0, count=WORDS, values=0, datatype=DataType.REGISTERS)],
                action=drive.answer,
            )
            for unit, drive in drives.items()
        ]
        self._server = ModbusTcpServer(devices, address=("127.0.0.1", 0))

    async def start(self) -> int:
        """Take connections.  The port."""
        await self._server.serve_forever(background=True)
        transport: Any = self._server.transport
        return int(transport.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        await self._server.shutdown()  # type: ignore[no-untyped-call]
