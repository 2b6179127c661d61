"""Rigs on a Modbus line: our register map with its watchdog, on pymodbus's server.

No firmware: a rig here is a table of operating points, a limit that ends, and a power that
follows it as fast as the rig says.  faults of one: "hung" (no answer), "refuses" (its limit
cannot be written), "deaf" (takes every limit and does nothing), "fault" (says so).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from protocols import registers

WORDS = 403  # of the map, from 0
HUNG_S = 3600.0
POINTS = ((1200, 60_000), (2400, 100_000), (3400, 125_000))


class ModbusRig:
    """One rig.  power_w is the truth; what is read may lie when a fault says so."""

    def __init__(
        self,
        points: Sequence[tuple[int, int]] = POINTS,
        *,
        floor_w: int = 25,
        wake_s: float = 0.0,
        up_w_per_s: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults: set[str] = set()
        self.limit_w, self.until_s = 0, 0.0
        self.writes: list[tuple[float, int, int]] = []  # (when, limit_w, ttl_ms)
        self._points, self._floor_w, self._clock = points, floor_w, clock
        self._wake_s, self._up_w_per_s = wake_s, up_w_per_s
        self._power_w, self._at_s, self._awake_s = float(floor_w), clock(), 0.0

    @property
    def aim_w(self) -> int:
        """What it goes for: the limit while its time to live lasts, else sleep."""
        alive = self._clock() < self.until_s
        if not alive or self.limit_w < self._points[0][0]:
            return self._floor_w
        return min(self.limit_w, self._points[-1][0])

    @property
    def power_w(self) -> int:
        """Down at once, up after waking and no faster than it can."""
        now_s, aim_w = self._clock(), self.aim_w
        if aim_w <= self._floor_w:
            self._awake_s = now_s + self._wake_s
        can_w = self._power_w
        if now_s >= self._awake_s:
            can_w += self._up_w_per_s * (now_s - max(self._at_s, self._awake_s))
        self._power_w, self._at_s = min(float(aim_w), can_w), now_s
        return int(self._power_w)

    def values(self) -> dict[str, object]:
        """All registers by name."""
        power_w = self.power_w
        level = sum(power_w >= watts for watts, _ in self._points)
        hello: dict[str, object] = {
            "boards": 3,
            "chips": 195,
            "floor_w": self._floor_w,
            "wake_ms": int(self._wake_s * 1000),
            "up_w_per_s": self._up_w_per_s,
            "model": "modelled on a line",
            "firmware": "1",
            "points": self._points,
        }
        left_ms = max(0, min(600_000, int((self.until_s - self._clock()) * 1000)))
        state: dict[str, object] = {
            "state": "running" if level else "asleep",
            "level": level,
            "cap_level": len(self._points),
            "power_w": power_w,
            "hash_ghs": self._points[level - 1][1] if level else 0,
            "hot_dc": 600,
            "inlet_dc": 250,
            "fan_rpm": 4000,
            "fan_pm": 500,
            "lease_ms": left_ms,
            "event": 0,
            "why": f"limit {self.limit_w} W",
            "limit_w": self.limit_w,
            "ttl_ms": max(100, left_ms),
        }
        if "fault" in self.faults:
            state |= {"state": "fault", "level": 0}
        return registers.values_of(hello, state)

    async def answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        words: list[int],
        written: Any,
    ) -> ExcCodes | None:
        """pymodbus's action: a read or a write, as the rig's own server would answer."""
        if "hung" in self.faults:
            await asyncio.sleep(HUNG_S)
        try:
            if written is not None:
                self._write(address, list(written))
            else:
                words[address : address + count] = registers.answer(self.values(), address, count)
        except registers.RegisterError as error:
            return ExcCodes(error.code)
        return None

    def _write(self, address: int, words: list[int]) -> None:
        values: Any = registers.written(address, words)
        if "refuses" in self.faults:
            raise registers.RegisterError(registers.NO_VALUE, "it refuses")
        self.writes.append((self._clock(), values["limit_w"], values["ttl_ms"]))
        if "deaf" not in self.faults:
            self.limit_w = values["limit_w"]
            self.until_s = self._clock() + values["ttl_ms"] / 1000


class Line:
    """Several rigs by unit behind one address."""

    def __init__(self, rigs: dict[int, ModbusRig], framer: FramerType = FramerType.SOCKET) -> None:
        self.rigs = rigs
        devices = [
            SimDevice(
                unit,
                simdata=[SimData(0, count=WORDS, values=0, datatype=DataType.REGISTERS)],
                action=rig.answer,
            )
            for unit, rig in rigs.items()
        ]
        self._server = ModbusTcpServer(devices, framer=framer, address=("127.0.0.1", 0))

    async def start(self) -> int:
        """Take connections.  The port."""
        await self._server.serve_forever(background=True)
        transport: Any = self._server.transport
        return int(transport.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        await self._server.shutdown()  # type: ignore[no-untyped-call]
