"""One rig by pyasic, the extra `stock`: found, looked at, put to sleep, woken, limited."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EXTRAS = 12  # looks from one to the next at its fans and its air


class StockError(Exception):
    """Nothing came of it; the text says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a rig says it draws and does."""

    power_w: int
    hash_ghs: int
    hot_dc: int = 0
    fan_rpm: int = 0


class Api(Protocol):
    """One rig as a driver sees it.  look and order raise StockError."""

    async def look(self) -> Look: ...
    async def order(self, watts: int | None, wakes: bool) -> None: ...
    def forget(self) -> None: ...


class PyasicApi:
    """A rig by pyasic, found at the first call."""

    def __init__(
        self, address: str, floor_w: int, points: Sequence[Sequence[int]], password: str | None
    ) -> None:
        self._address, self._floor_w, self._points = address, floor_w, points
        self._password = password
        self._miner: Any = None
        self._looks, self._extras = 0, (0, 0)

    async def _found(self) -> Any:
        if self._miner is None:
            miner = await _pyasic().get_miner(self._address)
            if miner is None:
                raise StockError("nobody there that pyasic knows")
            for part in (miner.rpc, miner.web):
                if part is not None and self._password is not None:
                    part.pwd = self._password
            self._refuse_unable(miner)
            self._miner = miner
        return self._miner

    def _refuse_unable(self, miner: Any) -> None:
        from pyasic.miners.base import MinerProtocol

        limits = type(miner).set_power_limit is not MinerProtocol.set_power_limit
        sleeps = type(miner).stop_mining is not MinerProtocol.stop_mining
        if not sleeps:
            raise StockError(f"a {miner.model} cannot be put to sleep by pyasic")
        if len(self._points) > 1 and not limits:
            raise StockError(f"a {miner.model} has no power limit; leave one of its points")

    async def look(self) -> Look:
        miner = await self._found()
        watts, rate = await miner.get_wattage(), await miner.get_hashrate()
        ghs = None if rate is None else int(float(rate.into(rate.unit.GH)))
        power_w = self._inferred_w(ghs) if watts is None else int(watts)
        if self._looks % EXTRAS == 0:
            await self._look_closer(miner)
        self._looks += 1
        return Look(power_w, ghs or 0, *self._extras)

    async def _look_closer(self, miner: Any) -> None:
        """What changes slowly, and costs a call more each."""
        fans = [fan.speed for fan in await miner.get_fans() if fan.speed is not None]
        temperature = await miner.get_env_temp() or 0
        self._extras = (int(temperature * 10), min(fans, default=0))

    def _inferred_w(self, ghs: int | None) -> int:
        """Of one that does not say its power: all or nothing, by whether it says it hashes.

        pyasic's is_mining() is not asked: it says no when nobody answers.
        """
        if ghs is None:
            raise StockError("it says neither power nor hash rate")
        return int(self._points[-1][0]) if ghs else self._floor_w

    async def order(self, watts: int | None, wakes: bool) -> None:
        """watts: None for sleep.  wakes: it was asleep.  Its word is not trusted either way, but
        a refusal is passed on."""
        miner = await self._found()
        if watts is None:
            taken = await miner.stop_mining()
        else:
            taken = await miner.resume_mining() if wakes else True
            if len(self._points) > 1:
                taken = await miner.set_power_limit(watts) and taken
        if not taken:
            raise StockError("it refuses the order; look at its password and whether it is open")

    def forget(self) -> None:
        """Look for it anew: another rig may stand there now."""
        self._miner = None


def _pyasic() -> Any:
    """The library, without the log handler it puts over everybody's log."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import pyasic

    if root.handlers != handlers:
        root.handlers[:], root.level = handlers, level
    return pyasic
