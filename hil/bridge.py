"""Ties a fleet model to a dispatcher in one process: the same questions, no sockets."""

import numpy as np

from hil.fleet import FAR_W, FAULT, RUNNING, STEPS, ModelFleet
from hil.models import Model
from supervisor import line as lines
from supervisor.band import AGAIN_S, BAND, Band
from supervisor.dispatcher import Decision, Dispatcher
from supervisor.fleet import Facts, Fleet
from supervisor.lookahead import Profile
from supervisor.merit import Ints


def facts(model: Model) -> Facts:
    """What a rig of this model says of itself in its hello."""
    return Facts(model.name, model.floor_w, model.points, model.wake_s, model.up_w_per_s)


def enrol(model_fleet: ModelFleet) -> Fleet:
    """All modelled rigs as the supervisor's columns, in the same rows."""
    fleet = Fleet()
    for number, model in enumerate(model_fleet.models):
        rows = np.flatnonzero(model_fleet.group == number)
        if len(rows):
            fleet.put_many([model_fleet.names[row] for row in rows.tolist()], facts(model))
    return fleet


def ladder_rows(line: lines.Line, rigs: int) -> tuple[Ints, Ints, Ints]:
    """A line as ladders by rig: (start_w, end_w, level), padded."""
    order = np.argsort(line.rig, kind="stable")
    rig = line.rig[order]
    column = np.arange(len(rig)) - np.searchsorted(rig, rig)
    start_w = np.full((rigs, STEPS), FAR_W)
    end_w = np.full((rigs, STEPS), FAR_W)
    level = np.zeros((rigs, STEPS), dtype=np.int64)
    start_w[rig, column], end_w[rig, column] = line.start_w[order], line.end_w[order]
    level[rig, column] = line.level[order]
    return start_w, end_w, level


class Bridge:
    """Carries ladders and positions one way, joinings and faults the other.

    banded: whether ladders are dealt again around where the position settles.
    """

    def __init__(
        self, model_fleet: ModelFleet, dispatcher: Dispatcher, banded: bool = False
    ) -> None:
        self.rigs, self.dispatcher = model_fleet, dispatcher
        self._admit_w = -1
        self._waiting: dict[int, float] = {}  # row -> when its ladder may be sent
        self._band = Band() if banded else None
        self._dealt_s = 0.0

    def deal(self, now_s: float) -> None:
        """Ladders to everybody, in a new epoch."""
        everybody = np.arange(len(self.dispatcher.fleet))
        self.dispatcher.fleet.count(everybody, now_s)
        self._hand_out(everybody, now_s, 0, 0)

    def _hand_out(self, rows: Ints, now_s: float, centre_w: int, band_w: int) -> None:
        dispatcher, self._dealt_s = self.dispatcher, now_s
        line = dispatcher.dealer.deal(rows, dispatcher.line.epoch + 1, now_s, centre_w, band_w)
        dispatcher.take_line(line, now_s)
        self._ladders = ladder_rows(line, len(dispatcher.fleet))
        self._give(rows)

    def _give(self, rows: Ints) -> None:
        """These hear of their ladders."""
        rows = self._hearing(rows)
        self.rigs.hold(rows, *(column[rows] for column in self._ladders))

    def _hearing(self, rows: Ints) -> Ints:
        """Those of them that can be reached."""
        return rows

    def tick(
        self, now_s: float, limit_w: int, metered_w: int | None, ahead: Profile = ()
    ) -> Decision:
        self._hear(now_s)
        dealt = self._deal_again(now_s)
        decision = self.dispatcher.tick(now_s, limit_w, metered_w, ahead)
        self._grant(now_s)
        if dealt or decision.admit_w != self._admit_w:
            self._broadcast(decision.admit_w, everybody=dealt)
        return decision

    def _deal_again(self, now_s: float) -> bool:
        """New ladders to everybody, if it is time."""
        dispatcher = self.dispatcher
        line, position_w = dispatcher.line, dispatcher.admit_w
        if self._band is None or self._waiting:
            return False
        due = self._band.due(line, position_w, dispatcher.settled, now_s)
        if not (due or (now_s - self._dealt_s > AGAIN_S and dispatcher.dealer.outdated)):
            return False
        centre_w = self._band.centre(line, position_w)
        self._band.put(centre_w, now_s)
        counted = np.flatnonzero(dispatcher.fleet.counted)
        self._hand_out(counted, now_s, centre_w, int(BAND * line.length_w))
        return True

    def _broadcast(self, admit_w: int, everybody: bool = False) -> None:
        """Only rigs with a step between the old and the new position can care, unless they
        have new ladders."""
        line, low_w, high_w = self.dispatcher.line, *sorted((self._admit_w, admit_w))
        first = int(np.searchsorted(line.end_w, low_w, side="right"))
        last = int(np.searchsorted(line.start_w, high_w, side="left"))
        rows = np.unique(line.rig[first:last])
        if everybody:
            rows = np.flatnonzero(self.dispatcher.fleet.counted)
        self.rigs.admit(admit_w, self._hearing(rows))
        self._admit_w = admit_w

    def _hear(self, now_s: float) -> None:
        """Faulted rigs leave the count; rigs back from a fault wait one lease to be counted."""
        fleet, changed = self.dispatcher.fleet, self.rigs.take_changed()
        if not len(changed):
            return
        state = fleet.state[changed] = self.rigs.state[changed]
        fleet.heard_s[changed] = now_s
        faulted = changed[(state == FAULT) & fleet.counted[changed]]
        if len(faulted):
            fleet.uncount(faulted)
        back = changed[(state != FAULT) & (state != RUNNING) & ~fleet.counted[changed]]
        if len(back):
            fleet.count(back, now_s)
            self._waiting.update(
                dict.fromkeys(back.tolist(), now_s + self.dispatcher.means.lease_s)
            )

    def _grant(self, now_s: float) -> None:
        due = [row for row, at_s in self._waiting.items() if at_s <= now_s]
        if due:
            rows = np.array(due)
            self._give(rows)
            self.rigs.admit(self.dispatcher.admit_w, self._hearing(rows))
            for row in due:
                del self._waiting[row]
