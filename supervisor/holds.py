"""What people hold back: a rig that sleeps, is limited, or is in maintenance until a time.

A hold is a ladder cut by the supervisor: the rig is sent no step above it, and obeys as it
obeys any ladder, so nothing new has to be trusted.  Until it has echoed the cut it counts
with all it had, and before it is let go it counts in full again for a lease; so the sum
stays below the budget all through.  Every hold has an end.  In maintenance a rig also leaves
the dealing of ladders.
"""

from collections.abc import Iterable

import msgspec

from protocols.ladder import Step
from supervisor.fleet import NEVER
from supervisor.hearing import Hearing
from supervisor.ledger import Ledger

KIND = "hold"
WHOLE = 1 << 30  # a level no ladder has
SLACK_S = 2.0  # beyond a lease


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """level: the highest it may run at, 0 asleep.  until_s: Unix seconds."""

    level: int
    until_s: float
    by: str
    why: str = ""
    maintenance: bool = False

    def __str__(self) -> str:
        what = "maintenance" if self.maintenance else f"level {self.level} at most"
        return f"{what}, by {self.by}" + (f" ({self.why})" if self.why else "")


class Holds:
    """Taken up from the ledger, so that they outlive a supervisor.

    held:     cut sent -> echoed on this epoch's ladder -> counted at the cut
    let go:   counted in full -> one lease later the ladder is sent whole
    """

    def __init__(self, hearing: Hearing, ledger: Ledger, lease_s: float, unix_s: float) -> None:
        self._fleet, self._hearing, self._ledger = hearing.fleet, hearing, ledger
        self._wait_s = lease_s + SLACK_S
        self.by_rig: dict[str, Hold] = {}
        self._cuts: dict[str, int] = {}  # the level a rig's ladder is cut at when it is sent
        self._told: dict[tuple[str, int], int] = {}  # (rig, epoch) -> the command with the cut
        self._due: dict[str, float | None] = {}  # rigs let go: when; None: not yet looked at
        for row in ledger.last_by_source(KIND):
            if row.body.get("until_s", 0.0) > unix_s:
                hold = self.by_rig[row.source] = msgspec.convert(row.body, Hold)
                self._cuts[row.source] = hold.level

    def put(self, rig: str, hold: Hold) -> None:
        """Hold a rig from now on; replaces what held it before.  On the disk with the beat."""
        self._ledger.write(KIND, msgspec.to_builtins(hold), rig, str(hold))
        if rig in self.by_rig:
            self._leave(rig)
        self.by_rig[rig] = hold
        self._aim(rig, hold.level)

    def release(self, rig: str, by: str) -> bool:
        """It may run as its ladder says; whether it was held."""
        if rig not in self.by_rig:
            return False
        self._ledger.write(KIND, {"released": True}, rig, f"released by {by}")
        self._leave(rig)
        self._aim(rig, WHOLE)
        return True

    def step(self, now_s: float, unix_s: float, epoch: int, changing: bool) -> None:
        """Once a beat: what has ended ends, what is echoed counts.

        epoch: of the ladders broadcast.  changing: those of the next are being sent.
        """
        for rig in [rig for rig, hold in self.by_rig.items() if hold.until_s <= unix_s]:
            self._leave(rig)
            self._aim(rig, WHOLE)
        for rig, due_s in list(self._due.items()):
            if due_s is None:
                self._due[rig] = now_s + self._wait_s
            elif due_s <= now_s:
                self._send(rig)
        for rig, level in self._cuts.items():
            row = self._fleet.row_of.get(rig)
            if row is not None and rig not in self._due:
                self._count(rig, row, level, epoch, changing)
        for rig, hold in self.by_rig.items():
            row = self._fleet.row_of.get(rig)
            if row is not None and hold.maintenance:
                self._fleet.out_until_s[row] = now_s + hold.until_s - unix_s

    def _count(self, rig: str, row: int, level: int, epoch: int, changing: bool) -> None:
        """Once a rig has echoed the cut of this epoch's ladder it cannot run above it."""
        fleet, told = self._fleet, self._told.get((rig, epoch))
        if told is None:
            if not changing:
                self._hearing.owed.add(row)
        elif fleet.echoed[row] >= told and (
            fleet.held_level[row] != level or fleet.cap_level[row] > level
        ):
            fleet.held_level[row] = level
            fleet.cap_level[row] = min(int(fleet.cap_level[row]), level)
            fleet.version += 1

    def cut(self, row: int, epoch: int, ladder: tuple[Step, ...]) -> tuple[Step, ...]:
        """What of its ladder is sent to a rig, in the command that has just been numbered."""
        rig = self._fleet.names[row]
        level = self._cuts.get(rig, WHOLE)
        if level == WHOLE:
            return ladder
        self._told.setdefault((rig, epoch), int(self._fleet.command[row]))
        return tuple(step for step in ladder if step.level <= level)

    def levels(self) -> Iterable[tuple[int, int]]:
        """(row, highest level) of all that is cut."""
        rows = self._fleet.row_of
        return [(rows[rig], level) for rig, level in self._cuts.items() if rig in rows]

    def _aim(self, rig: str, level: int) -> None:
        """Less is sent at once and counted when echoed; more is counted at once and sent later."""
        self._due.pop(rig, None)
        if level >= self._cuts.get(rig, WHOLE):
            row = self._fleet.row_of.get(rig)
            if row is not None:
                self._fleet.held_level[row] = level
                self._fleet.cap_level[row] = min(level, int(self._fleet.top_level[row]))
                self._fleet.version += 1
            self._due[rig] = None
        else:
            self._cuts[rig] = level
            self._forget(rig)

    def _send(self, rig: str) -> None:
        """What a rig was let go to; by now every lease is given out with that in mind."""
        del self._due[rig]
        self._forget(rig)
        if rig in self.by_rig:
            self._cuts[rig] = self.by_rig[rig].level
        else:
            self._cuts.pop(rig, None)

    def _forget(self, rig: str) -> None:
        """What it was told before, and tell it anew."""
        for key in [key for key in self._told if key[0] == rig]:
            del self._told[key]
        row = self._fleet.row_of.get(rig)
        if row is not None:
            self._hearing.owed.add(row)

    def _leave(self, rig: str) -> None:
        """No longer held; out of maintenance a rig joins again, for steps if it has none."""
        hold, row = self.by_rig.pop(rig), self._fleet.row_of.get(rig)
        if row is not None and hold.maintenance:
            self._fleet.out_until_s[row] = NEVER
            if self._fleet.counted[row]:
                self._hearing.joining.add(row)
