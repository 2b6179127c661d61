"""Meters over Modbus: each asked on its own beat, and written to the inbox when it makes sense.

A reading is written only when it came whole, in time, and is possible.  Anything else
writes nothing, so that the last reading ages, and an old reading counts against us
everywhere else.  What is wrong is said once, when it begins and when it changes.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from supervisor.config import Config
from supervisor.inbox import Inbox, Reading
from supervisor.modbus import DeviceError, Gateways, Refused, Unit
from supervisor.sections.meter import FREQUENCY, SITE, SUNSPEC
from supervisor.sources import sunspec
from supervisor.sources.registers import Map, ReadingError, load_map

log = logging.getLogger(__name__)

SOURCE = "meter"
POSSIBLE = 1.5  # times the site's limit; beyond it the meter is wrong, not the site
FROZEN_S = 15.0  # the same power and no energy for so long, though power was drawn


@dataclass(slots=True)
class Counters:
    polls: int = 0
    readings: int = 0
    refused: int = 0


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


def meters_of(config: Config, inbox: Inbox, gateways: Gateways) -> list["Meter"]:
    """The meters the settings name.  Raises MapError."""
    names = {keys.name for keys in config.all_meters}
    return [
        Meter(
            inbox,
            None if keys.map == SUNSPEC else load_map(keys.map),
            gateways.unit(keys.gateway, keys.unit),
            name=keys.name,
            limit_w=config.site.limit_w,
            sign=-1 if keys.flipped else 1,
            frequency=keys.name == (FREQUENCY if FREQUENCY in names else SITE),
            poll_s=keys.poll_s,
        )
        for keys in config.all_meters
    ]


class Meter:
    """Polls for ever: run().  values: the last sight believed, for screens.

    registers: None for a SunSpec meter, whose map is found in it.  frequency: whether the
    grid's is taken from it.
    """

    def __init__(
        self,
        inbox: Inbox,
        registers: Map | None,
        unit: Unit,
        *,
        limit_w: int,
        name: str = SITE,
        sign: int = 1,
        frequency: bool = True,
        poll_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.counters = Counters()
        self.values: dict[str, float] = {}
        self.because = "not asked yet"  # why there is no reading; "" while there is
        self._inbox, self._unit, self._sign = inbox, unit, sign
        self._map, self._found, self._frequency = registers, registers is None, frequency
        self._limit_w, self._poll_s, self._clock = limit_w, poll_s, clock
        self._judge = self._new_judge()

    async def run(self) -> None:
        """One poll a beat; a late one skips beats.  Cancel to end."""
        due = self._clock()
        while True:
            await self.poll()
            due = max(due + self._poll_s, self._clock())
            await asyncio.sleep(due - self._clock())

    async def poll(self) -> None:
        """Asks once; writes a reading, or says why there is none."""
        self.counters.polls += 1
        try:
            sight = await self._look()
            because = self._judge.fault(sight)
        except (DeviceError, ReadingError) as error:
            because = str(error)
        if not because and not self._judge.still:
            self.counters.readings += 1
            self.values = sight.values
            self._put(sight)
        self._say(because)

    async def _look(self) -> Sight:
        """All registers of the map.  at_s is before the question: never too young."""
        if self._map is None:
            self._map = await sunspec.scan(self._unit)
            self._judge = self._new_judge()
        at_s = self._clock()
        try:
            read = {span: await self._unit.read(*span) for span in self._map.spans()}
        except Refused:
            self._map = None if self._found else self._map  # another device may stand there now
            raise
        values = self._map.values(read)
        values["power"] *= self._sign
        return Sight(at_s, values)

    def _put(self, sight: Sight) -> None:
        values = sight.values
        if self._frequency and "frequency" in values:
            self._inbox.put_frequency(values["frequency"], sight.at_s)
        if self.name != FREQUENCY:
            energy_wh, exported_wh = values.get("energy"), values.get("exported")
            self._inbox.put_reading(
                Reading(self.name, round(sight.w), sight.at_s, energy_wh, exported_wh)
            )

    def _new_judge(self) -> Judge:
        energy = self._map.energy if self._map else None
        return Judge(self._limit_w, abs(energy.scale) if energy else 0.0)

    def _say(self, because: str) -> None:
        """Refusals go to the ledger when they change, not every second."""
        self.counters.refused += bool(because)
        if because == self.because:
            return
        source = SOURCE if self.name == SITE else f"{SOURCE} {self.name}"
        if because:
            self._inbox.refuse(source, because)
        elif self.counters.refused:
            log.info("the %s reads again", source)
        self.because = because
