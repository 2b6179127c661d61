"""One step of the alarms: a snapshot and what stood before, to what stands now and what changed.

Pure.  Each rule watches its subjects; what is raised becomes alarms, many of one place
together: one for a container whose 300 rigs went silent, one for the site when that
happened to many containers.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from supervisor.alarms.rules import BY_NAME, RULES, Rule
from supervisor.alarms.state import (
    ACKED,
    CLEARED,
    EXAMPLES,
    GREW,
    MERGED,
    RAISED,
    Alarm,
    Change,
    Measured,
    Silence,
    Snapshot,
    State,
    Watch,
)
from supervisor.merit import Floats, Ints

TOGETHER = 5  # so many rigs of a place, or places of the site, are one alarm
AGAIN = 2.0  # an alarm that has grown by so much is news, also to who acknowledged it
KEPT_S = 60.0  # after a restart: what stood before is believed for so long beyond its delay


def step(snapshot: Snapshot, state: State) -> tuple[State, list[Change]]:
    """What stands after this snapshot, and what is news."""
    watches, found, together = {}, {}, set()
    for rule in RULES:
        measured = snapshot.measured.get(rule.measure)
        before = state.watches.get(rule.name, Watch.none())
        watch = watches[rule.name] = watched(rule, measured, before, snapshot.now_s)
        for alarm, many in _alarms(rule, watch, measured, state, snapshot.unix_s):
            found[alarm.key] = alarm
            together |= {alarm.key} if many else set()
    kept = {k: s for k, s in state.kept.items() if k not in found and snapshot.now_s < s}
    found |= {key: state.alarms[key] for key in kept}
    together |= state.together & kept.keys()
    silences = {k: s for k, s in state.silences.items() if snapshot.unix_s < s.until_s}
    after = replace(
        state,
        alarms=found,
        silences=silences,
        watches=watches,
        together=frozenset(together),
        kept=kept,
    )
    return _with_news(state, after, snapshot.unix_s)


def watched(rule: Rule, measured: Measured | None, before: Watch, now_s: float) -> Watch:
    """The rule's delay and hold, for every subject at once.  What is not measured is well."""
    subjects, values = _aligned(measured, before)
    grown = len(values) - len(before.raised)
    raised = np.append(before.raised, np.zeros(grown, dtype=bool))
    since_s = np.append(before.since_s, np.full(grown, np.nan))
    other = np.where(raised, values < rule.below, values >= rule.above)
    since_s = np.where(other, np.where(np.isnan(since_s), now_s, since_s), np.nan)
    turn = other & (now_s - since_s >= np.where(raised, rule.hold_s, rule.delay_s))
    return Watch(subjects, raised ^ turn, np.where(turn, np.nan, since_s))


def _aligned(measured: Measured | None, before: Watch) -> tuple[list[str], Floats]:
    """Values in the order of the subjects known so far, new ones at the end.

    Rigs keep their rows, so their list only grows; few others come and go by name.
    """
    known = len(before.raised)
    if measured is None:
        return before.subjects, np.full(known, -np.inf)
    if measured.place is not None and len(measured.values) >= known:
        return measured.subjects, measured.values
    by_name = dict(zip(measured.subjects, measured.values.tolist(), strict=True))
    subjects = [*before.subjects, *(s for s in measured.subjects if s not in before.subjects)]
    return subjects, np.array([by_name.get(subject, -np.inf) for subject in subjects], dtype=float)


def _alarms(
    rule: Rule, watch: Watch, measured: Measured | None, state: State, unix_s: float
) -> Iterator[tuple[Alarm, bool]]:
    """(alarm, whether it stands for many) of what a rule has raised."""
    rows = np.flatnonzero(watch.raised)
    if not len(rows):
        return
    places = measured.places if measured is not None else []
    place = measured.place[rows] if measured is not None and measured.place is not None else None
    for subject, mine in _together(rule, rows, place, places, state):
        names = [watch.subjects[row] for row in mine[:EXAMPLES].tolist()]
        why = measured.whys[mine[0]] if measured and measured.whys and subject is None else ""
        yield (
            Alarm(
                rule=rule.name,
                subject=names[0] if subject is None else subject,
                severity=rule.severity,
                since_s=unix_s,
                count=len(mine),
                told=len(mine),
                rigs=names if rule.of_rigs else [],
                text=rule.text + (f": {why}" if why else ""),
            ),
            subject is not None,
        )


def _together(
    rule: Rule, rows: Ints, place: Ints | None, places: list[str], state: State
) -> Iterator[tuple[str | None, Ints]]:
    """Rows that are one alarm: (place, rows), "" is the site; or None and a row by itself."""

    def was(subject: str) -> bool:
        return f"{rule.name} {subject}".rstrip() in state.together

    if place is None:
        yield from ((None, rows[n : n + 1]) for n in range(len(rows)))
        return
    counts = np.bincount(place + 1, minlength=len(places) + 1)
    names = ["", *places]
    many = [n for n, c in enumerate(counts.tolist()) if c and (c >= TOGETHER or was(names[n]))]
    if was("") or len(many) >= TOGETHER:
        yield "", rows
        return
    for number in many:
        yield names[number], rows[place + 1 == number]
    for row in np.flatnonzero(~np.isin(place + 1, many)).tolist():
        yield None, rows[row : row + 1]


def _with_news(before: State, after: State, unix_s: float) -> tuple[State, list[Change]]:
    """Each alarm keeps its age, and who acknowledged it while it has not grown much."""
    alarms, changes = {}, []

    def tell(change: str, alarm: Alarm) -> None:
        silenced = any(s.covers(alarm, unix_s) for s in after.silences.values())
        changes.append(Change(change=change, alarm=alarm, at_s=unix_s, silenced=silenced))

    for key, alarm in after.alarms.items():
        old = before.alarms.get(key)
        if old is None:
            alarms[key] = alarm
            tell(RAISED, alarm)
        elif alarm.count >= AGAIN * old.told and alarm.count - old.told >= TOGETHER:
            alarms[key] = _replace(alarm, since_s=old.since_s)
            tell(GREW, alarms[key])
        else:
            alarms[key] = _replace(old, text=alarm.text, rigs=alarm.rigs, count=alarm.count)
    for key, alarm in before.alarms.items():
        if key not in alarms:
            tell(MERGED if _goes_on(alarm, before, after) else CLEARED, alarm)
    return replace(after, alarms=alarms), changes


def _goes_on(alarm: Alarm, before: State, after: State) -> bool:
    """Whether what an alarm stood for is part of a larger one now."""
    if alarm.key in before.together:
        return alarm.rule in after.together  # the key of the site's is the rule alone
    watch = after.watches[alarm.rule]
    raised = np.flatnonzero(watch.raised).tolist()
    return any(watch.subjects[row] == alarm.subject for row in raised)


# ---- what people do


def acknowledge(state: State, key: str, by: str, unix_s: float) -> tuple[State, list[Change]]:
    """Somebody has seen it and sees to it.  KeyError when there is no such alarm."""
    alarm = _replace(state.alarms[key], acked_by=by, acked_s=unix_s)
    changed = replace(state, alarms=state.alarms | {key: alarm})
    return changed, [Change(change=ACKED, alarm=alarm, at_s=unix_s)]


def silence(state: State, wish: Silence) -> State:
    """Nobody is told of these until then.  An end that has passed ends the silence."""
    return replace(state, silences=state.silences | {wish.key: wish})


def taken_over(alarms: list[Alarm], silences: list[Silence], now_s: float) -> State:
    """What stood before a restart.  Believed until its conditions can have been seen again."""
    by_key = {alarm.key: alarm for alarm in alarms if alarm.rule in BY_NAME}
    return State(
        by_key,
        {wish.key: wish for wish in silences},
        {},
        frozenset(key for key, alarm in by_key.items() if alarm.count > 1),
        {key: now_s + BY_NAME[alarm.rule].delay_s + KEPT_S for key, alarm in by_key.items()},
    )


def _replace(alarm: Alarm, **changes: object) -> Alarm:
    return msgspec.structs.replace(alarm, **changes)
