"""Who gets a ladder, and when it is safe to send it.

A rig that joins is counted first and given its ladder one lease later: by then
no lease is left that was given out while the rig was a hole.  A rig that was
counted all along (it only restarted) is served at once.  The first deal has nobody
to wait for.  Ladders are dealt again when many rigs sit at the end of the line:
everybody is sent the next epoch's ladder first, and only then is it broadcast.
"""

import numpy as np

from supervisor.band import AGAIN_S, BAND, Band
from supervisor.dispatcher import Dispatcher
from supervisor.fleet import NEVER
from supervisor.line import Line

QUIET_S = 2.0  # the first deal waits for a pause in the joinings,
PATIENCE_S = 8.0  # but not longer than this
REPEAT_S = 3.0  # a ladder not echoed is sent again
REPEAT_MAX = 500  # in one tick, the longest waiting first: where echoes are slow, more is worse
SEND_MAX = 4000  # ladders sent in one tick
REDEAL_SHARE = 0.02  # of all rigs joined at the end: deal again,
REDEAL_QUIET_S = 15.0  # when nobody has joined for so long
ECHO_S = 10.0  # how long a new epoch waits for echoes


class Admission:
    """send(now_s) gives the (row, line) pairs to be sent a ladder now."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.next_line: Line | None = None
        self.closed_until_s = -1e18  # after a restart that knows no ladders: old leases end first
        self.changed = False  # the line has changed since save() was last true
        self._waiting: dict[int, float] = {}
        self._first_s = self._newest_s = -1e18
        self._late, self._unix_s = 0, 0.0
        self._prepared_s = 0.0
        self._began_s = np.inf  # when the first deal was first thought of
        self._queue: list[int] = []  # rows still to be sent the next epoch's ladder
        self._band = Band()

    def step(self, joining: set[int], now_s: float, unix_s: float = 0.0) -> None:
        """Take in who wants to join; deal, extend and change epoch when it is time."""
        self._unix_s = unix_s
        if joining:
            self._first_s = now_s if not self._waiting else self._first_s
            fresh = [row for row in joining if row not in self._waiting]
            self._newest_s = now_s if fresh else self._newest_s
            for row in fresh:
                self._waiting[row] = np.inf
            joining.clear()
        if now_s < self.closed_until_s:
            return
        if not len(self.dispatcher.line.rig):
            self._first_deal(now_s)
        else:
            if self.next_line is None:  # while an epoch changes, newcomers wait for the new one
                self._place(now_s)
            self._redeal(now_s)

    def send(self, now_s: float) -> list[tuple[int, Line]]:
        """Rows due for a ladder, each with the line it comes from."""
        fleet, line = self.dispatcher.fleet, self.dispatcher.line
        due = [row for row, at_s in self._waiting.items() if at_s <= now_s][:SEND_MAX]
        for row in due:
            del self._waiting[row]
        orders = [(row, line) for row in due if fleet.counted[row]]
        unheard = fleet.counted & (fleet.echoed < fleet.command)
        unheard[list(self._waiting)] = False  # served first when their time has come
        late = np.flatnonzero(unheard & (fleet.sent_s + REPEAT_S < now_s))
        late = late[np.argsort(fleet.sent_s[late], kind="stable")][:REPEAT_MAX]
        orders += [(row, self.next_line or line) for row in late.tolist()]
        if self.next_line is not None:
            turn, self._queue = self._queue[:SEND_MAX], self._queue[SEND_MAX:]
            orders += [(row, self.next_line) for row in turn if row not in self._waiting]
        return orders

    def _first_deal(self, now_s: float) -> None:
        quiet = now_s - self._newest_s >= QUIET_S or now_s - self._first_s >= PATIENCE_S
        if not self._waiting or not quiet or self._may_be_foreign(now_s):
            return
        rows = np.array(sorted(self._waiting))
        dispatcher = self.dispatcher
        dispatcher.fleet.count(rows, now_s)
        line = dispatcher.dealer.deal(rows, self._next_epoch(), now_s)
        self._adopt(line, now_s)
        self._waiting = dict.fromkeys(rows.tolist(), now_s)

    def _may_be_foreign(self, now_s: float) -> bool:
        """Whether a rig whose hello the broker kept may still run on another's ladder."""
        self._began_s = min(self._began_s, now_s)
        unheard = self.dispatcher.fleet.heard_s == NEVER
        return bool(unheard.any()) and now_s - self._began_s <= self.dispatcher.means.lease_s

    def _adopt(self, line: Line, now_s: float) -> None:
        self.dispatcher.take_line(line, now_s)
        self._late, self.changed = 0, True

    def _place(self, now_s: float) -> None:
        """Give every newcomer its steps: its own if it has some, else at the end."""
        new = [row for row, at_s in self._waiting.items() if at_s == np.inf]
        if not new:
            return
        fleet, line = self.dispatcher.fleet, self.dispatcher.line
        on_line = np.isin(np.array(new), line.rig)
        strangers = np.array(new)[~on_line]
        if len(strangers):
            longer = self.dispatcher.dealer.extend(line, strangers)
            self._late += len(strangers)
            self.dispatcher.take_line(longer, now_s)
            self.changed = True
        for row in new:
            self._waiting[row] = now_s
            if not fleet.counted[row]:
                fleet.count(np.array([row]), now_s)
                self._waiting[row] = now_s + self.dispatcher.means.lease_s

    def _redeal(self, now_s: float) -> None:
        if self.next_line is not None:
            if now_s > self._prepared_s and self._all_hold(now_s):
                line, self.next_line = self.next_line, None
                self._adopt(line, now_s)
            return
        many = self._late > max(1.0, REDEAL_SHARE * len(self.dispatcher.fleet))
        joined = many and now_s - self._newest_s > REDEAL_QUIET_S
        if not self._waiting and (joined or self._band_due(now_s)):
            self._prepare(now_s)

    def _prepare(self, now_s: float) -> None:
        """Deal the next epoch around where the position is."""
        dispatcher, counted = self.dispatcher, np.flatnonzero(self.dispatcher.fleet.counted)
        centre_w = self._band.centre(dispatcher.line, dispatcher.admit_w)
        self._band.put(centre_w, now_s)
        self.next_line = dispatcher.dealer.deal(
            counted,
            self._next_epoch(),
            now_s,
            centre_w=centre_w,
            band_w=int(BAND * dispatcher.line.length_w),
        )
        self._prepared_s = now_s
        self._queue = counted.tolist()

    def _band_due(self, now_s: float) -> bool:
        """Whether there is a reason to deal again, beside newcomers."""
        dispatcher = self.dispatcher
        line, position_w = dispatcher.line, dispatcher.admit_w
        due = self._band.due(line, position_w, dispatcher.settled, now_s)
        return due or (now_s - self._prepared_s > AGAIN_S and dispatcher.dealer.outdated)

    def _next_epoch(self) -> int:
        """Above any a rig can hold a ladder of: also those of a supervisor that was killed while
        it dealt, or whose ledger is lost."""
        return max(self.dispatcher.line.epoch + 1, int(self._unix_s))

    def _all_hold(self, now_s: float) -> bool:
        assert self.next_line is not None
        fleet = self.dispatcher.fleet
        lacking = fleet.counted & (fleet.epoch < self.next_line.epoch)
        return not lacking.any() or now_s - self._prepared_s > ECHO_S
