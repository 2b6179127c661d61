"""Rigs with somebody else's firmware: looked at, told, and counted by what they draw.

Every rig has its own tasks and its own deadlines, so one that hangs delays nobody.  pyasic
may swallow a cancellation, so a call that is late is left behind, not waited for.  What is
ordered, and when, is decided in supervisor/stock.py.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from protocols import ladder
from supervisor import keys
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.kept import Keeper, Kept
from supervisor.sections.stock import StockConfig
from supervisor.site import Site
from supervisor.sources.pyasic_api import Api, Look, PyasicApi, StockError
from supervisor.stock import Miner, Rules

log = logging.getLogger(__name__)
T = TypeVar("T")

BEAT_S = 1.0
RISES = 0.02  # of all such rigs are told to rise in one beat, at least one: no step of all at once


@dataclass(slots=True)
class Stock:
    """One rig: its host-side half, what is known of it, and the calls under way."""

    kept: Kept
    miner: Miner
    api: Api
    look: Look | None = None
    why: str = "not heard yet"
    asking: asyncio.Task[Look] | None = None
    ordering: asyncio.Task[None] | None = None


class StockRigs:
    """All of one group: run() for ever.

    position_w: where the position would be if the site held nothing for rigs like these.
    What it holds has pushed the position down, so that others make room for those that are
    slow to fall; they are not to fall for that themselves.
    """

    def __init__(
        self,
        inbox: Inbox,
        keeper: Keeper,
        rigs: Sequence[Stock],
        position_w: Callable[[], int],
        *,
        poll_s: float,
        deadline_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rigs = rigs
        self._inbox, self._keeper, self._position_w = inbox, keeper, position_w
        self._poll_s, self._deadline_s, self._clock = poll_s, deadline_s, clock
        for rig in rigs:
            keeper.keep(rig.kept)
            inbox.could_w[rig.kept.name] = rig.miner.could_w(clock())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, rig in enumerate(self.rigs):
                start_s = self._poll_s * number / len(self.rigs)
                tasks.create_task(self._watch(rig, start_s), name=rig.kept.name)
            tasks.create_task(self._decide(), name="stock")

    # ---- looking

    async def _watch(self, rig: Stock, start_s: float) -> None:
        await asyncio.sleep(start_s)
        while True:
            await self._see(rig)
            await asyncio.sleep(self._poll_s)

    async def _see(self, rig: Stock) -> None:
        """One look, within the deadline; a late one is left behind and not asked twice."""
        if rig.asking is None or rig.asking.done():
            rig.asking = asyncio.create_task(_guarded(rig.api.look()))
        done, _ = await asyncio.wait({rig.asking}, timeout=self._deadline_s)
        now_s = self._clock()
        if not done:
            rig.asking.cancel()
            self._unseen(rig, f"no answer within {self._deadline_s:g} s", now_s)
        elif error := rig.asking.exception():
            self._unseen(rig, str(error), now_s)
        else:
            rig.look, rig.why = rig.asking.result(), ""
            rig.miner.hear(now_s, rig.look.power_w)
            rig.kept.link(True)
        self._tell(rig, now_s)

    def _unseen(self, rig: Stock, why: str, now_s: float) -> None:
        if why != rig.why:
            self._inbox.refuse("rigs", f"{rig.kept.name}: {why}")
        rig.why = why
        if rig.miner.lost(now_s) and rig.kept.up:
            rig.kept.link(False)
            rig.kept.leave()
            rig.api.forget()

    def _tell(self, rig: Stock, now_s: float) -> None:
        """Its state, as seen, to the site; and what it must be counted with."""
        miner, look = rig.miner, rig.look
        self._inbox.could_w[rig.kept.name] = miner.could_w(now_s)
        if look is None or miner.lost(now_s):
            return
        level = miner.level_of(look.power_w)
        rig.kept.tell(
            self._keeper.budget,
            now_s,
            state=_word(miner, level),
            level=level,
            power_w=min(100_000, max(0, look.power_w)),
            hash_ghs=max(0, look.hash_ghs),
            hot_dc=max(-1000, min(3000, look.hot_dc)),
            fan_rpm=max(0, min(65_535, look.fan_rpm)),
            why=self._why(rig, now_s),
        )

    def _why(self, rig: Stock, now_s: float) -> str:
        miner = rig.miner
        told_w = miner.levels_w[miner.told or 0]
        if miner.disobeys(now_s):
            return f"does not obey: told {told_w} W, draws {miner.power_w} W; {rig.why}"
        return rig.why or ("" if miner.arrived else f"told {told_w} W, on its way")

    # ---- telling

    async def _decide(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(BEAT_S)

    def step(self) -> None:
        """Orders that are due: all falls, and a few rises."""
        if not self._keeper.leads():
            return
        now_s, rises = self._clock(), max(1, int(RISES * len(self.rigs)))
        for rig in self.rigs:
            aim, told = self._aim(rig, now_s), rig.miner.told
            if aim is None or told is None or rig.ordering is not None:
                continue
            if aim > told and rises <= 0:
                continue
            level = rig.miner.step(now_s, aim)
            if level is not None:
                rises -= level > told
                self._order(rig, level, wakes=rig.miner.level_of(rig.miner.power_w) == 0)
                self._inbox.could_w[rig.kept.name] = rig.miner.could_w(now_s)

    def _aim(self, rig: Stock, now_s: float) -> int | None:
        """The level its ladder admits; None while it has none, or no budget is in force here:
        then another supervisor may lead.
        """
        budget = self._keeper.budget
        steps = rig.kept.ladder_of(budget)
        if budget is None or steps is None or now_s >= budget.until_s:
            return None
        return int(ladder.admit(steps, self._position_w()).level)

    def _order(self, rig: Stock, level: int, wakes: bool) -> None:
        watts = rig.miner.levels_w[level] if level else None
        rig.ordering = asyncio.create_task(self._carry(rig, watts, wakes))

    async def _carry(self, rig: Stock, watts: int | None, wakes: bool) -> None:
        """One order, within the deadline; what became of it is measured, not believed."""
        call = asyncio.create_task(_guarded(rig.api.order(watts, wakes)))
        done, _ = await asyncio.wait({call}, timeout=self._deadline_s)
        if not done:
            call.cancel()
            rig.why = f"an order was not answered within {self._deadline_s:g} s"
        elif error := call.exception():
            rig.why = str(error)
            self._inbox.refuse("rigs", f"{rig.kept.name}: {error}")
        rig.ordering = None


async def _guarded(call: Awaitable[T]) -> T:
    """pyasic raises whatever its parsers do: all of it is a rig that gave no answer."""
    try:
        return await call
    except StockError:
        raise
    except Exception as error:
        raise StockError(f"{type(error).__name__}: {error}") from None


def _word(miner: Miner, level: int) -> str:
    """One of the contract's states."""
    if not level:
        return "waking" if miner.told else "asleep"
    return "running"


def rigs_of(
    config: Config, inbox: Inbox, keeper: Keeper, site: Site, clock: Callable[[], float]
) -> list[StockRigs]:
    """The groups the settings name.  Raises SecretError."""
    return [_group(group, inbox, keeper, site, clock) for group in config.stock]


def _group(
    group: StockConfig,
    inbox: Inbox,
    keeper: Keeper,
    site: Site,
    clock: Callable[[], float],
) -> StockRigs:
    password = keys.password(Path(group.password_file)) if group.password_file else None
    rigs = [
        stock_rig(f"{group.name}-{number:04}", group, inbox, clock(), api)
        for number, api in enumerate(
            PyasicApi(address, group.floor_w, group.points, password)
            for address in group.all_addresses()
        )
    ]
    return StockRigs(
        inbox,
        keeper,
        rigs,
        lambda: site.dispatcher.free_w,
        poll_s=group.poll_s,
        deadline_s=group.deadline_s,
        clock=clock,
    )


def stock_rig(name: str, group: StockConfig, inbox: Inbox, now_s: float, api: Api) -> Stock:
    """One rig of a group, as the settings describe it."""
    hello = {
        "model": group.model,
        "firmware": "stock",
        "boards": 0,
        "chips": 0,
        "floor_w": group.floor_w,
        "points": [list(point) for point in group.points],
        "wake_ms": min(600_000, int(group.wake_s * 1000)),
        "up_w_per_s": group.up_w_per_s,
    }
    rules = Rules(
        fall_s=group.fall_s,
        rise_s=group.rise_s,
        dwell_s=group.dwell_s,
        obey_s=group.obey_s,
        silent_s=group.silent_s,
    )
    levels_w = [group.floor_w, *(watts for watts, _ in group.points)]
    return Stock(Kept(name, inbox, hello), Miner(levels_w, rules, now_s), api)
