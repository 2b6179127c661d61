"""The site as people see it: views of the last tick, and people's wishes."""

import time
from collections import deque
from collections.abc import Callable

from supervisor import audit, preview, said, why
from supervisor.alarms.keeper import Keeper
from supervisor.alarms.state import Change
from supervisor.audit import Deed
from supervisor.envelope import Entry
from supervisor.grid.told import told_of, view
from supervisor.ledger import Row
from supervisor.live import Page, Wish
from supervisor.metrics import Seen
from supervisor.people.holding import Holding
from supervisor.people.past import Past
from supervisor.sections.kinds import W_PER_MW
from supervisor.site import Site
from supervisor.sources.signal_mqtt import Heard, Rules, SignalError, decode
from supervisor.table import Table
from supervisor.units import watts
from supervisor.view import (
    AuditView,
    EventView,
    ExcuseOrder,
    HoldOrder,
    PlaceView,
    PreviewView,
    RigDetail,
    SignalDetail,
    SignalOrder,
    SiteView,
    StepView,
    ToldView,
    WhyView,
)

HISTORY = 300  # ticks
ALARMS_S = 0.5  # alarms are not looked at more often than this
FALL_BEATS = 6  # how long what was asked before a fall is still allowed
LOG_KINDS = ("term", "signal", "preview", "excuse", "refused", "deal", "event")
RIG_EVENTS = 20


class People:
    """Answers for the API.  look() is called after every tick."""

    def __init__(
        self, site: Site, tell: Callable[[list[Change]], None] = lambda news: None
    ) -> None:
        self._site = site
        self._asked_w: deque[int] = deque(maxlen=HISTORY)
        self._metered_w: deque[int | None] = deque(maxlen=HISTORY)
        self._now_s = 0.0
        before = site.inbox.entries.get("http")  # what a former supervisor was told
        self._pushed = Heard(seq=before.seq) if before else Heard()
        self.holding = Holding(site)
        self._table: Table | None = None
        self.past = Past(site)
        self.alarms, self._alarms_s = Keeper(site, tell), -1e18

    def look(self, now_s: float) -> None:
        """Keep this tick for the histories."""
        assert self._site.decision is not None
        self._now_s, self._table = now_s, None
        meter = self._site.inbox.meter
        fresh = meter is not None and now_s - meter.at_s < 5.0
        self._asked_w.append(self._site.decision.asked_w)
        self._metered_w.append(meter.w if meter and fresh else None)
        self.past.look(now_s)
        if now_s - self._alarms_s >= ALARMS_S:
            self._alarms_s = now_s
            self.alarms.look(now_s, self.table, list(self._asked_w)[-FALL_BEATS:])

    @property
    def table(self) -> Table:
        """The rigs as they were at the last beat."""
        if self._table is None:
            self._table = Table(self._site, self._now_s)
        return self._table

    def unix_s(self) -> float:
        return self._site.unix_s

    # ---- the site

    def site(self) -> SiteView:
        site, made, envelope = self._site, self._site.decision, self._site.envelope
        assert made is not None and envelope is not None
        meter, ahead = site.inbox.meter, self._next_change()
        states = self.table.by_state()
        drill = self._site.config.drill
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
            signals=[said.brief(entry, site.unix_s) for entry in site.inbox.entries.values()],
            asked_history_w=list(self._asked_w),
            metered_history_w=list(self._metered_w),
            drill_step_w=round(drill.max_step_mw * W_PER_MW) if drill else 0,
            drill_hold_s=drill.max_hold_s if drill else 0.0,
        )

    def told(self) -> ToldView | None:
        """As every protocol tells it; None before the first beat."""
        known = told_of(self._site, self._now_s)
        return None if known is None else view(known)

    def _next_change(self) -> tuple[float, int] | None:
        """The next row ahead of whoever sets the envelope now."""
        assert self._site.envelope is not None
        entry = self._site.inbox.entries.get(self._site.envelope.source)
        ahead = entry.changes(self._site.unix_s) if entry else []
        return ahead[0] if ahead else None

    def signals(self) -> list[SignalDetail]:
        site, envelope = self._site, self._site.envelope
        assert envelope is not None
        return [
            said.full(entry, site.unix_s, entry.source == envelope.source)
            for entry in site.inbox.entries.values()
        ]

    # ---- rigs

    def rigs(self, wish: Wish) -> Page:
        return self.table.page(wish)

    def rig(self, rig: str) -> RigDetail | None:
        fleet, row = self._site.fleet, self._site.fleet.row_of.get(rig)
        if row is None:
            return None
        table = self.table
        levels = range(1, int(fleet.top_level[row]) + 1)
        watts_, ghs = fleet.points.watts[row].tolist(), fleet.points.ghs[row].tolist()
        own = self._site.ledger.of_source("event", rig, RIG_EVENTS)
        return RigDetail(
            rig=table.row(row),
            floor_w=int(fleet.floor_w[row]),
            points=[(watts_[level], ghs[level]) for level in levels],
            wake_s=float(fleet.wake_s[row]),
            up_w_per_s=float(fleet.up_w_per_s[row]),
            counted=bool(fleet.counted[row]),
            epoch=int(fleet.epoch[row]),
            ladder=[StepView(*step) for step in self._site.dispatcher.line.ladder(row)],
            down_for_s=self._now_s - float(fleet.down_s[row]) if table.down[row] else None,
            events=[_event(row) for row in own[::-1]],
        )

    def places(self) -> list[PlaceView]:
        return self.table.by_place(self.alarms.where_of(self.table))

    # ---- for machines

    def seen(self, rigs: list[str], top: int) -> Seen:
        """What metrics are made of: rigs by name, else the sickest."""
        site, table = self._site, self.table
        named = [site.fleet.row_of[rig] for rig in rigs if rig in site.fleet.row_of]
        readings = {name: (r.w, self._now_s - r.at_s) for name, r in site.inbox.readings.items()}
        if site.inbox.meter is not None:
            meter = site.inbox.meter
            readings.setdefault("site", (meter.w, self._now_s - meter.at_s))
        return Seen(
            site=self.site(),
            meters=readings,
            signals=self.signals(),
            places=self.places(),
            rigs=[table.row(row) for row in named] if rigs else table.page(Wish(limit=top)).rigs,
            alarms=self.alarms.views(),
            totals={
                "messages_lost": {"inbox": site.inbox.lost},
                "messages_refused": dict(site.inbox.refused),
            },
        )

    # ---- reasons

    def why(self, rig: str) -> WhyView | None:
        """As it is now; the past is asked for in past.py.  rig: "" is the whole site."""
        row, site = self._site.fleet.row_of.get(rig), self._site
        if not rig:
            return WhyView(rig="", lines=why.of_site_now(site))
        if row is None:
            return None
        return WhyView(rig=rig, lines=why.now(site, self.table.row(row), row))

    def events(self, limit: int) -> list[EventView]:
        """The log without the decisions, newest first."""
        kinds = [(kind, limit * (20 if kind == "signal" else 1)) for kind in LOG_KINDS]
        rows = [row for kind, most in kinds for row in self._site.ledger.newest(most, kind)]
        rows = [row for row in rows if not row.body.get("same")]  # heartbeats are no news
        rows.sort(key=lambda row: -row.id)
        return [_event(row) for row in rows[:limit]]

    def record(self, deed: Deed) -> None:
        """What somebody did, before they are answered."""
        audit.record(self._site.ledger, deed)

    def audit(self, limit: int, who: str) -> list[AuditView]:
        return audit.newest(self._site.ledger, limit, who)

    # ---- wishes

    def preview_hold(self, order: HoldOrder) -> PreviewView:
        return self.holding.preview(order, self.table)

    def preview_signal(self, limit_w: int, for_s: float = preview.OVER_S) -> PreviewView:
        return preview.of_limit(self._site, self._now_s, limit_w, for_s)

    def order_signal(self, order: SignalOrder) -> str:
        limit_w, now_s = round(order.mw * W_PER_MW), time.time()
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

    def push_signal(self, payload: bytes) -> str:
        """A program's word, in the shapes of the MQTT signal; why it was refused, or ""."""
        try:
            entry, self._pushed = self._pushed_word(payload)
        except SignalError as error:
            self._site.inbox.refuse("http", str(error))
            return str(error)
        self._site.inbox.put_signal(entry)
        return ""

    def preview_push(self, payload: bytes) -> PreviewView | str:
        """What it would do, or why it would be refused; its number is not used up by it."""
        try:
            return preview.of_entry(self._site, self._now_s, self._pushed_word(payload)[0])
        except SignalError as error:
            return str(error)

    def _pushed_word(self, payload: bytes) -> tuple[Entry, Heard]:
        config = self._site.config
        if config.signal.http is None:
            raise SignalError("the settings have no [signal.http]")
        keys = config.signal.http
        rules = Rules(
            config.site.limit_w, keys.silence_s, round(keys.default_mw * W_PER_MW), "http"
        )
        return decode(payload, self._pushed, time.time(), rules)

    def excuse_signal(self, order: ExcuseOrder) -> str:
        return self._site.excuse(order.source, self._site.unix_s + order.for_s, order.by)

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
