"""What a control room's SCADA orders and reads, whatever protocol carries it.

IEC 60870-5-104 and DNP3 have no expiry on the wire: a set-point stands until the next one,
and a dead link says nothing.  So the end is ours: the last set-point is held for hold_s
after the room was last heard, then default_mw, reached as every loss is (loss.py).  Heard
is a living link, or with `watchdog` a watchdog point that is written.  A lost set-point does
not come back with the link: it takes a new one, after the room is heard again.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from supervisor.envelope import EMERGENCY, Entry
from supervisor.grid.told import Told
from supervisor.inbox import Inbox
from supervisor.loss import FOREVER
from supervisor.sections.kinds import W_PER_MW
from supervisor.sections.scada import ScadaConfig

TAG_OFF_S = 10.0  # how far a command's time tag may be from our clock


def _mw(w: int | None) -> float | None:
    return None if w is None else w / W_PER_MW


# name -> MW, None when not known; in the order of their addresses
MEASURED: dict[str, Callable[[Told], float | None]] = {
    "metered": lambda told: _mw(told.metered_w) if told.quality == "ok" else None,
    "limit in force": lambda told: _mw(told.limit_w),
    "asked": lambda told: _mw(told.asked_w),
    "committed": lambda told: _mw(told.committed_w),
    "capacity": lambda told: _mw(told.capacity_w),
    "down in 5 s": lambda told: _mw(told.capability.down_w[0]),
    "down in 60 s": lambda told: _mw(told.capability.down_w[1]),
    "down in 600 s": lambda told: _mw(told.capability.down_w[2]),
    "up in 5 s": lambda told: _mw(told.capability.up_w[0]),
    "up in 60 s": lambda told: _mw(told.capability.up_w[1]),
    "up in 600 s": lambda told: _mw(told.capability.up_w[2]),
}
FLAGS: dict[str, Callable[[Told], bool]] = {
    "deviates from what was asked": lambda told: told.deviates,
    "metering not good": lambda told: told.quality != "ok",
    "held below capacity": lambda told: told.limit_w < told.capacity_w,
    "asleep": lambda told: told.asked_w <= told.floor_w,
}


@dataclass(frozen=True, slots=True)
class Orders:
    """What the room has said.  Times are Unix seconds.

    heard_s: when it was last heard while its word counted.  beat_s: last heard at all.
    lost: the set-point, for good.
    """

    setpoint_w: int | None = None
    said_s: float = 0.0
    emergency: bool = False
    heard_s: float = 0.0
    beat_s: float = 0.0
    lost: bool = False

    def heard(self, now_s: float, trust_s: float) -> "Orders":
        """The room is there: what still counts goes on, a set-point that was lost stays lost."""
        if self._lost(now_s, trust_s) and not self.emergency:
            return replace(self, beat_s=now_s, lost=True)
        return replace(self.trusted(now_s, trust_s), heard_s=now_s, beat_s=now_s)

    def trusted(self, now_s: float, trust_s: float) -> "Orders":
        """Without a set-point whose trust has ended."""
        gone = self._lost(now_s, trust_s)
        return replace(self, setpoint_w=None, lost=False) if gone else self

    def _lost(self, now_s: float, trust_s: float) -> bool:
        return self.setpoint_w is not None and (self.lost or now_s - self.heard_s >= trust_s)


class Desk:
    """Takes orders from any thread; each answers "" or why it was refused.

    say() must run on the loop of the inbox: call(say) is how a protocol's own thread asks.
    """

    def __init__(
        self,
        source: str,
        section: ScadaConfig,
        site: str,
        limit_w: int,
        inbox: Inbox,
        clock: Callable[[], float] = time.time,
        weigh: Callable[[Entry], str] = lambda entry: "",
    ) -> None:
        self.orders, self._weigh = Orders(), weigh
        self._source, self._section, self._limit_w = source, section, limit_w
        self._inbox, self._clock, self._lock = inbox, clock, threading.Lock()
        self._default_w = round(section.default_mw * W_PER_MW)
        self._loss = section.loss("hold-last", site, source, limit_w, section.hold_s)
        self._trust_s = section.silence_s + section.hold_s
        self._link: object = None

    def setpoint(self, mw: float, tag_s: float | None = None) -> str:
        """At most so much import.  tag_s: the command's own time, where it has one."""
        now_s = self._clock()
        if tag_s is not None and abs(now_s - tag_s) > TAG_OFF_S:
            return (
                f"the command is {now_s - tag_s:+.1f} s old by its time tag; {TAG_OFF_S:g} at most"
            )
        if wrong := self.wrong(mw):
            return wrong
        w, watchdog = math.floor(mw * W_PER_MW), self._section.watchdog

        def say(before: Orders) -> Orders:
            beat_s = before.beat_s if watchdog else now_s
            return Orders(w, now_s, before.emergency, beat_s, beat_s)

        self._change(say)
        return ""

    def wrong(self, mw: float) -> str:
        """Why a set-point would be refused; nothing is ordered."""
        if not (math.isfinite(mw) and 0 <= mw * W_PER_MW <= self._limit_w):
            return f"set-point {mw:g} MW; it is 0 to {self._limit_w / W_PER_MW:g} MW"
        silence_s = self._section.silence_s
        if self._section.watchdog and self._clock() - self.orders.beat_s >= silence_s:
            return f"the watchdog point was not written for {silence_s:g} s; write it first"
        return ""

    def selected(self, mw: float) -> str:
        """A set-point before it is ordered: weighed, and why it would be refused.

        On the loop of the inbox.
        """
        now_s = self._clock()
        orders = Orders(math.floor(mw * W_PER_MW), now_s, self.orders.emergency, now_s)
        return self._weigh(self._entry(orders))

    def emergency(self, on: bool) -> str:
        """Everything asleep, until it is taken back."""
        now_s = self._clock()
        self._change(
            lambda before: replace(
                before.trusted(now_s, self._trust_s), emergency=on, heard_s=now_s
            )
        )
        return ""

    def watchdog(self) -> str:
        now_s = self._clock()
        self._change(lambda before: before.heard(now_s, self._trust_s))
        return ""

    def linked(self, link: object) -> None:
        """The link that lives now, None for none; heard where no watchdog is asked for.

        The same one as before was never lost, however long this process had no time to look.
        """
        if not self._section.watchdog and link is not None:
            now_s, trust_s = self._clock(), FOREVER if link == self._link else self._trust_s
            self._change(lambda before: before.heard(now_s, trust_s))
        self._link = link

    def _change(self, change: Callable[[Orders], Orders]) -> None:
        with self._lock:
            self.orders = change(self.orders)

    def refuse(self, why: str) -> None:
        self._inbox.refuse(self._source, why)

    def say(self) -> None:
        """The one entry of this source, when it has changed or was heard again."""
        with self._lock:
            orders = self.orders
        self._inbox.renew(self._entry(orders))

    def _entry(self, orders: Orders) -> Entry:
        w = 0 if orders.emergency else orders.setpoint_w
        rows = () if w is None else ((orders.said_s, w),)
        because = (
            "emergency" if orders.emergency else "set-point" if rows else "nothing ordered yet"
        )
        return Entry(
            self._source,
            rows,
            heard_s=orders.heard_s,
            loss=self._loss,
            default_w=self._default_w,
            because=because,
            kind=EMERGENCY if orders.emergency else "setpoint",
        )
