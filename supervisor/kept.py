"""Rigs that cannot hold a ladder themselves: the supervisor holds it for them.

To the rest of the site each is a rig like any other.  It says hello and its state into the
inbox, joins, is dealt a ladder and hears every budget, all inside this process; whoever
drives the device asks what it is admitted and writes that to it.  So a site of several
kinds of rigs has one merit order, one inventory and one account of what is committed.

    joining --ladder with its nonce--> joined --budget--> admitted until the lease ends
       ^                                                      |
       '------------- left: lease over, device gone ----------'
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols import ladder, messages, topics
from protocols.ladder import ASLEEP, Admitted, Step
from supervisor.inbox import Inbox

Publish = Callable[[str, bytes], bool]
EPOCHS_HELD = 2


@dataclass(frozen=True, slots=True)
class Budget:
    """The last one broadcast.  until_s: the end of its lease."""

    epoch: int
    admit_w: int
    until_s: float
    term: int = 0
    seq: int = 0


class Kept:
    """One such rig.  hello: its facts as of the message, without a nonce."""

    def __init__(self, name: str, inbox: Inbox, hello: dict[str, Any]) -> None:
        self.name, self._inbox = name, inbox
        self.floor_w: int = hello["floor_w"]
        self.points: list[list[int]] = hello["points"]
        self._hello = hello
        self._began_s = time.monotonic()
        self.up = True
        self._begin()
        self._say("hello", hello | {"nonce": self.nonce})

    def _begin(self) -> None:
        self.nonce = os.urandom(8).hex()
        self._ladders: dict[int, tuple[Step, ...]] = {}
        self._id = 0

    @property
    def joined(self) -> bool:
        return bool(self._ladders)

    def leave(self) -> None:
        """It may have been taken from the count: it must join again before it runs."""
        self._begin()
        self._say("hello", self._hello | {"nonce": self.nonce})

    def hear(self, payload: bytes) -> None:
        """A command, sealed or not: it never left this process."""
        cmd: Any = messages.decode("cmd", payload)
        if cmd["nonce"] == self.nonce and cmd["id"] > self._id:
            self._id = cmd["id"]
            self._ladders[cmd["epoch"]] = ladder.parse(cmd["ladder"])
            for epoch in sorted(self._ladders)[:-EPOCHS_HELD]:
                del self._ladders[epoch]

    def ladder_of(self, budget: Budget | None) -> tuple[Step, ...] | None:
        """Its ladder of the epoch that is broadcast."""
        return self._ladders.get(budget.epoch) if budget else None

    def admitted(self, budget: Budget | None, now_s: float) -> Admitted:
        """What it may do now: asleep without a lease, or a ladder of its epoch."""
        steps = self.ladder_of(budget)
        if budget is None or steps is None or now_s >= budget.until_s:
            return ASLEEP
        return ladder.admit(steps, budget.admit_w)

    def watts(self, admitted: Admitted) -> int:
        """What that is in watts of the whole rig; its floor when asleep."""
        low_w, high_w = self.level_w(admitted.level), self.level_w(admitted.next_level)
        part_pm: int = admitted.part_pm
        return low_w + (high_w - low_w) * part_pm // 1000

    def level_w(self, level: int) -> int:
        return int(self.points[level - 1][0]) if level else self.floor_w

    def link(self, up: bool) -> None:
        """Whether the device can be reached."""
        if up != self.up:
            self.up = up
            self._inbox.put_rig(self.name, "link", messages.UP if up else messages.DOWN)

    def tell(self, budget: Budget | None, now_s: float, **values: Any) -> None:
        """Its state, as its device was last seen."""
        left_s = max(0.0, budget.until_s - now_s) if budget and self.joined else 0.0
        state = {
            "up_ms": int((now_s - self._began_s) * 1000) if now_s > self._began_s else 0,
            "hot_dc": 0,
            "inlet_dc": 0,
            "fan_rpm": 0,
            "fan_pm": 0,
            "cap_level": len(self.points),
            "term": budget.term if budget else 0,
            "seq": budget.seq if budget else 0,
            "epoch": max(self._ladders, default=0),
            "lease_ms": min(600_000, int(left_s * 1000)),
            "id": self._id,
            "event": 0,
            "why": "",
        } | values
        if not self.joined and state["state"] != "fault":
            state["state"] = "joining"
        state["why"] = str(state["why"])[:120]
        self._say("state", state)

    def _say(self, kind: str, values: dict[str, Any]) -> None:
        self._inbox.put_rig(self.name, kind, messages.encode(kind, values))


class Keeper:
    """All rigs kept here, between the site and their drivers.

    publish(send) is what the site publishes with: commands to a kept rig stay here, budgets
    are heard here and sent on.  on_budget: called at once when one was heard.  leads: whether
    devices may be told anything; with a standby, another supervisor may be telling them.
    """

    def __init__(
        self,
        site: str,
        clock: Callable[[], float] = time.monotonic,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.budget: Budget | None = None
        self.leads = leads
        self._clock, self._site = clock, site
        self._rigs: dict[str, Kept] = {}
        self.on_budget: list[Callable[[], None]] = []

    def keep(self, rig: Kept) -> Kept:
        self._rigs[topics.rig(self._site, rig.name, "cmd")] = rig
        return rig

    def publish(self, send: Publish) -> Publish:
        budget_topic = topics.budget(self._site)

        def publish(topic: str, payload: bytes) -> bool:
            if topic == budget_topic:
                self._hear(payload)
            elif rig := self._rigs.get(topic):
                rig.hear(payload)
                return True
            return send(topic, payload)

        return publish

    def _hear(self, payload: bytes) -> None:
        said: Any = messages.decode("budget", payload)
        until_s = self._clock() + said["ttl_ms"] / 1000
        self.budget = Budget(said["epoch"], said["admit_w"], until_s, said["term"], said["seq"])
        for heard in self.on_budget:
            heard()
