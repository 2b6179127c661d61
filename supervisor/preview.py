"""What would happen: a word for the site, or holding rigs back, tried on a copy of the dispatcher.

One place for a person's preview, a control room's select, an event's opt and a push that is
only tried: each makes an Entry, and looks.
"""

import copy
import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from supervisor import lookahead
from supervisor.dispatcher import Dispatcher
from supervisor.envelope import Entry
from supervisor.fleet import Fleet
from supervisor.grid.capability import OFF_S
from supervisor.lookahead import Profile
from supervisor.merit import Floats, Ints
from supervisor.sections.kinds import W_PER_MW
from supervisor.sections.preview import PreviewConfig
from supervisor.site import Site
from supervisor.table import Table
from supervisor.units import watts
from supervisor.view import PreviewView

FREELY_W_PER_S = 1e12  # where it ends, not how fast it may get there
OPERATOR = "operator"
OVER_S, OVER_MOST_S = 3600.0, 86_400.0  # of a word without an end, and of any
ROWS_MAX = 200  # of a schedule, looked at


def of_limit(site: Site, now_s: float, limit_w: int, for_s: float = OVER_S) -> PreviewView:
    """The site with this as the word of all people."""
    from_s = site.unix_s
    return of_entry(site, now_s, Entry(OPERATOR, ((from_s, limit_w),), from_s + for_s, from_s))


def of_entry(site: Site, now_s: float, entry: Entry) -> PreviewView:
    """The site with this as the word of its source: settled, where the word is lowest."""
    assert site.decision is not None
    made, before = site.decision, list(site.inbox.entries.values())
    after = [*(e for e in before if e.source != entry.source), entry]
    then = site.settled(after, lowest_s(entry, site.unix_s))
    trial = copied(site.dispatcher)
    was_w = trial.admitted_by_rig()
    found = trial.tick(now_s + 1.0, then.limit_w, None)  # a beat later: a rise takes time
    will_w = trial.admitted_by_rig()
    over_s = horizon_s(entry, after, site.unix_s)
    drawn_mwh = [
        energy_mwh(_profile(site, words, over_s), made.floor_w, made.capacity_w, over_s)
        for words in (before, after)
    ]
    return PreviewView(
        envelope_w=then.limit_w,
        holds=then.source == entry.source,
        now_w=made.expected_w,
        then_w=found.expected_w,
        sleep=int(((was_w > 0) & (will_w <= 0)).sum()),
        wake=int(((was_w <= 0) & (will_w > 0)).sum()),
        lower=int(((will_w < was_w) & (will_w > 0)).sum()),
        raise_=int(((will_w > was_w) & (was_w > 0)).sum()),
        up_s=max(0.0, found.expected_w - made.expected_w) / made_up_w_per_s(site),
        down_s=OFF_S if found.expected_w < made.expected_w else 0.0,
        lost_ghs=hash_ghs(site.fleet, was_w) - hash_ghs(site.fleet, will_w),
        lost_mwh=round(drawn_mwh[0] - drawn_mwh[1], 6),
        over_s=over_s,
    )


def lowest_s(entry: Entry, unix_s: float) -> float:
    """The moment, from now on, at which a word allows least."""
    ahead = [at_s for at_s, _ in entry.changes(unix_s)[:ROWS_MAX]]
    limits = {at_s: entry.limit_w(at_s) for at_s in (unix_s, *ahead)}
    return min(limits, key=lambda at_s: math.inf if (w := limits[at_s]) is None else w)


def horizon_s(entry: Entry, said: Iterable[Entry], unix_s: float) -> float:
    """How far ahead a word is weighed: to its end, an hour without one, a day at most.

    said: all words; no further than ROWS_MAX changes of theirs, because the beat waits.
    """
    end_s = entry.until_s - unix_s if math.isfinite(entry.until_s) else OVER_S
    ahead = sorted(at_s for one in said for at_s, _ in one.changes(unix_s)[: ROWS_MAX + 1])
    if len(ahead) > ROWS_MAX:
        end_s = min(end_s, ahead[ROWS_MAX] - unix_s)
    return min(max(0.0, end_s), OVER_MOST_S)


def _profile(site: Site, words: list[Entry], over_s: float) -> Profile:
    return lookahead.profile(
        words, lambda said, at_s: site.settled(said, at_s).limit_w, site.unix_s, over_s
    )


def energy_mwh(ahead: Profile, floor_w: int, capacity_w: int, over_s: float) -> float:
    """What a site within its means draws under an envelope."""
    parts = pairwise([*ahead, (over_s, 0)])
    joules = sum(
        min(max(w, floor_w), capacity_w) * max(0.0, min(to_s, over_s) - from_s)
        for (from_s, w), (to_s, _) in parts
    )
    return joules / 3600 / W_PER_MW


def hash_ghs(fleet: Fleet, admitted_w: Floats) -> int:
    """What rigs make of watts above their floor, between their operating points."""
    if not len(fleet):
        return 0
    table_w, table_ghs, rows = fleet.points.watts, fleet.points.ghs, np.arange(len(fleet))
    drawn_w = fleet.floor_w + admitted_w
    low = np.clip((table_w <= drawn_w[:, None]).sum(axis=1) - 1, 0, table_w.shape[1] - 2)
    width_w = table_w[rows, low + 1] - table_w[rows, low]
    share = np.clip((drawn_w - table_w[rows, low]) / np.maximum(width_w, 1), 0, 1)
    rise_ghs = table_ghs[rows, low + 1] - table_ghs[rows, low]
    return int((table_ghs[rows, low] + share * rise_ghs).sum())


def too_much(found: PreviewView, rigs: int, most: PreviewConfig) -> str:
    """What of it is more than the settings want accepted unseen; "" when nothing is."""
    fall_w, sleep_pct = found.now_w - found.then_w, 100 * found.sleep / max(1, rigs)
    wrong = []
    if most.max_fall_mw is not None and fall_w > most.max_fall_mw * W_PER_MW:
        wrong.append(f"down by {watts(fall_w)}; {most.max_fall_mw:g} MW at most")
    if most.max_rise_mw is not None and -fall_w > most.max_rise_mw * W_PER_MW:
        wrong.append(f"up by {watts(-fall_w)}; {most.max_rise_mw:g} MW at most")
    if most.max_sleep_pct is not None and sleep_pct > most.max_sleep_pct:
        wrong.append(f"{sleep_pct:.0f} % of the rigs to sleep; {most.max_sleep_pct:g} % at most")
    if most.max_lost_mwh is not None and found.lost_mwh > most.max_lost_mwh:
        wrong.append(f"{found.lost_mwh:.1f} MWh lost; {most.max_lost_mwh:g} MWh at most")
    return ", ".join(wrong)


def made_up_w_per_s(site: Site) -> float:
    """How fast the site may rise."""
    assert site.decision is not None
    return max(1.0, site.decision.up_w_per_s)


def of_holds(site: Site, table: Table, rows: Ints, levels: Ints) -> PreviewView:
    """These rigs at these levels at most: what they give up.  Others may take it."""
    assert site.decision is not None and site.envelope is not None
    fleet = site.fleet
    floor_w = fleet.floor_w[rows]
    before_w = table.admitted_w[rows] - floor_w
    most_w = fleet.points.watts[rows, np.minimum(levels, fleet.top_level[rows])] - floor_w
    after_w = np.minimum(before_w, np.where(levels > 0, most_w, 0))
    freed_w = int((before_w - after_w).sum())
    return PreviewView(
        envelope_w=site.envelope.limit_w,
        holds=False,
        now_w=site.decision.expected_w,
        then_w=site.decision.expected_w - freed_w,
        sleep=int(((before_w > 0) & (after_w <= 0)).sum()),
        wake=0,
        lower=int(((after_w < before_w) & (after_w > 0)).sum()),
        raise_=0,
        up_s=0.0,
    )


def copied(dispatcher: Dispatcher) -> Dispatcher:
    """One that may be tried on: what it decides is nobody's order."""
    trial = copy.deepcopy(dispatcher)
    trial.means = replace(trial.means, up_w_per_s=FREELY_W_PER_S)
    return trial
