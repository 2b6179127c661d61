"""The site as people see it: views of the last tick, and the chain of reasons for a rig."""

import time
from collections import deque

import numpy as np

from protocols.ladder import admit
from supervisor.envelope import Entry
from supervisor.fleet import FAULT, NEVER, STATES
from supervisor.ledger import Row
from supervisor.live import Wish, select
from supervisor.merit import Floats, Ints
from supervisor.site import Site
from supervisor.units import watts
from supervisor.view import EventView, RigView, SignalOrder, SignalView, SiteView, WhyView

HISTORY = 300  # ticks
SILENT_BEATS = 3  # telemetry periods without a word
LOG_KINDS = ("term", "signal", "refused", "deal", "event")


class People:
    """Answers for the API.  look() is called after every tick."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asked_w: deque[int] = deque(maxlen=HISTORY)
        self._metered_w: deque[int | None] = deque(maxlen=HISTORY)
        self._now_s = 0.0

    def look(self, now_s: float) -> None:
        """Keep this tick for the histories."""
        assert self._site.decision is not None
        self._now_s = now_s
        meter = self._site.inbox.meter
        fresh = meter is not None and now_s - meter.at_s < 5.0
        self._asked_w.append(self._site.decision.asked_w)
        self._metered_w.append(meter.w if meter and fresh else None)

    # ---- the site

    def site(self) -> SiteView:
        site, made, envelope = self._site, self._site.decision, self._site.envelope
        assert made is not None and envelope is not None
        meter, ahead = site.inbox.meter, self._next_change()
        states = self._states()
        return SiteView(
            site=site.config.site.name,
            at_s=site.unix_s,
            term=site.term,
            seq=site.seq,
            epoch=made.epoch,
            envelope_w=envelope.limit_w,
            envelope_source=envelope.source,
            because=envelope.because,
            next_change_s=ahead and ahead[0],
            next_w=ahead and ahead[1],
            asked_w=made.asked_w,
            budget_w=made.budget_w,
            admit_w=made.admit_w,
            committed_w=made.committed_w,
            metered_w=meter.w if meter else None,
            meter_age_s=self._now_s - meter.at_s if meter else None,
            floor_w=made.floor_w,
            capacity_w=made.capacity_w,
            hash_ghs=int(site.fleet.hash_ghs.sum()),
            rigs=len(site.fleet),
            by_state={name: count for name, count in states.items() if count},
            silent=states["silent"],
            signals=[self._signal(entry) for entry in site.inbox.entries.values()],
            asked_history_w=list(self._asked_w),
            metered_history_w=list(self._metered_w),
        )

    def _states(self) -> dict[str, int]:
        """How many rigs are in each state, those that cannot be heard apart."""
        fleet = self._site.fleet
        down = np.isfinite(fleet.down_s)
        silent = ~down & fleet.silent(self._now_s, self._silent_s)
        heard = np.bincount(fleet.state[~down & ~silent], minlength=len(STATES)).tolist()
        counts = dict(zip(STATES, heard, strict=True))
        return counts | {"down": int(down.sum()), "silent": int(silent.sum())}

    def _signal(self, entry: Entry) -> SignalView:
        now_s, ends = self._site.unix_s, entry.until_s < float("inf")
        return SignalView(
            source=entry.source,
            limit_w=entry.limit_w(now_s),
            age_s=now_s - entry.heard_s,
            until_s=entry.until_s if ends else None,
            over=entry.over(now_s),
            because=entry.because,
        )

    def _next_change(self) -> tuple[float, int] | None:
        """The next row ahead of whoever sets the envelope now."""
        assert self._site.envelope is not None
        entry = self._site.inbox.entries.get(self._site.envelope.source)
        ahead = entry.changes(self._site.unix_s) if entry else []
        return ahead[0] if ahead else None

    # ---- rigs

    def rigs(self, limit: int, order: str, text: str) -> list[RigView]:
        if order == "sickness" and not text:
            rows = self._sickest(limit)
        else:
            rows = np.arange(len(self._site.fleet))
        admitted, sickness = self._site.dispatcher.admitted_by_rig(), self._sickness()
        views = [self._rig(row, admitted, sickness) for row in rows.tolist()]
        return select(views, Wish(limit=limit, order=order, text=text))

    def _sickness(self) -> Ints:
        """0 well; higher is sicker: faults, cut off, silent, capped, then hot."""
        fleet = self._site.fleet
        silent = fleet.silent(self._now_s, self._silent_s)
        down = np.isfinite(fleet.down_s)
        score = 100 * (fleet.cap_level < fleet.top_level) + 300 * silent + 400 * down
        score = score + 500 * (fleet.state == FAULT) + 50 * ~fleet.counted
        return np.asarray(score, dtype=np.int64)

    def _sickest(self, limit: int) -> Ints:
        fleet = self._site.fleet
        return np.lexsort((np.arange(len(fleet)), -fleet.hot_dc, -self._sickness()))[:limit]

    @property
    def _silent_s(self) -> float:
        return SILENT_BEATS * self._site.config.site.telemetry_s

    def _state(self, row: int) -> str:
        fleet = self._site.fleet
        if np.isfinite(fleet.down_s[row]):
            return "down"
        if self._now_s - fleet.heard_s[row] > self._silent_s:
            return "silent"
        return STATES[int(fleet.state[row])]

    def _rig(self, row: int, admitted: Floats, sickness: Ints) -> RigView:
        fleet = self._site.fleet
        return RigView(
            rig=fleet.names[row],
            model=fleet.models[int(fleet.group[row])],
            state=self._state(row),
            level=int(fleet.level[row]),
            admitted_w=int(fleet.floor_w[row] + admitted[row]),
            power_w=int(fleet.power_w[row]),
            hash_ghs=int(fleet.hash_ghs[row]),
            hot_dc=int(fleet.hot_dc[row]),
            fan_rpm=int(fleet.fan_rpm[row]),
            cap_level=int(fleet.cap_level[row]),
            age_s=self._age_s(row),
            sickness=int(sickness[row]),
            why=fleet.whys[row],
        )

    def _age_s(self, row: int) -> float:
        return min(1e9, self._now_s - float(self._site.fleet.heard_s[row]))

    # ---- reasons

    def why(self, rig: str) -> WhyView | None:
        row = self._site.fleet.row_of.get(rig)
        if row is None:
            return None
        return WhyView(rig=rig, lines=[*self._why_site(), *self._why_rig(row)])

    def _why_site(self) -> list[str]:
        made, envelope = self._site.decision, self._site.envelope
        assert made is not None and envelope is not None
        return [
            f"signal: {envelope.source} allows {watts(envelope.limit_w)} ({envelope.because})",
            f"asked: {watts(made.asked_w)} of {watts(made.capacity_w)} the rigs can take,"
            f" {watts(made.floor_w)} with all asleep; rising at most"
            f" {watts(round(made.up_w_per_s * 60))} a minute",
            f"budget: {watts(made.budget_w)} for all rigs above asleep; position"
            f" {watts(made.admit_w)} on the merit order (epoch {made.epoch})",
        ]

    def _why_rig(self, row: int) -> list[str]:
        fleet, dispatcher = self._site.fleet, self._site.dispatcher
        if not fleet.counted[row]:
            return [
                f"rig: holds no ladder ({self._state(row)}); it sleeps until it has joined",
                *self._why_said(row),
            ]
        ladder = dispatcher.line.ladder(row)
        held = admit(ladder, dispatcher.admit_w)
        steps = ", ".join(f"level {s.level} to {watts(s.end_w)}" for s in ladder)
        part = f" and {held.part_pm / 10:g} % of the step to {held.next_level}"
        lines = [
            f"ladder: {steps or 'no steps'}",
            f"admitted: level {held.level}{part if held.part_pm else ''}",
        ]
        return [*lines, *self._why_said(row)]

    def _why_said(self, row: int) -> list[str]:
        fleet = self._site.fleet
        if fleet.heard_s[row] == NEVER:
            return ["rig says: nothing yet"]
        said = (
            f"rig says, {self._age_s(row):.0f} s ago: {self._state(row)}, level"
            f" {fleet.level[row]}, {watts(int(fleet.power_w[row]))}"
        )
        return [said + (f"; {fleet.whys[row]}" if fleet.whys[row] else "")]

    def events(self, limit: int) -> list[EventView]:
        """The log without the decisions, newest first."""
        kinds = [(kind, limit * (20 if kind == "signal" else 1)) for kind in LOG_KINDS]
        rows = [row for kind, most in kinds for row in self._site.ledger.newest(most, kind)]
        rows = [row for row in rows if not row.body.get("same")]  # heartbeats are no news
        rows.sort(key=lambda row: -row.id)
        return [_event(row) for row in rows[:limit]]

    # ---- wishes

    def order_signal(self, order: SignalOrder) -> str:
        limit_w, now_s = round(order.mw * 1e6), time.time()
        if limit_w > self._site.config.site.limit_w:
            return f"above the site's own limit, {watts(self._site.config.site.limit_w)}"
        self._site.inbox.put_signal(
            Entry(
                "operator",
                ((now_s, limit_w),),
                now_s + order.for_s,
                now_s,
                because=f"set by {order.by} for {order.for_s:.0f} s",
            )
        )
        return ""

    def withdraw_signal(self, source: str) -> bool:
        return self._site.withdraw(source)


def _event(row: Row) -> EventView:
    text = row.why or ", ".join(f"{key} {value}" for key, value in row.body.items())
    if row.kind == "signal" and row.body.get("schedule"):
        text = (
            f"{len(row.body['schedule'])} rows: {text}" if len(row.body["schedule"]) > 1 else text
        )
    code = row.body.get("code")
    return EventView(
        at_s=row.at_s, kind=row.kind, who=row.source, text=f"{code}: {text}" if code else text
    )
