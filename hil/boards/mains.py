"""The plug of a board on the desk: a Modbus relay, or a person who is asked.

modbus:HOST[:PORT]/COIL[@UNIT]        a relay behind Modbus TCP
modbus:/dev/ttyUSB1[:BAUD]/COIL[@UNIT]   one on RS-485
ask                                   a person at this terminal
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from hil.boards.serial_board import BoardError

FORM = "ask, modbus:HOST[:PORT]/COIL[@UNIT] or modbus:/dev/NAME[:BAUD]/COIL[@UNIT]"
_RELAY = re.compile(
    r"modbus:(?P<where>/[^:@]+|[^/:@]+)(:(?P<number>\d+))?/(?P<coil>\d+)(@(?P<unit>\d+))?"
)


class Mains(Protocol):
    def switch(self, on: bool) -> None:
        """Returns when it is so.  Raises BoardError."""


class Person:
    """Whoever sits at the bench; the cheapest relay there is."""

    def __init__(self, answer: Callable[[str], str] = input) -> None:
        self._answer = answer

    def switch(self, on: bool) -> None:
        word = "Plug the board in" if on else "Pull the board's plug"
        try:
            self._answer(f"\n{word}, then press Enter: ")
        except (EOFError, OSError):
            raise BoardError(
                "nobody at the terminal to pull the plug; run pytest with -s"
            ) from None


class Relay:
    """One coil; the relay's own answer is read back."""

    def __init__(self, client: Any, coil: int, unit: int, name: str) -> None:
        self._client, self._coil, self._unit, self._name = client, coil, unit, name

    def switch(self, on: bool) -> None:
        from pymodbus.exceptions import ModbusException

        try:
            if not self._client.connect():
                raise BoardError(f"{self._name}: no connection")
            said = self._client.write_coil(self._coil, on, device_id=self._unit)
            now = (
                said
                if said.isError()
                else self._client.read_coils(self._coil, count=1, device_id=self._unit)
            )
            if now.isError() or bool(now.bits[0]) != on:
                raise BoardError(f"{self._name}: the relay did not switch: {now}")
        except ModbusException as error:
            raise BoardError(f"{self._name}: {error}") from None
        finally:
            self._client.close()


def of(text: str) -> Mains:
    """What this names.  Raises ValueError."""
    if text == "ask":
        return Person()
    match = _RELAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no plug: {FORM}")
    where, number = match["where"], match["number"]
    return Relay(_client(where, number), int(match["coil"]), int(match["unit"] or 1), text)


def _client(where: str, number: str | None) -> Any:
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient

    if where.startswith("/"):
        return ModbusSerialClient(where, baudrate=int(number or 9600), timeout=1, retries=1)
    return ModbusTcpClient(where, port=int(number or 502), timeout=2, retries=1)
