"""Rigs without IP: polled over Modbus, each admitted by a limit that ends by itself.

A rig on a line hears no broadcast.  What its ladder admits is written to it as watts and
a time to live, which is what is left of the budget's own lease: so such a rig is surely off
when any other would be.  A line carries one request at a time; falls go first, then leases
about to end, then rises, and what is left of the time is for asking how they are.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocols import registers
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.kept import Budget, Keeper, Kept
from supervisor.modbus import DeviceError, Gateways, NoAnswer, Unit

log = logging.getLogger(__name__)

IDENTITY, STATE = (0, 48), (100, 74)  # (address, words) of a read
POINTS, MORE = (200, 64), (264, 64)  # sixteen operating points each
TTL_MS_MAX = registers.find("ttl_ms").high
RENEW = 0.5  # of a lease: written again when less is left
RISE_S = 1.0  # a rig is told to rise at most so often
SMALL = 0.005  # of its top power: a rise by less waits for the renewal
ASKED, TOLD = False, True
OVERDUE = 3  # times poll_s: then asking goes before all but falls
BEAT_S = 1.0  # with nothing to do, looked at again after this


@dataclass(slots=True)
class LineRig:
    """One rig on a line: what it was last told, and when it was last asked."""

    name: str
    unit: Unit
    kept: Kept | None = None  # None until it has said what it is
    asked_s: float = -1e18
    told_w: int = 0
    told_s: float = -1e18
    until_s: float = -1e18  # the end of the lease it was given
    lease_s: float = 0.0
    lost_s: float | None = None  # since when it does not answer
    refused: dict[bool, str] = field(default_factory=dict)  # by whether it was told or asked
    faulty: bool = False

    def held_w(self, now_s: float) -> int:
        """What it may draw on what it was told."""
        return self.told_w if now_s < self.until_s else 0

    def wanted_w(self, budget: Budget | None, now_s: float) -> int:
        """What its ladder admits now; 0 is asleep."""
        if self.kept is None:
            return 0
        admitted = self.kept.admitted(budget, now_s)
        return self.kept.watts(admitted) if admitted.level else 0


Job = tuple[LineRig, int | None]  # watts to write; None: ask how it is


def next_job(
    rigs: Sequence[LineRig],
    budget: Budget | None,
    now_s: float,
    poll_s: float,
    leads: bool = True,
) -> Job | None:
    """What the line should do now; None when nothing is due.  Who does not lead only asks."""
    jobs = [job for rig in rigs if (job := _job(rig, budget, now_s, poll_s, leads))]
    return min(jobs, key=lambda job: job[0])[1] if jobs else None


def _job(
    rig: LineRig, budget: Budget | None, now_s: float, poll_s: float, leads: bool
) -> tuple[tuple[int, float], Job] | None:
    """((turn, order within it), job): the most urgent one of a rig."""
    age_s = now_s - rig.asked_s
    refusing = TOLD in rig.refused and now_s - rig.told_s < RISE_S
    if rig.kept is None or rig.lost_s is not None or refusing or not leads:
        return ((4, -age_s), (rig, None)) if age_s >= poll_s else None
    wanted_w, held_w = rig.wanted_w(budget, now_s), rig.held_w(now_s)
    if wanted_w < held_w:
        return (0, wanted_w - held_w), (rig, wanted_w)
    if age_s >= OVERDUE * poll_s:
        return (1, -age_s), (rig, None)
    if held_w and wanted_w and rig.until_s - now_s < RENEW * rig.lease_s:
        return (2, rig.until_s), (rig, wanted_w)
    small_w = SMALL * rig.kept.points[-1][0] if held_w else 0
    if wanted_w > held_w + small_w and now_s - rig.told_s >= RISE_S:
        return (3, held_w - wanted_w), (rig, wanted_w)
    return ((4, -age_s), (rig, None)) if age_s >= poll_s else None


def hello_of(words: Sequence[int], points: Sequence[int]) -> dict[str, Any]:
    """The facts of a rig, as of its hello.  Raises RegisterError."""
    values: dict[str, Any] = registers.named(IDENTITY[0], list(words))
    listed: Any = registers.named(POINTS[0], list(points)).values()
    values["points"] = [list(point) for point in listed if point != (0, 0)]
    if values.pop("map") != registers.MAP_VERSION:
        raise registers.RegisterError(registers.NO_VALUE, "map: another version of the map")
    if not values["points"]:
        raise registers.RegisterError(registers.NO_VALUE, "point_1: no operating point")
    return values


class RigLine:
    """The rigs of one line: run() for ever."""

    def __init__(
        self,
        inbox: Inbox,
        keeper: Keeper,
        rigs: Sequence[LineRig],
        *,
        poll_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rigs = rigs
        self._inbox, self._keeper, self._poll_s, self._clock = inbox, keeper, poll_s, clock
        self._wake = asyncio.Event()
        keeper.on_budget.append(self._wake.set)

    async def run(self) -> None:
        """One request after another; cancel to end."""
        while True:
            self._wake.clear()
            keeper, now_s = self._keeper, self._clock()
            job = next_job(self.rigs, keeper.budget, now_s, self._poll_s, keeper.leads())
            if job is None:
                await self._pause()
            else:
                await self._do(*job)

    async def _pause(self) -> None:
        """Until a budget is heard or somebody is due to be asked."""
        soonest_s = min((rig.asked_s for rig in self.rigs), default=0.0) + self._poll_s
        wait_s = min(BEAT_S, max(0.01, soonest_s - self._clock()))
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _do(self, rig: LineRig, watts: int | None) -> None:
        try:
            if watts is not None:
                await self._tell(rig, watts)
            else:
                rig.asked_s = self._clock()
                await self._ask(rig)
            rig.refused.pop(watts is not None, None)
            self._found(rig)
        except NoAnswer as error:
            self._lost(rig, str(error))
        except (DeviceError, registers.RegisterError) as error:
            self._refuse(rig, str(error), watts is not None)

    async def _tell(self, rig: LineRig, watts: int) -> None:
        """Write limit and lease together; the limit must read back."""
        now_s, budget = self._clock(), self._keeper.budget
        left_s = max(0.1, budget.until_s - now_s) if budget else 0.1
        rig.told_s = now_s
        # also when no answer comes: what was sent may have been taken
        most_w = max(watts, rig.held_w(now_s))
        rig.until_s, rig.told_w = max(now_s + left_s, rig.until_s), most_w
        rig.lease_s = left_s
        ttl_ms = min(TTL_MS_MAX, int(left_s * 1000))
        words = registers.limit_words(watts, ttl_ms)
        await rig.unit.write(
            registers.LIMIT_ADDRESS, words, kept=lambda read: read[:2] == words[:2]
        )
        rig.told_w, rig.until_s = watts, now_s + left_s

    async def _ask(self, rig: LineRig) -> None:
        if rig.kept is None:
            rig.kept = self._keeper.keep(await self._identify(rig))
            rig.lost_s = None
        words = await rig.unit.read("holding", *STATE)
        values: dict[str, Any] = registers.named(STATE[0], words)
        values.pop("lease_ms")
        if values["state"] == "joining":  # whom it waits for is us
            values["state"] = "asleep"
        if values["state"] == "fault" and not rig.faulty and rig.kept.joined:
            rig.kept.leave()
        rig.faulty = values["state"] == "fault"
        rig.kept.tell(self._keeper.budget, self._clock(), **values)

    async def _identify(self, rig: LineRig) -> Kept:
        words = await rig.unit.read("holding", *IDENTITY)
        points = await rig.unit.read("holding", *POINTS)
        if any(points[-4:]):
            points += await rig.unit.read("holding", *MORE)
        return Kept(rig.name, self._inbox, hello_of(words, points))

    def _found(self, rig: LineRig) -> None:
        """It answers.  After as long as a lease it may be another, and not be counted."""
        if rig.kept is None or rig.lost_s is None:
            return
        if self._clock() - rig.lost_s >= rig.lease_s:
            rig.kept, rig.asked_s = None, -1e18
            return
        rig.lost_s = None
        rig.kept.link(True)

    def _lost(self, rig: LineRig, because: str) -> None:
        if rig.lost_s is None:
            rig.lost_s = self._clock()
            if rig.kept is not None:
                rig.kept.link(False)
            self._refuse(rig, because, ASKED)

    def _refuse(self, rig: LineRig, because: str, told: bool) -> None:
        """Said once, not at every poll."""
        if because != rig.refused.get(told):
            rig.refused[told] = because
            self._inbox.refuse("rigs", f"{rig.name}: {because}")


def lines_of(config: Config, inbox: Inbox, gateways: Gateways, keeper: Keeper) -> list[RigLine]:
    """One for every group the settings name."""
    return [
        RigLine(
            inbox,
            keeper,
            [LineRig(f"{g.name}-{n}", gateways.unit(g.gateway, n)) for n in g.numbers],
            poll_s=g.poll_s,
        )
        for g in config.modbus_rigs
    ]
