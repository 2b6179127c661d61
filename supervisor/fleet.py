"""The rigs as last heard, as columns: 28,571 of them are one site.

    unknown --hello--> waiting --ladder sent--> counted --gone for sure--> waiting
                                                   |  (a counted rig may draw what its
                                                   '-- ladder admits, heard or not)

Silent is not off.  A rig leaves the count only when it cannot be running: it says so
itself (a fresh nonce, a fault), or its connection broke longer ago than any lease.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from protocols.ladder import STEPS_MAX
from supervisor.merit import Bools, Floats, Ints, Points
from supervisor.policy import PRIORITY
from supervisor.tree import NOWHERE

NEVER = -1e18
STATES = ("joining", "asleep", "waking", "running", "fault")
JOINING, ASLEEP, WAKING, RUNNING, FAULT = range(5)
LEVELS = 12  # levels a site starts with room for; grows to STEPS_MAX

_FLOATS = {
    "heard_s": NEVER,
    "down_s": np.inf,
    "wake_s": 0.0,
    "up_w_per_s": 1.0,
    "joined_s": NEVER,
    "sent_s": NEVER,
    "admitted_s": np.inf,
    "changed_s": NEVER,
    "starts": 0.0,
    "on_share": 0.5,
    "tried": 0.0,
    "failed": 0.0,
    "out_until_s": NEVER,
}
_INTS = (
    "group",
    "floor_w",
    "top_level",
    "state",
    "level",
    "power_w",
    "hash_ghs",
    "hot_dc",
    "fan_rpm",
    "cap_level",
    "command",
    "echoed",
    "epoch",
    "event",
    "event_kept",
)
# integers that do not begin at 0
_WISHED = {
    "priority": PRIORITY,
    "node": NOWHERE,
    "held_level": 1 << 30,
}
_TABLES = ("_watts", "_ghs")  # by level


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rig is, from its hello."""

    model: str
    floor_w: int
    points: tuple[tuple[int, int], ...]  # (watts, GH/s) by level from 1
    wake_s: float
    up_w_per_s: float


class Fleet:
    """Columns by row; a rig's row never changes.  Times are monotonic seconds."""

    heard_s: Floats
    down_s: Floats  # when its connection broke; inf while it stands
    wake_s: Floats
    up_w_per_s: Floats
    joined_s: Floats  # when it was first counted in this joining
    sent_s: Floats  # when its ladder was last sent
    admitted_s: Floats  # when the position passed its first step; inf while asleep
    changed_s: Floats  # when it was last admitted to wake, or no longer was
    starts: Floats  # within the last day, fading
    on_share: Floats  # of the last day, fading
    tried: Floats  # wakes, fading
    failed: Floats  # of those
    out_until_s: Floats  # in maintenance until then
    group: Ints
    floor_w: Ints
    top_level: Ints
    state: Ints
    level: Ints
    power_w: Ints
    hash_ghs: Ints
    hot_dc: Ints
    fan_rpm: Ints
    cap_level: Ints
    command: Ints
    echoed: Ints
    epoch: Ints
    event: Ints
    event_kept: Ints  # the newest event on record here
    priority: Ints  # 0 protected, then 1 to 9: who goes first
    held_level: Ints  # the highest on the ladder it holds, where people cut it
    node: Ints  # where it hangs on the tree of feeders; -1 is not known
    counted: Bools
    _watts: Ints
    _ghs: Ints

    def __init__(self) -> None:
        self.names: list[str] = []
        self.nonces: list[str] = []
        self.whys: list[str] = []
        self.models: list[str] = []
        self.row_of: dict[str, int] = {}
        self.version = 0  # rises whenever who is counted, or a cap, changes
        self._room: dict[str, Any] = {"counted": np.zeros(0, dtype=bool)}
        self._room |= {name: np.zeros(0) for name in _FLOATS}
        self._room |= {name: np.zeros(0, dtype=np.int64) for name in (*_INTS, *_WISHED)}
        self._room |= {name: np.zeros((0, LEVELS + 1), dtype=np.int64) for name in _TABLES}
        self._look()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def points(self) -> Points:
        return Points(self._watts, self._ghs)

    def put(self, name: str, facts: Facts, nonce: str = "") -> int:
        """Add a rig, or renew what is known of it.  Its row."""
        row = self.row_of.get(name)
        if row is None:
            row = self.put_many([name], facts)[0]
        else:
            self._describe(np.array([row]), facts)
        self.nonces[row] = nonce
        return row

    def put_many(self, names: list[str], facts: Facts) -> list[int]:
        """Add rigs that are all alike."""
        first = len(self.names)
        rows = list(range(first, first + len(names)))
        self.names += names
        self.nonces += [""] * len(names)
        self.whys += [""] * len(names)
        self.row_of.update(zip(names, rows, strict=True))
        self._grow(len(names))
        self._describe(np.array(rows, dtype=np.int64), facts)
        return rows

    def _grow(self, more: int) -> None:
        """Rows for more rigs.  Room is doubled, so that 28,571 hellos copy each column 15 times."""
        had, rows = len(self.names) - more, len(self._room["counted"])
        if len(self.names) > rows:
            rows = max(len(self.names), 2 * rows)
            for name, column in self._room.items():
                wider = np.zeros((rows, *column.shape[1:]), dtype=column.dtype)
                wider[:had] = column[:had]
                self._room[name] = wider
        for name, value in (_FLOATS | _WISHED).items():
            self._room[name][had : len(self.names)] = value
        self._look()

    def _look(self) -> None:
        """The columns everybody sees: as much of the room as there are rigs."""
        for name, column in self._room.items():
            setattr(self, name, column[: len(self.names)])

    def _describe(self, rows: Ints, facts: Facts) -> None:
        if facts.model not in self.models:
            self.models.append(facts.model)
        levels = len(facts.points)
        assert levels <= STEPS_MAX
        if levels >= self._watts.shape[1]:
            wider = ((0, 0), (0, levels + 1 - self._watts.shape[1]))
            for name in _TABLES:
                self._room[name] = np.pad(self._room[name], wider, mode="edge")
            self._look()
        watts = [facts.floor_w, *(w for w, _ in facts.points)]
        ghs = [0, *(g for _, g in facts.points)]
        beyond = self._watts.shape[1] - len(watts)
        self._watts[rows] = watts + watts[-1:] * beyond
        self._ghs[rows] = ghs + ghs[-1:] * beyond
        self.group[rows] = self.models.index(facts.model)
        self.floor_w[rows], self.top_level[rows] = facts.floor_w, levels
        self.cap_level[rows] = levels
        self.wake_s[rows], self.up_w_per_s[rows] = facts.wake_s, facts.up_w_per_s
        self.version += 1

    def count(self, rows: Ints, now_s: float) -> None:
        """From now on these may draw what their ladder admits."""
        self.counted[rows] = True
        self.joined_s[rows] = now_s
        self.version += 1

    def uncount(self, rows: Ints) -> None:
        """These are surely off until they are given a ladder again."""
        self.counted[rows] = False
        self.admitted_s[rows] = np.inf
        self.version += 1

    def surely_off(self, now_s: float, lease_s: float) -> Ints:
        """Counted rigs cut off longer than any lease they can hold."""
        cut = self.counted & (self.down_s + lease_s < now_s) & (self.heard_s + lease_s < now_s)
        return np.flatnonzero(cut)

    def silent(self, now_s: float, after_s: float) -> Bools:
        """Rigs not heard for so long."""
        return now_s - self.heard_s > after_s

    def able_w(self) -> tuple[int, int]:
        """(floor, capacity) in watts: all rigs asleep; all that are able at their cap."""
        floor_w = int(self.floor_w.sum())
        rows = np.arange(len(self))
        cap = np.minimum(self.cap_level, self.top_level)
        able = self._watts[rows, cap] - self.floor_w if len(self) else self.floor_w
        return floor_w, floor_w + int(able[self.counted].sum())
