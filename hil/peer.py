"""The supervisor's part in a story: joins rigs, broadcasts budgets, remembers what it hears.

It only knows the contract.  Every rig gets its whole table as ladder, all from the same
position, so that one number means one level for all; who wants a merit order drives the
real supervisor (hil/supervised.py).
"""

from dataclasses import dataclass, field
from typing import Any

from hil.broker import Broker
from hil.clock import VirtualClock
from protocols import mac, messages, topics

START_W = 1000  # where every ladder begins
BEAT_US = 1_000_000
UNIX_S = 1_800_000_000  # what the supervisor's clock says when the bench starts

Message = dict[str, Any]


@dataclass(slots=True)
class Heard:
    """What one rig said; the newest of each kind, and when that was."""

    hello: Message = field(default_factory=dict)
    state: Message = field(default_factory=dict)
    state_s: float = 0.0
    states: list[tuple[float, Message]] = field(default_factory=list)
    events: list[Message] = field(default_factory=list)  # each once, in order
    nonces: list[str] = field(default_factory=list)  # each a joining it asked for
    links: list[str] = field(default_factory=list)  # "up" and "down"
    wrong: list[str] = field(default_factory=list)  # what was no message of the contract
    id: int = 0
    told_s: float = -10.0  # when the last cmd went out

    @property
    def codes(self) -> list[str]:
        return [event["code"] for event in self.events]

    @property
    def joined(self) -> bool:
        return bool(self.id and self.state.get("id") == self.id)


def whole_ladder(hello: Message, start_w: int) -> list[list[int]]:
    """[level, start_w, end_w] of all levels a rig has told of, one after the other."""
    steps, at, below_w = [], start_w, hello["floor_w"]
    for level, (watts, _) in enumerate(hello["points"], 1):
        steps.append([level, at, at + watts - below_w])
        at, below_w = steps[-1][2], watts
    return steps


class Site:
    """admit_w None is silence; otherwise it is broadcast every second with a lease."""

    def __init__(self, clock: VirtualClock, broker: Broker, name: str, key: bytes) -> None:
        self._clock, self._broker, self.name, self.key = clock, broker, name, key
        self.admit_w: int | None = None
        self.joins = True  # answer who asks to be joined
        self.lease_s = 3.0
        self.term, self.seq, self.epoch = 1, 0, 1
        self.rigs: dict[str, Heard] = {}
        self.sent: list[tuple[str, bytes]] = []  # (topic, payload) of all it ever said
        for kind in ("hello", "state", "event", "link"):
            broker.subscribe(topics.rig(name, "+", kind), self._hear)
        clock.every_us(BEAT_US, self._beat)

    def heard(self, rig: str) -> Heard:
        return self.rigs.setdefault(rig, Heard())

    def level(self, level: int, part_pm: int = 0) -> None:
        """Broadcast what admits this level, and part of the step to the next one, from now on.

        Of the first rig heard of, when their tables differ.  Raises LookupError before
        any rig said hello, and for a level it does not have.
        """
        steps = self.ladder(next(name for name, one in self.rigs.items() if one.hello))
        if not 0 <= level <= len(steps):
            raise LookupError(f"there are levels 0 to {len(steps)}, not {level}")
        position_w = steps[level - 1][2] if level else 0
        if part_pm:
            position_w += (steps[level][2] - steps[level][1]) * part_pm // 1000
        self.budget(position_w)

    def budget(self, admit_w: int, **changed: int) -> None:
        """Broadcast this position now, and every second from now on."""
        self.admit_w = admit_w
        self._broadcast(changed)

    def silence(self) -> None:
        """Say nothing more: budgets, nor answers to who wants to join."""
        self.admit_w, self.joins = None, False

    def ladder(self, rig: str) -> list[list[int]]:
        """[level, start_w, end_w] of all its levels."""
        return whole_ladder(self.heard(rig).hello, START_W)

    def words(self, rig: str, *lines: str) -> None:
        """Words to obey, in a command of their own."""
        one = self.heard(rig)
        one.id += 1
        self.say(*self._cmd(rig, {"do": list(lines)}))

    def join(self, rig: str) -> None:
        """The cmd that lets it join, or renews its ladder; repeated until echoed."""
        one = self.heard(rig)
        if one.joined or not one.id:
            one.id += 1
        one.told_s = self._clock.now_s()
        self.say(*self._cmd(rig, {}))

    def _cmd(self, rig: str, more: Message) -> tuple[str, bytes]:
        one = self.heard(rig)
        values = {
            "nonce": one.hello["nonce"],
            "id": one.id,
            "term": self.term,
            "seq": self.seq,
            "epoch": self.epoch,
            "ladder": self.ladder(rig),
            "event": one.events[-1]["event"] if one.events else 0,
        }
        topic = topics.rig(self.name, rig, "cmd")
        body = messages.encode("cmd", values | more)
        return topic, mac.seal(mac.rig_key(self.key, rig), topic, body)

    def say(self, topic: str, payload: bytes) -> None:
        """Anything at all, as the supervisor's client would: forgeries and replays too."""
        self.sent.append((topic, payload))
        self._broker.publish(topic, payload, by="site")

    def _beat(self) -> None:
        if self.admit_w is not None:
            self._broadcast({})
        now_s = self._clock.now_s()
        for rig, one in self.rigs.items():
            waits = (
                one.hello and self.joins and not one.joined and one.state.get("state") != "fault"
            )
            if waits and now_s - one.told_s > 2.0:
                self.join(rig)

    def _broadcast(self, changed: dict[str, int]) -> None:
        self.seq += 1
        values: dict[str, object] = {
            "term": self.term,
            "seq": self.seq,
            "epoch": self.epoch,
            "admit_w": self.admit_w,
            "budget_w": self.admit_w,
            "ttl_ms": int(self.lease_s * 1000),
            "sent_ms": int((UNIX_S + self._clock.now_s()) * 1000),
        }
        topic = topics.budget(self.name)
        body = messages.encode("budget", values | changed)
        self.say(topic, mac.seal(mac.budget_key(self.key), topic, body))

    def _hear(self, topic: str, payload: bytes) -> None:
        named = topics.parse(topic)
        if named is None:
            return
        _, rig, kind = named
        one = self.heard(rig)
        if kind == "link":
            one.links.append(payload.decode(errors="replace"))
            return
        try:
            message = messages.decode(kind, payload)
        except messages.MessageError as error:
            one.wrong.append(str(error))
            return
        if kind == "hello":
            self._hear_hello(rig, one, message)
        elif kind == "state":
            one.state, one.state_s = message, self._clock.now_s()
            one.states.append((one.state_s, message))
        elif message not in one.events:
            one.events.append(message)

    def _hear_hello(self, rig: str, one: Heard, hello: Message) -> None:
        one.hello = hello
        if hello["nonce"] not in one.nonces:
            one.nonces.append(hello["nonce"])
            one.id += 1
            if self.joins:
                self.join(rig)
