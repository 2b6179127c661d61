"""Fans and pumps over Modbus: each read on its own beat and told again whenever it forgot.

What is wished and what limit follows is decided in supervisor/facility.py; the limit goes
into the inbox as one entry, `facility`, and never to a rig.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.facility import Drive, Facility, Load, Plan, Rules, Sight
from supervisor.inbox import Inbox
from supervisor.loss import Loss
from supervisor.modbus import DeviceError, Gateways, Unit
from supervisor.sections.facility import DriveKeys
from supervisor.sections.kinds import W_PER_MW
from supervisor.site import Site
from supervisor.sources.drive_map import load_drive
from supervisor.sources.registers import ReadingError, spans_of, values_of

log = logging.getLogger(__name__)

SOURCE = "facility"
AHEAD_S = 60.0  # fans are started for what will be allowed so soon
SAY_S = 10.0  # the limit is said again,
SILENT_S = 30.0  # and is 0 MW when it was not for so long


class Reader:
    """One drive: looked at, and told when what it holds is not what is wished."""

    def __init__(
        self, keys: DriveKeys, unit: Unit, clock: Callable[[], float], reassert_s: float
    ) -> None:
        self.name, self.wish = keys.name, False
        self._keys, self._unit, self._clock, self._reassert_s = keys, unit, clock, reassert_s
        self._map, self._proof = load_drive(keys.map, keys.proof)
        self._told_s = -float("inf")

    async def look(self) -> Sight:
        """Raises DeviceError and ReadingError.  at_s is before the question."""
        at_s, command = self._clock(), self._map.command.address
        (held,) = await self._unit.read("holding", command, 1)
        spans = spans_of([self._proof], 0)
        read = {span: await self._unit.read(*span) for span in spans}
        value = values_of({"proof": self._proof}, read, needed="proof")["proof"]
        running = held == self._map.command.run
        return Sight(at_s, self._moves(value) and running, running, self._why(value, running))

    def _moves(self, value: float) -> bool:
        return value >= self._keys.proof_min

    def _why(self, value: float, running: bool) -> str:
        if not running:
            return "it is not told to run"
        if self._moves(value):
            return ""
        unit = self._proof.unit
        return f"{self._keys.proof} is {value:g} {unit}, below {self._keys.proof_min:g} {unit}"

    async def tell(self, sight: Sight) -> None:
        """Start or stop it, when it does not hold that already, and now and then all the same:
        drives forget over a restart.  Raises DeviceError."""
        now_s = self._clock()
        if sight.running == self.wish and now_s - self._told_s < self._reassert_s:
            return
        command, single = self._map.command, self._map.single
        if self.wish:
            await self._set_speed()
            if self._map.edge and not sight.running:
                await self._unit.write(command.address, [command.stop], single=single)
        word = command.run if self.wish else command.stop
        await self._unit.write(command.address, [word], single=single)
        self._told_s = now_s

    async def _set_speed(self) -> None:
        reference = self._map.reference
        if reference:
            word = round(self._keys.speed_pct * reference.per_percent) & 0xFFFF
            await self._unit.write(reference.address, [word], single=self._map.single)


class Drives:
    """All of them: run() for ever.  load: what may be drawn, asked once a second."""

    def __init__(
        self,
        inbox: Inbox,
        readers: list[Reader],
        facility: Facility,
        load: Callable[[], Load | None],
        *,
        poll_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        unix: Callable[[], float] = time.time,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.plan = Plan(frozenset(), 0, "no fan or pump is proven yet")
        self._inbox, self._readers, self._facility = inbox, readers, facility
        self._load, self._poll_s = load, poll_s
        self._clock, self._unix, self._leads = clock, unix, leads
        self._wrong: dict[str, str] = {}
        self._said_s = -float("inf")
        if SOURCE not in inbox.entries:  # else a supervisor before us has said it
            self._say(self.plan)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for reader in self._readers:
                tasks.create_task(self._watch(reader), name=reader.name)
            tasks.create_task(self._decide(), name="facility")

    async def _watch(self, reader: Reader) -> None:
        """One drive, whatever becomes of the others."""
        while True:
            try:
                sight = await reader.look()
                self._facility.hear(reader.name, sight)
                if self._leads():
                    await reader.tell(sight)
                self._note(reader.name, "")
            except (DeviceError, ReadingError) as error:
                self._facility.silent(reader.name, str(error))
                self._note(reader.name, str(error))
            await asyncio.sleep(self._poll_s)

    def _note(self, name: str, wrong: str) -> None:
        """Refusals go to the ledger when they change."""
        if wrong and wrong != self._wrong.get(name):
            self._inbox.refuse(SOURCE, f"{name}: {wrong}")
        self._wrong[name] = wrong

    async def _decide(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(1.0)

    def step(self) -> None:
        """Decide, hand the wishes to the readers, say the limit when it is another."""
        load = self._load()
        if load is None:
            return
        plan = self._facility.step(self._clock(), load)
        for reader in self._readers:
            reader.wish = reader.name in plan.on
        changed = (plan.limit_w, plan.because) != (self.plan.limit_w, self.plan.because)
        self.plan = plan
        if changed or self._clock() - self._said_s >= SAY_S:
            self._say(plan)

    def unproven_s(self) -> dict[str, float]:
        """For alarms: see Facility.unproven_s."""
        return self._facility.unproven_s(self._clock())

    def _say(self, plan: Plan) -> None:
        unix_s, self._said_s = self._unix(), self._clock()
        limit_w = plan.limit_w
        schedule = () if limit_w is None else ((unix_s, limit_w),)
        self._inbox.put_signal(
            Entry(
                SOURCE,
                schedule,
                heard_s=unix_s,
                loss=Loss(after_s=SILENT_S),
                default_w=0 if schedule else None,
                because=plan.because,
                bound=True,
            )
        )


def load_of(site: Site) -> Load | None:
    """What all others allow, now or soon, and what rigs may draw now; None before it is known.

    Fans, pumps, losses and the controllers of rigs asleep need no air.
    """
    made, config = site.decision, site.config.site
    if made is None:
        return None
    base_w = config.auxiliary_w + int(site.fleet.floor_w.sum())
    others = [e for source, e in site.inbox.entries.items() if source != SOURCE]
    allowed_w = max(
        site.settled(others, site.unix_s + ahead_s).limit_w for ahead_s in (0.0, AHEAD_S)
    )
    demand_w, drawn_w = min(allowed_w, made.capacity_w), made.committed_w
    if not site.dispatcher.leases.highest_w(made.admit_w):
        drawn_w = base_w + site.held_w  # nobody is admitted: the rest is doubt alone
    if made.metered_w is not None and made.metered_w > made.committed_w:
        drawn_w = made.metered_w
    return Load(max(0, demand_w - base_w), max(0, drawn_w - base_w), base_w)


def drives_of(
    config: Config,
    inbox: Inbox,
    gateways: Gateways,
    site: Site,
    leads: Callable[[], bool] = lambda: True,
) -> Drives | None:
    """The drives the settings name.  Raises MapError."""
    if not config.drives:
        inbox.withdraw(SOURCE)  # there were some before the settings were changed
        return None
    keys, clock = config.facility, time.monotonic
    readers = [
        Reader(drive, gateways.unit(drive.gateway, drive.unit), clock, keys.reassert_s)
        for drive in config.drives
    ]
    drives = [Drive(d.name, round(d.carries_mw * W_PER_MW), d.zone) for d in config.drives]
    rules = Rules(
        steady_s=keys.steady_s,
        fresh_s=keys.fresh_s,
        shed_s=keys.shed_s,
        failed_s=keys.failed_s,
        cool_down_s=keys.cool_down_s,
        stage_s=keys.stage_s,
    )
    facility = Facility(drives, rules, clock(), taking_over=SOURCE in inbox.entries)
    return Drives(
        inbox,
        readers,
        facility,
        lambda: load_of(site),
        poll_s=keys.poll_s,
        leads=leads,
    )
