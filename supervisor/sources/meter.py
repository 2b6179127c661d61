"""The site meter over Modbus TCP: asked once a second, written to the inbox when it makes sense.

A reading is written only when it came whole, in time, and is possible.  Anything else
writes nothing, so that the last reading ages, and an old reading counts against us
everywhere else.  What is wrong is said once, when it begins and when it changes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.sources.registers import Map, ReadingError, Register, decode, load_map

log = logging.getLogger(__name__)
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # said here, and once

SOURCE = "meter"
DEADLINE_S = 1.0  # of one poll; a meter that needs longer is not one to steer by
POSSIBLE = 1.5  # times the site's limit; beyond it the meter is wrong, not the site
FROZEN_S = 15.0  # the same power and no energy for so long, though power was drawn


@dataclass(slots=True)
class Counters:
    polls: int = 0
    readings: int = 0
    refused: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """One poll: values by register name, in the unit of the map.  at_s: monotonic."""

    at_s: float
    values: dict[str, float]

    @property
    def w(self) -> float:
        return self.values["power"]


class Judge:
    """Whether a sight can be believed.  Pure: time comes with the sights.

    still: the last one only repeats one before it, though watts flowed in between; it is
    no news and, for a while, no fault: some meters renew their registers slowly.
    """

    def __init__(self, limit_w: int, energy_step_wh: float) -> None:
        self._most_w, self._step_wh = limit_w * POSSIBLE, energy_step_wh
        self.still = False
        self._moved: Sight | None = None  # the last one that differed from the one before

    def fault(self, sight: Sight) -> str:
        """Why not, as a sentence; "" when it can be."""
        if not abs(sight.w) <= self._most_w:
            return f"power reads beyond {self._most_w / 1e6:g} MW, more than the site can carry"
        self.still = False
        moved, self._moved = self._moved, self._moved or sight
        if moved is None or self._moves(moved, sight):
            self._moved = sight
            return ""
        still_s = sight.at_s - moved.at_s
        drawn_wh = abs(sight.w) * still_s / 3600
        self.still = drawn_wh > 2 * self._step_wh
        if self.still and still_s >= FROZEN_S:
            return f"it is frozen: power and energy have not moved for over {FROZEN_S:.0f} s"
        return ""

    def _moves(self, before: Sight, now: Sight) -> bool:
        """Without an energy register nothing tells a steady site from a frozen meter."""
        names = ("power", "energy")
        return "energy" not in now.values or any(
            before.values.get(name) != now.values[name] for name in names
        )


def meter_of(config: Config, inbox: Inbox) -> "Meter | None":
    """The meter the settings name.  Raises MapError."""
    keys = config.meter
    if keys is None:
        return None
    return Meter(
        inbox,
        load_map(keys.map),
        keys.host,
        keys.port,
        limit_w=config.site.limit_w,
        unit=keys.unit,
        poll_s=keys.poll_s,
    )


class Meter:
    """Polls for ever: run().  values: the last sight believed, for screens."""

    def __init__(
        self,
        inbox: Inbox,
        registers: Map,
        host: str,
        port: int,
        *,
        limit_w: int,
        unit: int = 1,
        poll_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = Counters()
        self.values: dict[str, float] = {}
        self.because = "not asked yet"  # why there is no reading; "" while there is
        self._inbox, self._map, self._unit = inbox, registers, unit
        self._host, self._port, self._poll_s, self._clock = host, port, poll_s, clock
        energy = registers.energy
        self._judge = Judge(limit_w, abs(energy.scale) if energy else 0.0)
        self._client: AsyncModbusTcpClient | None = None

    async def run(self) -> None:
        """One poll a beat; a late one skips beats.  Cancel to end."""
        try:
            due = self._clock()
            while True:
                await self.poll()
                due = max(due + self._poll_s, self._clock())
                await asyncio.sleep(due - self._clock())
        finally:
            self._drop()

    async def poll(self) -> None:
        """Asks once; writes a reading, or says why there is none."""
        self.counters.polls += 1
        try:
            async with asyncio.timeout(DEADLINE_S):
                sight = await self._look()
            because = self._judge.fault(sight)
        except TimeoutError:
            self._drop()  # a late answer must not be taken for the next one's
            because = f"no answer from {self._host}:{self._port} within {DEADLINE_S:g} s"
        except (OSError, ModbusException) as error:
            self._drop()
            because = f"no answer from {self._host}:{self._port}: {error}"
        except ReadingError as error:
            because = str(error)
        if not because and not self._judge.still:
            self.counters.readings += 1
            self.values = sight.values
            self._inbox.put_meter(round(sight.w), sight.at_s)
        self._say(because)

    async def _look(self) -> Sight:
        """All registers of the map, power first.  at_s is before the question: never too young."""
        client = await self._connected()
        at_s = self._clock()
        values = {}
        for name, register in self._map.registers():
            values[name] = decode(name, register, await self._ask(client, name, register))
        return Sight(at_s, values)

    async def _ask(
        self, client: AsyncModbusTcpClient, name: str, register: Register
    ) -> Sequence[int]:
        read = (
            client.read_holding_registers
            if register.kind == "holding"
            else client.read_input_registers
        )
        answer = await read(register.address, count=register.words, device_id=self._unit)
        if answer.isError():
            code = getattr(answer, "exception_code", "?")
            raise ReadingError(
                f"register {name} at {register.address}: the meter refuses it, Modbus exception"
                f" {code}; look at the register map"
            )
        words: Sequence[int] = answer.registers
        return words

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            self._drop()
            self._client = AsyncModbusTcpClient(
                self._host, port=self._port, timeout=DEADLINE_S, retries=0, reconnect_delay=0
            )
            if not await self._client.connect():
                raise ConnectionError("cannot connect")
            self.counters.connections += 1
        return self._client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _say(self, because: str) -> None:
        """Refusals go to the ledger when they change, not every second."""
        self.counters.refused += bool(because)
        if because == self.because:
            return
        if because:
            self._inbox.refuse(SOURCE, because)
        elif self.counters.refused:
            log.info("the meter reads again")
        self.because = because
