"""The rigs as rows of a table: states, sickness, filters and order on whole columns.

Only the rows somebody looks at become values of their own, so that a page out of 28,571
rigs costs a few milliseconds.
"""

from typing import Any

import numpy as np

from supervisor import filters
from supervisor.filters import Number, Word
from supervisor.fleet import FAULT, STATES
from supervisor.live import Page, Wish
from supervisor.merit import Bools, Ints
from supervisor.places import Where, by_name
from supervisor.site import Site
from supervisor.view import PlaceView, RigView

SILENT_BEATS = 3  # telemetry periods without a word
SHOWN = (*STATES, "silent", "down")  # a state as people see it
SILENT, DOWN = len(STATES), len(STATES) + 1
AGE_MAX_S = 1e9


class Table:
    """The rigs at one instant.  Made anew for every look."""

    def __init__(self, site: Site, now_s: float) -> None:
        self._site, self._now_s = site, now_s
        fleet = self.fleet = site.fleet
        silent_s = SILENT_BEATS * site.config.site.telemetry_s
        self.age_s = np.minimum(AGE_MAX_S, now_s - fleet.heard_s)
        self.down = np.isfinite(fleet.down_s)
        self.silent = (self.age_s > silent_s) & ~self.down
        self.state = np.where(self.silent, SILENT, fleet.state)
        self.state[self.down] = DOWN
        self.admitted_w = fleet.floor_w + site.dispatcher.admitted_by_rig().astype(np.int64)
        for row, level in site.holds.levels():
            most_w = fleet.points.watts[row, min(level, int(fleet.top_level[row]))]
            self.admitted_w[row] = min(self.admitted_w[row], most_w)
        self.sickness = self._sickness()

    def place(self, row: int) -> str:
        """Where a rig stands; "" when nobody said."""
        name = self.fleet.names[row]
        return self._site.roster.place(name) or by_name(name)

    def places(self) -> list[str]:
        return [self.place(row) for row in range(len(self.fleet))]

    def _sickness(self) -> Ints:
        """0 well; higher is sicker: faults, cut off, silent, capped, then hot."""
        fleet, unheard = self.fleet, self.age_s > SILENT_BEATS * self._site.config.site.telemetry_s
        score = 100 * (fleet.cap_level < fleet.top_level) + 300 * unheard + 400 * self.down
        score = score + 500 * (fleet.state == FAULT) + 50 * ~fleet.counted
        return np.asarray(score, dtype=np.int64)

    def by_state(self) -> dict[str, int]:
        """How many rigs are in each state, those that cannot be heard apart."""
        counts = np.bincount(self.state, minlength=len(SHOWN)).tolist()
        return dict(zip(SHOWN, counts, strict=True))

    def by_place(self, where: Where) -> list[PlaceView]:
        """What goes on in each place; the last is of no place."""
        names = [*where.names, ""]
        of = np.where(where.of < 0, len(where.names), where.of)
        counts = np.zeros((len(names), len(SHOWN)), dtype=np.int64)
        np.add.at(counts, (of, self.state), 1)
        hot_dc = np.zeros(len(names), dtype=np.int64)
        np.maximum.at(hot_dc, of, self.fleet.hot_dc)

        def sums(column: Any) -> list[int]:
            total = np.bincount(of, weights=column, minlength=len(names))
            return [int(value) for value in total.tolist()]

        power_w, admitted_w = sums(self.fleet.power_w), sums(self.admitted_w)
        hash_ghs, sick = sums(self.fleet.hash_ghs), sums(self.sickness > 0)
        found = []
        for row, name in enumerate(names):
            by_state = dict(zip(SHOWN, counts[row].tolist(), strict=True))
            view = PlaceView(
                place=name,
                rigs=int(counts[row].sum()),
                by_state={state: count for state, count in by_state.items() if count},
                power_w=power_w[row],
                admitted_w=admitted_w[row],
                hash_ghs=hash_ghs[row],
                hot_dc=int(hot_dc[row]),
                sick=sick[row],
            )
            found += [view] if view.rigs else []
        return found

    def page(self, wish: Wish) -> Page:
        """The rows wished for."""
        rows = np.flatnonzero(self.matching(wish.text))
        ordered = rows[self._order(rows, wish.order)]
        shown = ordered[wish.offset : wish.offset + wish.limit].tolist()
        return Page(found=len(rows), rigs=[self.row(row) for row in shown])

    def _order(self, rows: Ints, order: str) -> Ints:
        """As live.ORDERS has it; the sickest of one kind by their heat."""
        names = np.array(self.fleet.names, dtype=object)[rows] if order == "rig" else rows
        first: tuple[Any, ...] = {
            "sickness": (-self.fleet.hot_dc[rows], -self.sickness[rows]),
            "rig": (),
            "power": (-self.fleet.power_w[rows],),
            "hot": (-self.fleet.hot_dc[rows],),
            "age": (-self.age_s[rows],),
        }[order]
        return np.argsort(names, kind="stable") if not first else np.lexsort((rows, *first))

    def matching(self, text: str) -> Bools:
        """Rows for which every term of the filter holds."""
        found = np.ones(len(self.fleet), dtype=bool)
        for term in filters.parse(text):
            if isinstance(term, Number):
                found &= np.asarray(term.compare(self._numbers(term.member), term.value))
            else:
                found &= self._with(term)
        return found

    def _numbers(self, member: str) -> Any:
        own = {"age_s": self.age_s, "sickness": self.sickness, "admitted_w": self.admitted_w}
        return own[member] if member in own else getattr(self.fleet, member)

    def _with(self, term: Word) -> Bools:
        """Rows in whose text the letters are found."""
        members = [term.member] if term.member else filters.TEXTS
        found = np.zeros(len(self.fleet), dtype=bool)
        for member in members:
            found |= self._found(member, term.letters)
        return found

    def _found(self, member: str, letters: str) -> Bools:
        """Few states and models are looked at once, not once a rig."""
        fleet = self.fleet
        if member == "state":
            return np.array([letters in state for state in SHOWN])[self.state]
        if member == "model":
            named = np.array([letters in model.lower() for model in fleet.models], dtype=bool)
            return named[fleet.group]
        texts = {"rig": fleet.names, "why": fleet.whys}.get(member) or self.places()
        return np.array([letters in text.lower() for text in texts], dtype=bool)

    def row(self, row: int) -> RigView:
        fleet = self.fleet
        return RigView(
            rig=fleet.names[row],
            model=fleet.models[int(fleet.group[row])],
            place=self.place(row),
            state=SHOWN[int(self.state[row])],
            level=int(fleet.level[row]),
            admitted_w=int(self.admitted_w[row]),
            power_w=int(fleet.power_w[row]),
            hash_ghs=int(fleet.hash_ghs[row]),
            hot_dc=int(fleet.hot_dc[row]),
            fan_rpm=int(fleet.fan_rpm[row]),
            cap_level=int(fleet.cap_level[row]),
            age_s=float(self.age_s[row]),
            sickness=int(self.sickness[row]),
            why=fleet.whys[row],
            held=str(self._site.holds.by_rig.get(fleet.names[row], "")),
        )
