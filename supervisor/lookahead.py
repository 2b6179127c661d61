"""What is already known of the minutes ahead: wake before a rise, be down before a fall.

A profile is (in_s, w) rows from now on: the settled envelope, a row holds until the next.
Only what somebody said counts: rows of schedules and ends of words.  Silence is not foreseen;
a source that speaks now is taken to go on speaking.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from supervisor.envelope import Entry

Profile = Sequence[tuple[float, int]]

FALL_S = 2.0  # a beat, and the time a rig takes to a lower frequency: a fall begins so early
HORIZON_S = 60.0  # how far ahead is looked; further with a declared ramp down
FURTHEST_S = 3600.0


def profile(
    entries: Iterable[Entry],
    limit_w: Callable[[Iterable[Entry], float], int],
    now_s: float,
    horizon_s: float = HORIZON_S,
) -> Profile:
    """The envelope from now to the horizon.  limit_w(entries, at_s): how it is settled."""
    believed = [
        entry if entry.silent(now_s) else replace(entry, heard_s=max(entry.heard_s, now_s))
        for entry in entries
    ]
    ends = {entry.until_s for entry in believed}
    rows = {from_s for entry in believed for from_s, _ in entry.schedule}
    ahead = sorted(at_s for at_s in ends | rows if now_s < at_s <= now_s + horizon_s)
    return [(at_s - now_s, limit_w(believed, at_s)) for at_s in (now_s, *ahead)]


def lowest_w(ahead: Profile, from_s: float, to_s: float) -> int:
    """The least that is allowed at any moment of this stretch."""
    before = [w for in_s, w in ahead if in_s <= from_s][-1:] or [ahead[0][1]]
    return min(before + [w for in_s, w in ahead if from_s < in_s <= to_s])


def fallen_w(ahead: Profile, down_w_per_s: float | None) -> int:
    """What may be drawn now, so that every fall ahead is done when its time has come.

    down_w_per_s: a declared ramp down; a fall that is known is begun early enough to keep
    it.  One that nobody announced is obeyed at once, whatever was declared.
    """
    now_w = lowest_w(ahead, 0.0, FALL_S)
    if down_w_per_s is None:
        return now_w
    later = [int(w + down_w_per_s * (in_s - FALL_S)) for in_s, w in ahead if in_s > FALL_S]
    return min([now_w, *later])


def risen_w(
    ahead: Profile,
    asked_w: float,
    floor_w: float,
    capacity_w: float,
    up_w_per_s: float,
    lead_s: float,
) -> float:
    """What will be asked lead_s from now, rising from asked_w as it may: who is woken now
    draws its first watt then.  Never less than now: a fall has its own time."""
    now_w = asked_w
    rows = [ahead[0], *((in_s, w) for in_s, w in ahead[1:] if in_s < lead_s)]
    ends = [in_s for in_s, _ in rows[1:]] + [lead_s]
    for (in_s, w), end_s in zip(rows, ends, strict=True):
        goal_w = max(floor_w, min(w, capacity_w))
        asked_w = min(goal_w, asked_w + up_w_per_s * (end_s - max(0.0, in_s)))
    last_w = lowest_w(ahead, lead_s, lead_s + FALL_S)
    return max(now_w, min(asked_w, max(floor_w, min(last_w, capacity_w))))


def horizon_s(limit_w: float, down_w_per_s: float | None) -> float:
    """How far a fall must be seen coming to be ramped down to."""
    if down_w_per_s is None:
        return HORIZON_S
    return min(FURTHEST_S, HORIZON_S + limit_w / down_w_per_s)
