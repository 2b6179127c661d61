"""What the site tells everybody on the grid's side: made once a beat, shown by every protocol.

Numbers are watts of site import; None is "not known", which every protocol says in its
own way (quality flags, not-a-number, a missing point) and never with an old number.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from supervisor import preview
from supervisor.envelope import Entry
from supervisor.fleet import FAULT, Fleet
from supervisor.glance import effect
from supervisor.grid.capability import WITHIN_S, Capability, capability
from supervisor.limits import Buckets, Limit
from supervisor.site import Site
from supervisor.view import ToldView

Quality = Literal["ok", "stale", "missing"]
STALE_S = 5.0
WEIGHS = Limit(per_s=1.0, burst=10.0)  # of one source: nobody keeps the site busy with asking
OFF_BY = 0.03  # of capacity: more than this between asked and metered is a deviation


@dataclass(frozen=True, slots=True)
class Told:
    """unix_s: of the beat.  metered_age_s: of the meter's reading.  rigs, sick: how many."""

    unix_s: float
    limit_w: int
    asked_w: int
    committed_w: int
    floor_w: int
    capacity_w: int
    metered_w: int | None
    metered_age_s: float
    source: str
    because: str
    capability: Capability
    rigs: int
    sick: int
    hz: float | None = None

    @property
    def quality(self) -> Quality:
        """Of the metered power."""
        if self.metered_w is None:
            return "missing"
        return "ok" if self.metered_age_s <= STALE_S else "stale"

    @property
    def deviation_w(self) -> int | None:
        """Metered less asked; None when the meter says nothing fresh."""
        return None if self.quality != "ok" else (self.metered_w or 0) - self.asked_w

    @property
    def deviates(self) -> bool:
        return abs(self.deviation_w or 0) > OFF_BY * self.capacity_w


class Board:
    """Where the beat puts the newest, and every adapter reads it."""

    def __init__(self, site: Site) -> None:
        self._site, self._now_s = site, 0.0
        self.told: Told | None = None
        self._weighs = Buckets(WEIGHS)

    def weigh(self, entry: Entry) -> str:
        """A word before it is accepted: what it would do goes on record.

        Why the settings have it refused, or "".  An emergency never is.
        """
        site, most = self._site, self._site.config.preview
        if site.decision is None:
            return ""
        if wait_s := self._weighs.wait_s(entry.source, self._now_s):
            return f"asked too often; again in {wait_s:.0f} s" if most.refuse else ""
        found = preview.of_entry(site, self._now_s, entry)
        wrong = preview.too_much(found, len(site.fleet), most)
        refused = bool(wrong) and most.refuse and not entry.emergency
        text = ", ".join([*effect(found), *([f"too much: {wrong}"] if wrong else [])])
        body = msgspec.to_builtins(found) | {"refused": refused}
        site.ledger.write("preview", body, entry.source, text)
        return wrong if refused else ""

    def foreseen_w(self, at_s: float) -> int:
        """What the site will draw at a time, as far as it is known from what was said."""
        site, made = self._site, self._site.decision
        if made is None:
            return 0
        limit_w = site.settled(site.inbox.entries.values(), at_s).limit_w
        return min(max(limit_w, made.floor_w), made.capacity_w)

    def look(self, now_s: float) -> None:
        """After a beat: what there is to tell.  now_s: monotonic."""
        self._now_s = now_s
        self.told = told_of(self._site, now_s) or self.told


def told_of(site: Site, now_s: float) -> Told | None:
    """None before the first beat."""
    if site.envelope is None or site.decision is None:
        return None
    meter, sample, decision = site.inbox.meter, site.inbox.frequency, site.decision
    return Told(
        unix_s=site.unix_s,
        limit_w=site.envelope.limit_w,
        asked_w=decision.asked_w,
        committed_w=decision.committed_w,
        floor_w=decision.floor_w,
        capacity_w=decision.capacity_w,
        metered_w=meter.w if meter else None,
        metered_age_s=now_s - meter.at_s if meter else float("inf"),
        source=site.envelope.source,
        because=site.envelope.because,
        capability=capability(site.fleet),
        rigs=len(site.fleet),
        sick=sick(site.fleet),
        hz=sample.hz if sample and now_s - sample.at_s <= STALE_S else None,
    )


def view(told: Told) -> ToldView:
    """For programs: a number that is not known is null."""
    good = told.quality == "ok"
    return ToldView(
        unix_s=told.unix_s,
        limit_w=told.limit_w,
        asked_w=told.asked_w,
        committed_w=told.committed_w,
        floor_w=told.floor_w,
        capacity_w=told.capacity_w,
        metered_w=told.metered_w if good else None,
        quality=told.quality,
        deviation_w=told.deviation_w,
        deviates=told.deviates,
        source=told.source,
        because=told.because,
        within_s=WITHIN_S,
        down_w=told.capability.down_w,
        up_w=told.capability.up_w,
        rigs=told.rigs,
        sick=told.sick,
        hz=told.hz,
    )


def sick(fleet: Fleet) -> int:
    """Rigs that cannot do all they are there for: out of the count, in fault, or capped."""
    well = fleet.counted & (fleet.state != FAULT) & (fleet.cap_level >= fleet.top_level)
    return int((~well).sum())
