"""What pymodbus carries: a line by its settings, and its client for it."""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # said by who asked, and once


class Client(Protocol):
    """What is used of pymodbus's clients."""

    @property
    def connected(self) -> bool: ...
    async def connect(self) -> bool: ...
    def close(self) -> None: ...
    def read_holding_registers(
        self, address: int, *, count: int, device_id: int
    ) -> Awaitable[Any]: ...
    def read_input_registers(
        self, address: int, *, count: int, device_id: int
    ) -> Awaitable[Any]: ...
    def write_registers(
        self, address: int, values: list[int], *, device_id: int
    ) -> Awaitable[Any]: ...
    def write_register(self, address: int, value: int, *, device_id: int) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """Where a gateway is.  kind tcp: Modbus TCP; rtu-tcp: RTU frames over TCP; rtu: serial."""

    kind: Literal["tcp", "rtu-tcp", "rtu"] = "tcp"
    host: str = ""
    port: int = 502
    device: str = ""
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: int = 1

    def __str__(self) -> str:
        return self.device if self.kind == "rtu" else f"{self.host}:{self.port}"


def client_of(line: Line) -> Client:
    """pymodbus's client for a line; it neither retries nor reconnects, we do."""
    patience: dict[str, Any] = {"timeout": 60.0, "retries": 0, "reconnect_delay": 0}
    if line.kind == "rtu":
        return AsyncModbusSerialClient(
            line.device,
            baudrate=line.baud,
            parity=line.parity,
            stopbits=line.stop_bits,
            **patience,
        )
    framer = FramerType.SOCKET if line.kind == "tcp" else FramerType.RTU
    return AsyncModbusTcpClient(line.host, port=line.port, framer=framer, **patience)
