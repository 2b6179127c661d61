"""The past as people ask for it: telemetry of a rig or of the site, and why it was so."""

import asyncio
import math
from typing import Any, Protocol

import numpy as np

from supervisor import why
from supervisor.archive import Archive
from supervisor.line import Line
from supervisor.site import Site
from supervisor.view import HistoryView, WhyView

LADDERS_S = 5.0  # ladders that change all the time are kept so often
POINTS_MAX = 5000  # rows of an answer; what is longer is thinned
BEATS = 3  # telemetry periods: a sample further back says nothing of then


class Telemetry(Protocol):
    """Where samples are kept.  Reads files, so it is asked in a thread."""

    def rig(self, name: str, from_s: float, to_s: float, rolled: bool = False) -> Any: ...
    def site(self, from_s: float, to_s: float) -> Any: ...


class Past:
    """telemetry: None where nobody keeps any."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.telemetry: Telemetry | None = None
        self._archive = Archive(site.ledger.path.with_name("archive.db"))
        self._line: Line | None = None
        self._line_s = -1e18

    def look(self, now_s: float) -> None:
        """Keep ladders that are new."""
        line = self._site.dispatcher.line
        if line is self._line or now_s - self._line_s < LADDERS_S:
            return
        self._line, self._line_s = line, now_s
        kept = self._site.ledger.ladders()
        if kept is not None:
            self._archive.put(*kept)

    async def why(self, rig: str, at_s: float) -> WhyView | None:
        """rig: "" is the site.  None when nobody has ever heard of the rig."""
        ledger = self._site.ledger
        if not rig:
            return WhyView(rig="", lines=why.of_site_then(ledger, at_s))
        lines = why.then(ledger, self._archive, rig, at_s, await self._sample(rig, at_s))
        known = lines is not None or rig in self._site.fleet.row_of
        return WhyView(rig=rig, lines=lines or [why.NOTHING]) if known else None

    async def _sample(self, rig: str, at_s: float) -> dict[str, float] | None:
        """What the rig last said by then."""
        if self.telemetry is None:
            return None
        from_s = at_s - BEATS * self._site.config.site.telemetry_s
        columns = await asyncio.to_thread(self.telemetry.rig, rig, from_s, at_s + 1e-3)
        if not columns or not len(columns["at_s"]):
            return None
        return {name: float(column[-1]) for name, column in columns.items() if name != "rig"}

    async def rig(self, rig: str, from_s: float, to_s: float, rolled: bool) -> HistoryView:
        if self.telemetry is None:
            return HistoryView(columns={})
        return view(await asyncio.to_thread(self.telemetry.rig, rig, from_s, to_s, rolled))

    async def site(self, from_s: float, to_s: float) -> HistoryView:
        if self.telemetry is None:
            return HistoryView(columns={})
        return view(await asyncio.to_thread(self.telemetry.site, from_s, to_s))


def view(columns: dict[str, Any]) -> HistoryView:
    """Plain numbers, evenly thinned when there are too many; what was not read is null."""
    rows = len(next(iter(columns.values()), ()))
    every = max(1, math.ceil(rows / POINTS_MAX))
    return HistoryView(
        columns={
            name: [None if math.isnan(value) else value for value in _floats(column[::every])]
            for name, column in columns.items()
            if name != "rig"
        }
    )


def _floats(column: Any) -> list[float]:
    return [float(value) for value in np.asarray(column, dtype=float).tolist()]
