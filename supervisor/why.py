"""Why a rig does what it does: signal, envelope, budget, position, level, what it says.

The chain is written from the few numbers it rests on, so that now and any past time read
alike; for the past they come from the ledger and the archive.
"""

import time
from typing import Any

import msgspec

from protocols.ladder import Step, admit
from supervisor import memory
from supervisor.archive import Archive
from supervisor.fleet import NEVER
from supervisor.holds import KIND, Hold
from supervisor.ledger import Ledger, Row
from supervisor.site import Site
from supervisor.table import SHOWN
from supervisor.units import age, watts
from supervisor.view import RigView

NOTHING = "rig: nothing of it is kept of that time"
EVENTS_S, EVENTS = 3600.0, 5  # what a rig reported within an hour before
DECISION_S = 60.0  # a decision older than this did not decide then


class Made(msgspec.Struct, frozen=True):
    """What the chain needs of a decision; a ledger's row has it by the same names."""

    limit_w: int
    floor_w: int
    capacity_w: int
    asked_w: int
    budget_w: int
    admit_w: int
    epoch: int
    up_w_per_s: float


# ---- now


def of_site_now(site: Site) -> list[str]:
    made, envelope = site.decision, site.envelope
    assert made is not None and envelope is not None
    return _site(envelope.source, envelope.because, made)


def now(site: Site, view: RigView, row: int) -> list[str]:
    """The chain for a rig as it is now."""
    chain, made = of_site_now(site), site.decision
    assert made is not None
    if site.fleet.counted[row]:
        hold = site.holds.by_rig.get(view.rig)
        chain += _rig(site.dispatcher.line.ladder(row), made.admit_w, hold)
    else:
        chain.append(f"rig: holds no ladder ({view.state}); it sleeps until it has joined")
    if site.fleet.heard_s[row] == NEVER:
        return [*chain, "rig says: nothing yet"]
    told = _told(view.state, view.level, view.power_w) + (f"; {view.why}" if view.why else "")
    return [*chain, f"rig says, {view.age_s:.0f} s ago: {told}"]


# ---- then


def of_site_then(ledger: Ledger, at_s: float) -> list[str]:
    """The chain for the whole site at a past time."""
    row = ledger.at("decision", at_s)
    if row is None or at_s - row.at_s > DECISION_S:
        before = "nothing before it" if row is None else f"the last {age(at_s - row.at_s)} before"
        return [f"at {_clock(at_s)}: no decision is on record, {before}"]
    return [
        f"at {_clock(at_s)}: decided {at_s - row.at_s:.1f} s before",
        *_site(row.source, row.why, _made(row)),
        *_signals(ledger, row),
    ]


def then(
    ledger: Ledger, archive: Archive, rig: str, at_s: float, sample: dict[str, float] | None
) -> list[str] | None:
    """The chain for a rig at a past time; None when it was not there.

    sample: what it said by then, a row of its history.
    """
    chain, row = of_site_then(ledger, at_s), ledger.at("decision", at_s)
    blob = archive.get(row.body["epoch"]) if row is not None else None
    ladder = memory.ladder_of(blob, rig) if blob is not None else None
    events = ledger.of_source("event", rig, EVENTS, at_s)
    if ladder is None and sample is None and not events and blob is not None:
        return None
    if len(chain) > 1 and row is not None:
        if blob is None:
            chain.append(f"ladder: those of epoch {row.body['epoch']} are no longer kept")
        else:
            chain += _rig(ladder or (), row.body["admit_w"], _held(ledger, rig, at_s))
    chain.append(_said(sample))
    chain += [
        f"rig reported at {_clock(event.at_s)}: {event.body.get('code')}: {event.why}"
        for event in events
        if at_s - event.at_s <= EVENTS_S
    ]
    return chain


def _held(ledger: Ledger, rig: str, at_s: float) -> Hold | None:
    rows = ledger.of_source(KIND, rig, 1, at_s)
    still = rows and rows[0].body.get("until_s", 0.0) > at_s
    return msgspec.convert(rows[0].body, Hold) if still else None


def _said(sample: dict[str, float] | None) -> str:
    if sample is None:
        return "rig said: nothing that is kept of that time"
    told = _told(SHOWN[int(sample["state"])], int(sample["level"]), int(sample["power_w"]))
    return f"rig said by {_clock(sample['at_s'])}: {told}, {sample['hot_dc'] / 10:.0f} °C"


def _made(row: Row) -> Made:
    return msgspec.convert(row.body, Made)


def _signals(ledger: Ledger, decision: Row) -> list[str]:
    """What everybody said by then, the source that held left out."""
    rows = ledger.last_by_source("signal", before_id=decision.id)
    lines = []
    for row in rows:
        if row.source != decision.source and row.body.get("schedule"):
            limit_w = memory.entry_of(row).limit_w(decision.at_s)
            said = "no limit" if limit_w is None else watts(limit_w)
            lines.append(f"also said: {row.source} allows {said} ({row.why or 'its schedule'})")
    return lines


def _clock(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))


# ---- the links of the chain


def _site(source: str, because: str, made: Any) -> list[str]:
    """From the signal to the position on the merit order."""
    return [
        f"signal: {source} allows {watts(made.limit_w)} ({because})",
        f"asked: {watts(made.asked_w)} of {watts(made.capacity_w)} the rigs can take,"
        f" {watts(made.floor_w)} with all asleep; rising at most"
        f" {watts(round(made.up_w_per_s * 60))} a minute",
        f"budget: {watts(made.budget_w)} for all rigs above asleep; position"
        f" {watts(made.admit_w)} on the merit order (epoch {made.epoch})",
    ]


def _rig(ladder: tuple[Step, ...], admit_w: int, hold: Hold | None) -> list[str]:
    """From the position to a rig's level, as far as people let it."""
    most = ladder if hold is None else tuple(s for s in ladder if s.level <= hold.level)
    held = admit(most, admit_w)
    steps = ", ".join(f"level {s.level} to {watts(s.end_w)}" for s in ladder)
    part = f" and {held.part_pm / 10:g} % of the step to {held.next_level}"
    return [
        f"ladder: {steps or 'no steps'}",
        *([] if hold is None else [f"held: {hold}"]),
        f"admitted: level {held.level}{part if held.part_pm else ''}",
    ]


def _told(state: str, level: int, power_w: int) -> str:
    return f"{state}, level {level}, {watts(power_w)}"
