"""A qualification run: steady, a step down, hold, restore; and when it would be unsafe.

    baseline_s --at rest--> limit to_w --settle, hold_s--> taken back --restored--> report

Pure: what a plan is, and why one may not begin or must be broken off.  commands/drill.py
runs it through the API, so that a drill is a person's limit like any other and ends by
itself when the one who runs it goes away.
"""

from dataclasses import dataclass

from supervisor.frequency import SOURCE as FREQUENCY
from supervisor.glance import wrongs
from supervisor.units import age, watts
from supervisor.view import SiteView

STEADY = 0.02  # of capacity: how much the meter may move while it should be at rest
LEAST = 0.05  # of capacity: a smaller step proves nothing
SICK = 0.05  # of the rigs
SPARE_S = 60.0  # beyond the plan's own time, before the next change of a signal
RESTORED = 0.95


@dataclass(frozen=True, slots=True)
class Plan:
    """from_w: metered at rest.  to_w: the limit that is held."""

    from_w: int
    to_w: int
    baseline_s: float
    hold_s: float

    @property
    def step_w(self) -> int:
        return self.from_w - self.to_w

    @property
    def lasts_s(self) -> float:
        """With the way back at the declared ramp, which is not known here: as long again."""
        return self.baseline_s + 2 * self.hold_s


def plan(site: SiteView, step_w: int, baseline_s: float, hold_s: float) -> Plan:
    from_w = site.metered_w or 0
    return Plan(from_w, max(site.floor_w, from_w - step_w), baseline_s, hold_s)


def unsafe(site: SiteView, now_s: float, wanted: Plan) -> list[str]:
    """Why it may not begin, in words; empty when it may."""
    found = list(wrongs(site, now_s))
    if not site.drill_step_w:
        found.append("the site's settings allow no drill: [drill] max_step_mw is not there")
    elif wanted.step_w > site.drill_step_w:
        found.append(f"a step of {watts(wanted.step_w)}; {watts(site.drill_step_w)} is allowed")
    if site.drill_hold_s and wanted.hold_s > site.drill_hold_s:
        found.append(f"a hold of {age(wanted.hold_s)}; {age(site.drill_hold_s)} is allowed")
    if wanted.step_w < LEAST * site.capacity_w:
        found.append(f"a step of {watts(wanted.step_w)} proves nothing: 5 % of capacity at least")
    sick = site.silent + sum(site.by_state.get(state, 0) for state in ("fault", "down"))
    if sick > SICK * max(1, site.rigs):
        found.append(f"{sick} of {site.rigs} rigs are not well")
    if site.envelope_source == FREQUENCY:
        found.append(f"the site answers to the grid's frequency: {site.because}")
    if any(signal.source == "operator" and not signal.over for signal in site.signals):
        found.append("a person's limit is in force already: take it back first")
    if site.next_change_s is not None:
        ahead_s = site.next_change_s - now_s
        if ahead_s < wanted.lasts_s + SPARE_S:
            found.append(f"{site.envelope_source} changes in {age(max(0.0, ahead_s))}")
    return found


def restless(metered_w: list[int | None], capacity_w: int) -> str:
    """Why the time before the step is no baseline; "" when it is."""
    known = [w for w in metered_w if w is not None]
    if len(known) < len(metered_w) / 2 or not known:
        return "the meter said too little before the step"
    if max(known) - min(known) > STEADY * capacity_w:
        return f"the site moved by {watts(max(known) - min(known))} before the step"
    return ""


def broken_off(site: SiteView, now_s: float, running: Plan) -> str:
    """Why a drill under way must end now; "" when it may go on."""
    if site.envelope_source not in ("operator", "site") and site.envelope_w < running.to_w:
        return f"{site.envelope_source} asks for {watts(site.envelope_w)}: {site.because}"
    if site.metered_w is None or (site.meter_age_s or 0.0) > 10.0:
        return "the site meter is silent"
    return ""


def restored(site: SiteView, wanted: Plan) -> bool:
    """Whether the step has been taken back: 95 % of it, or all that is asked now."""
    goal_w = min(wanted.from_w, site.asked_w)
    return (site.metered_w or 0) >= goal_w - (1 - RESTORED) * wanted.step_w
