"""What the rules look at: numbers of the site and columns of its rigs, taken once a beat."""

import numpy as np

from supervisor.alarms.state import Measured, Snapshot
from supervisor.fleet import FAULT, JOINING, NEVER, RUNNING
from supervisor.merit import Floats
from supervisor.places import Where
from supervisor.said import health
from supervisor.site import Site
from supervisor.table import DOWN, SILENT, Table

FAN_RPM = 300.0  # below, a fan stands still
PATIENCE_S = 6.0  # a fall of what is asked counts from then on
OPERATOR = "operator"  # a person's limit ends because it was meant to

Numbers = dict[str, dict[str, float]]


def taken(
    site: Site,
    table: Table,
    where: Where,
    now_s: float,
    began_s: float,
    others: Numbers,
    asked_w: list[int],
) -> Snapshot:
    """others: measures somebody else took, by subject.  asked_w: of the last seconds."""
    of_site = _site(site, table, asked_w) | _meters(site, now_s, began_s) | _signals(site) | others
    measured = {
        name: Measured(list(values), np.array(list(values.values()), dtype=float))
        for name, values in of_site.items()
    }
    by_rig = {
        f"rig.{name}": Measured(site.fleet.names, values, site.fleet.whys, where.of, where.names)
        for name, values in _columns(site, table, now_s, began_s).items()
    }
    return Snapshot(now_s, site.unix_s, measured | by_rig)


def _site(site: Site, table: Table, asked_w: list[int]) -> Numbers:
    made = site.decision
    assert made is not None
    percent = 100.0 / max(1.0, float(made.capacity_w))
    rigs, bad = max(1, len(table.state)), np.isin(table.state, (SILENT, DOWN, FAULT))
    measures = {
        "site.over_envelope_pct": (made.committed_w - made.limit_w) * percent,
        "site.out_pct": 100.0 * float(bad.sum()) / rigs,
    }
    if made.metered_w is not None:
        highest_w = max([*asked_w, made.asked_w])
        measures["site.over_asked_pct"] = (made.metered_w - highest_w) * percent
        measures["site.under_asked_pct"] = (made.asked_w - made.metered_w) * percent
    return {name: {"": float(value)} for name, value in measures.items()}


def _meters(site: Site, now_s: float, began_s: float) -> Numbers:
    """Age in units of what is stale, so that 1 is the limit of each."""
    readings = site.inbox.readings
    since_s = {name: reading.at_s for name, reading in readings.items()}
    return {
        "meter.stale": {
            keys.name: (now_s - since_s.get(keys.name, began_s)) / keys.stale_s
            for keys in site.config.all_meters
        }
    }


def _signals(site: Site) -> Numbers:
    heard = {
        entry.source: float(health(entry, site.unix_s) != "fresh")
        for entry in site.inbox.entries.values()
        if entry.source != OPERATOR
    }
    return {"signal.silent": heard}


def _columns(site: Site, table: Table, now_s: float, began_s: float) -> dict[str, Floats]:
    """By rig.  What a rig last said counts while it is heard; after that it is silent."""
    fleet = site.fleet
    rows, level = np.arange(len(fleet)), np.minimum(fleet.level, fleet.top_level)
    heard = ~table.silent & ~table.down & (fleet.heard_s > NEVER)
    running = heard & (fleet.state == RUNNING) & (level > 0)
    next_level = np.minimum(level + 1, fleet.top_level)
    most_w, least_ghs = fleet.points.watts[rows, next_level], fleet.points.ghs[rows, level]
    first_w = np.maximum(1, fleet.points.watts[rows, np.minimum(1, fleet.top_level)])
    asleep = heard & fleet.counted & (table.admitted_w <= fleet.floor_w)
    over_w = fleet.power_w - fleet.floor_w
    beat_s = site.config.site.telemetry_s
    itself = heard.copy()  # a rig that people hold back does not hold itself back
    itself[[row for row, _ in site.holds.levels()]] = False
    return {
        "missed": np.where(table.down, 0.0, np.minimum(table.age_s, now_s - began_s) / beat_s),
        "down_s": np.where(table.down, now_s - fleet.down_s, 0.0),
        "fault": (heard & (fleet.state == FAULT)).astype(float),
        "hot_c": np.where(heard, fleet.hot_dc / 10.0, 0.0),
        "fan_stopped": (running & (fleet.fan_rpm < FAN_RPM)).astype(float),
        "unadmitted_pct": np.where(asleep, 100.0 * over_w / first_w, 0.0),
        "unjoined": (heard & ~fleet.counted & (fleet.state != FAULT)).astype(float)
        + (heard & fleet.counted & (fleet.state == JOINING)).astype(float),
        "capped_pct": np.where(
            itself, 100.0 * (1 - fleet.cap_level / np.maximum(1, fleet.top_level)), 0.0
        ),
        "over_pct": np.where(running, 100.0 * (fleet.power_w / np.maximum(1, most_w) - 1), 0.0),
        "hash_low_pct": np.where(
            running, 100.0 * (1 - fleet.hash_ghs / np.maximum(1, least_ghs)), 0.0
        ),
    }
