"""What would happen: a person's limit, or holding rigs back, tried on a copy of the dispatcher."""

import copy
from dataclasses import replace

import numpy as np

from supervisor.dispatcher import Dispatcher
from supervisor.envelope import Entry
from supervisor.merit import Ints
from supervisor.site import Site
from supervisor.table import Table
from supervisor.view import PreviewView

FREELY_W_PER_S = 1e12  # where it ends, not how fast it may get there
OPERATOR = "operator"


def of_limit(site: Site, now_s: float, limit_w: int) -> PreviewView:
    """The site with this as the word of all people, once it has settled."""
    others = [e for e in site.inbox.entries.values() if e.source != OPERATOR]
    word = Entry(OPERATOR, ((0.0, limit_w),), heard_s=site.unix_s)
    then = site.settled([*others, word], site.unix_s)
    trial = copied(site.dispatcher)
    before_w = trial.admitted_by_rig()
    made = trial.tick(now_s, then.limit_w, None)
    after_w = trial.admitted_by_rig()
    assert site.decision is not None
    return PreviewView(
        envelope_w=then.limit_w,
        holds=then.source == OPERATOR,
        now_w=site.decision.expected_w,
        then_w=made.expected_w,
        sleep=int(((before_w > 0) & (after_w <= 0)).sum()),
        wake=int(((before_w <= 0) & (after_w > 0)).sum()),
        lower=int(((after_w < before_w) & (after_w > 0)).sum()),
        raise_=int(((after_w > before_w) & (before_w > 0)).sum()),
        up_s=max(0.0, made.expected_w - site.decision.expected_w) / made_up_w_per_s(site),
    )


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
