"""People's wishes for single rigs, against what the rigs are."""

import numpy as np

from supervisor import preview
from supervisor.holds import Hold
from supervisor.merit import Ints
from supervisor.site import Site
from supervisor.table import Table
from supervisor.view import HoldOrder, HoldsResult, HoldView, PreviewView

UNKNOWN = "no rig is called so"


class Holding:
    def __init__(self, site: Site) -> None:
        self._site = site

    def views(self) -> list[HoldView]:
        return [
            HoldView(
                rig=rig,
                level=hold.level,
                until_s=hold.until_s,
                by=hold.by,
                why=hold.why,
                maintenance=hold.maintenance,
            )
            for rig, hold in sorted(self._site.holds.by_rig.items())
        ]

    def hold(self, order: HoldOrder) -> HoldsResult:
        """Each rig by itself: one that is unknown costs only itself."""
        site, result = self._site, {}
        for rig in order.rigs:
            row = site.fleet.row_of.get(rig)
            if row is None:
                result[rig] = UNKNOWN
                continue
            hold = Hold(
                level=int(self._levels(order, np.array([row]))[0]),
                until_s=site.unix_s + order.for_s,
                by=order.by,
                why=order.why,
                maintenance=order.maintenance,
            )
            site.holds.put(rig, hold)
            result[rig] = "held"
        site.inbox.wake.set()
        return HoldsResult(rigs=result)

    def release(self, rigs: list[str], by: str) -> HoldsResult:
        known, holds = self._site.fleet.row_of, self._site.holds
        result = {
            rig: "released"
            if holds.release(rig, by)
            else ("is not held" if rig in known else UNKNOWN)
            for rig in rigs
        }
        self._site.inbox.wake.set()
        return HoldsResult(rigs=result)

    def preview(self, order: HoldOrder, table: Table) -> PreviewView:
        known = [self._site.fleet.row_of[r] for r in order.rigs if r in self._site.fleet.row_of]
        rows = np.array(known, dtype=np.int64)
        return preview.of_holds(self._site, table, rows, self._levels(order, rows))

    def _levels(self, order: HoldOrder, rows: Ints) -> Ints:
        """The level of each: as ordered, or the highest that draws no more than ordered."""
        fleet = self._site.fleet
        if order.maintenance:
            return np.zeros(len(rows), dtype=np.int64)
        if order.watts is None:
            return np.minimum(order.level or 0, fleet.top_level[rows])
        fits = fleet.points.watts[rows] <= order.watts
        fits &= np.arange(fits.shape[1]) <= fleet.top_level[rows][:, None]
        levels: Ints = np.maximum(0, fits.sum(axis=1) - 1)
        return levels
