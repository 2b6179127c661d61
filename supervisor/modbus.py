"""Modbus to what stands on the site: a gateway is one connection, shared by its units.

One request at a time and a gap between any two, because slow gateways choke on more.  A
unit that does not answer is dormant: a question to it fails at once, but for a probe after
2 s, then ever more rarely and at last once a minute, for ever.  So a hung device delays its
neighbours by a small share of the bus and itself by all of it.  What is written is read back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pymodbus.exceptions import ModbusException

from supervisor.sections.modbus import ModbusConfig
from supervisor.wire import Client, Line, client_of

Kind = Literal["holding", "input"]

DEADLINE_S = 1.0  # of one request; a device that needs longer is not one to steer by
DORMANT_S = (2.0, 60.0)  # the first pause of a unit that does not answer, and the longest
SHARE = 4  # after a probe in vain, so many deadlines of the bus are for those that answer
MOMENT_S = 1e-5
NOBODY = (10, 11)  # exception codes of a gateway whose unit does not answer
AGAIN_S = (0.5, 10.0)  # the first pause after a connection failed, and the longest


class DeviceError(Exception):
    """Nothing was read or written; the text says where and why."""


class NoAnswer(DeviceError):
    """The device or its gateway is silent, or dormant since it was."""


class Refused(DeviceError):
    """The device answers with a Modbus exception; it lives, and wants another question."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class NotTaken(DeviceError):
    """What was written does not read back."""


@dataclass(slots=True)
class Counters:
    connections: int = 0
    requests: int = 0
    unanswered: int = 0


class Gateway:
    """One connection.  gap_s: silence between an answer and the next question."""

    def __init__(
        self,
        line: Line,
        *,
        gap_s: float = 0.0,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
        connect: Callable[[Line], Client] = client_of,
    ) -> None:
        self.line, self.deadline_s = line, deadline_s
        self.counters = Counters()
        self.clock = clock
        self._gap_s, self._make = gap_s, connect
        self._turn = asyncio.Lock()
        self._units: dict[int, Unit] = {}
        self._client: Client | None = None
        self._quiet_s = 0.0  # no question before this
        self._closed_s, self._failures = 0.0, 0
        self.probe_s = 0.0  # no probe of a dormant unit before this

    def unit(self, number: int) -> "Unit":
        """The device with this address behind the gateway."""
        if number not in self._units:
            self._units[number] = Unit(self, number)
        return self._units[number]

    @property
    def lonely(self) -> bool:
        return len(self._units) == 1

    def wake(self) -> None:
        """Somebody who was dormant has answered: perhaps all are back."""
        self.probe_s = 0.0
        for unit in self._units.values():
            unit.due_s = 0.0

    async def ask(self, question: Callable[[Client], Awaitable[Any]]) -> Any:
        """The answer to one request.  Raises NoAnswer when there is no connection to be had;
        TimeoutError, OSError or ModbusException when there is and no answer came."""
        async with self._turn:
            with _heeding_cancel():
                return await self._ask(question)

    async def _ask(self, question: Callable[[Client], Awaitable[Any]]) -> Any:
        client = await self._connected()
        if (wait_s := self._quiet_s - self.clock()) > MOMENT_S:
            await asyncio.sleep(wait_s)
        self.counters.requests += 1
        try:
            async with asyncio.timeout(self.deadline_s):
                return await question(client)
        except BaseException:
            self.close()  # a late answer must not be taken for the next one's
            raise
        finally:
            self._quiet_s = self.clock() + self._gap_s

    async def _connected(self) -> Client:
        if self._client is not None and self._client.connected:
            return self._client
        self.close()
        if self.clock() < self._closed_s:
            raise NoAnswer(f"{self.line}: cannot connect")
        client = self._make(self.line)
        try:
            async with asyncio.timeout(self.deadline_s):
                there = await client.connect()
        except (TimeoutError, OSError, ModbusException):
            there = False
        if not there:
            client.close()
            first_s, most_s = AGAIN_S
            if self.lonely:
                most_s = 4 * first_s  # a meter of its own is looked for without pause
            self._closed_s = self.clock() + min(most_s, first_s * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            raise NoAnswer(f"{self.line}: cannot connect")
        self._failures, self._client = 0, client
        self.counters.connections += 1
        return client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


@contextmanager
def _heeding_cancel() -> Iterator[None]:
    """pymodbus, and wait_for of Python 3.11 below it, take a cancellation that comes with an
    answer, or while they connect, for a failure; the task that was to end would run for ever."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


class Unit:
    """One device behind a gateway.  Every method raises DeviceError and nothing else."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        self.gateway, self.number = gateway, number
        self.dormant = False
        self.due_s = 0.0
        self._pauses = 0

    def __str__(self) -> str:
        return f"{self.gateway.line} unit {self.number}"

    async def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """So many words, holding or input registers."""

        def question(client: Client) -> Awaitable[Any]:
            ask = client.read_holding_registers
            if kind == "input":
                ask = client.read_input_registers
            return ask(address, count=count, device_id=self.number)

        answer = await self._ask(question, f"register {address}")
        return list(answer.registers)

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        single: bool = False,
        kept: Callable[[list[int]], bool] | None = None,
    ) -> None:
        """Holding registers, written in one request and read back.

        single: by function 6, for devices that know no other.  kept: what is right to read
        back, where that is not the words themselves.
        """

        def question(client: Client) -> Awaitable[Any]:
            if single:
                return client.write_register(address, words[0], device_id=self.number)
            return client.write_registers(address, list(words), device_id=self.number)

        assert not single or len(words) == 1
        await self._ask(question, f"a write of register {address}")
        read = await self.read("holding", address, len(words))
        if not (kept(read) if kept else read == list(words)):
            raise NotTaken(f"{self}: register {address}: {list(words)} written, reads {read}")

    async def _ask(self, question: Callable[[Client], Awaitable[Any]], what: str) -> Any:
        probing, gateway = self._may_ask(), self.gateway
        try:
            answer = await gateway.ask(question)
        except TimeoutError:
            self._fell_silent(probing)
            wrong = f"no answer within {gateway.deadline_s:g} s"
            raise NoAnswer(f"{self}: {what}: {wrong}") from None
        except (OSError, ModbusException) as error:
            self._fell_silent(probing)
            raise NoAnswer(f"{self}: {what}: no answer: {error}") from None
        code = int(getattr(answer, "exception_code", 0)) if answer.isError() else 0
        if code in NOBODY:
            self._fell_silent(probing)
            raise NoAnswer(f"{self}: {what}: the gateway has no answer from it")
        if self.dormant:
            self.dormant, self._pauses = False, 0
            gateway.wake()
        if answer.isError():
            raise Refused(f"{self}: {what}: the device refuses, Modbus exception {code}", code)
        return answer

    def _may_ask(self) -> bool:
        """Whether this is a probe.  Raises NoAnswer when the unit is dormant and not due."""
        now_s, gateway = self.gateway.clock(), self.gateway
        if self.dormant and now_s < max(self.due_s, gateway.probe_s):
            raise NoAnswer(f"{self}: dormant: it does not answer")
        if self.dormant:  # one probe at a time
            gateway.probe_s = now_s + (1 + SHARE) * gateway.deadline_s
        return self.dormant

    def _fell_silent(self, probing: bool) -> None:
        gateway = self.gateway
        gateway.counters.unanswered += 1
        first_s, most_s = DORMANT_S
        if gateway.lonely:
            most_s = first_s  # nobody is delayed by it
        self.due_s = gateway.clock() + min(most_s, first_s * 2**self._pauses)
        self._pauses = min(self._pauses + 1, 10)
        self.dormant = True
        if probing:
            gateway.probe_s = gateway.clock() + SHARE * gateway.deadline_s


class Gateways:
    """All gateways by name, so that everybody shares one connection to each."""

    def __init__(self, lines: Mapping[str, Gateway]) -> None:
        self._gateways = dict(lines)

    def __getitem__(self, name: str) -> Gateway:
        return self._gateways[name]

    def unit(self, gateway: str, number: int) -> Unit:
        return self._gateways[gateway].unit(number)

    async def run(self) -> None:
        """Keeps the connections until it is cancelled, and then closes them."""
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def close(self) -> None:
        for gateway in self._gateways.values():
            gateway.close()


def gateways_of(configs: Iterable[ModbusConfig]) -> Gateways:
    """The gateways the settings name."""
    return Gateways(
        {
            keys.name: Gateway(
                Line(
                    keys.kind,
                    keys.host or "",
                    keys.port,
                    keys.device or "",
                    keys.baud,
                    keys.parity,
                    keys.stop_bits,
                ),
                gap_s=keys.gap_ms / 1000,
                deadline_s=keys.deadline_s,
            )
            for keys in configs
        }
    )
