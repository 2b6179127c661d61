"""Why a rig does what it does: signal, envelope, budget, position, level, what it says.

The chain is written from the few numbers it rests on, so that now and any past time read
alike.
"""

from protocols.ladder import Step, admit
from supervisor.dispatcher import Decision
from supervisor.envelope import Envelope
from supervisor.fleet import NEVER
from supervisor.site import Site
from supervisor.units import watts
from supervisor.view import RigView


def now(site: Site, view: RigView, row: int) -> list[str]:
    """The chain for a rig as it is now."""
    made, envelope = site.decision, site.envelope
    assert made is not None and envelope is not None
    chain = of_site(envelope, made)
    if site.fleet.counted[row]:
        chain += of_ladder(site.dispatcher.line.ladder(row), made.admit_w)
    else:
        chain.append(f"rig: holds no ladder ({view.state}); it sleeps until it has joined")
    if site.fleet.heard_s[row] == NEVER:
        return [*chain, "rig says: nothing yet"]
    return [*chain, said(view)]


def of_site(envelope: Envelope, made: Decision) -> list[str]:
    """From the signal to the position on the merit order."""
    return [
        f"signal: {envelope.source} allows {watts(envelope.limit_w)} ({envelope.because})",
        f"asked: {watts(made.asked_w)} of {watts(made.capacity_w)} the rigs can take,"
        f" {watts(made.floor_w)} with all asleep; rising at most"
        f" {watts(round(made.up_w_per_s * 60))} a minute",
        f"budget: {watts(made.budget_w)} for all rigs above asleep; position"
        f" {watts(made.admit_w)} on the merit order (epoch {made.epoch})",
    ]


def of_ladder(ladder: tuple[Step, ...], admit_w: int) -> list[str]:
    """From the position to a rig's level."""
    held = admit(ladder, admit_w)
    steps = ", ".join(f"level {s.level} to {watts(s.end_w)}" for s in ladder)
    part = f" and {held.part_pm / 10:g} % of the step to {held.next_level}"
    return [
        f"ladder: {steps or 'no steps'}",
        f"admitted: level {held.level}{part if held.part_pm else ''}",
    ]


def said(view: RigView) -> str:
    """What the rig itself says."""
    told = f"{view.state}, level {view.level}, {watts(view.power_w)}"
    return f"rig says, {view.age_s:.0f} s ago: {told}" + (f"; {view.why}" if view.why else "")
