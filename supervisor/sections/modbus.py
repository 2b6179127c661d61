"""[[modbus]]: the gateways and serial lines of the site, one connection each."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from supervisor.sections.kinds import Host
from supervisor.settings import Section


class ModbusConfig(Section, frozen=True, kw_only=True):
    """tcp: Modbus TCP.  rtu-tcp: RTU frames over TCP.  rtu: a serial port."""

    name: Annotated[str, Meta(min_length=1, max_length=32, description="1 to 32 characters")]
    kind: Annotated[
        Literal["tcp", "rtu-tcp", "rtu"], Meta(description='"tcp", "rtu-tcp" or "rtu"')
    ] = "tcp"
    host: Host | None = None
    port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 502
    device: (
        Annotated[str, Meta(min_length=1, description="a serial port, such as /dev/ttyUSB0")] | None
    ) = None
    baud: Annotated[int, Meta(ge=300, le=4_000_000, description="bits a second")] = 9600
    parity: Annotated[Literal["N", "E", "O"], Meta(description='"N", "E" or "O"')] = "N"
    stop_bits: Annotated[int, Meta(ge=1, le=2, description="1 or 2")] = 1
    gap_ms: Annotated[float, Meta(ge=0, le=10_000, description="between two requests")] = 20.0
    deadline_s: Annotated[float, Meta(ge=0.05, le=60, description="seconds, 0.05 to 60")] = 1.0


def nonsense(gateways: tuple[ModbusConfig, ...]) -> Iterator[tuple[str, str]]:
    names = [gateway.name for gateway in gateways]
    for gateway in gateways:
        if names.count(gateway.name) > 1:
            yield "modbus.name", f"two gateways are called {gateway.name}"
        if gateway.kind == "rtu" and not gateway.device:
            yield "modbus.device", f"{gateway.name} is serial and needs its port"
        if gateway.kind != "rtu" and not gateway.host:
            yield "modbus.host", f"{gateway.name} needs the address of its gateway"
