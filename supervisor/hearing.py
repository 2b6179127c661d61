"""Rig messages into the fleet's columns: typed decoding, one small function a kind.

The decoders are made from protocols/messages.py, so a field has its range in one
place.  A message that is not one changes nothing, and is counted under its reason.
"""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from protocols import messages
from supervisor.fleet import FAULT, JOINING, STATES, Facts, Fleet

RIGS_MAX = 65_536  # more rigs than a site has: a flood of made-up names ends here
TELEMETRY = ("level", "power_w", "hash_ghs", "hot_dc", "fan_rpm", "cap_level", "event")


def _decoder(kind: str) -> msgspec.json.Decoder[Any]:
    """A typed decoder of one message, from its table."""
    fields: list[tuple[str, Any]] = []
    for name, (form, low, high) in messages.TABLES[kind].items():
        if form == messages.INT:
            fields.append((name, Annotated[int, Meta(ge=low, le=high)]))
        else:
            of = str if form == messages.TEXT else list[Any]
            fields.append((name, Annotated[of, Meta(min_length=low, max_length=high)]))
    return msgspec.json.Decoder(msgspec.defstruct(kind.title(), fields))


_HELLO, _STATE, _EVENT = (_decoder(kind) for kind in ("hello", "state", "event"))


class Hearing:
    """Writes what rigs say into the columns, and notes who wants to join.

    on_event is called with (rig, number, code, text) for every event not heard before.
    """

    def __init__(self, fleet: Fleet, on_event: Callable[[str, int, str, str], None]) -> None:
        self.fleet, self._on_event = fleet, on_event
        self.joining: set[int] = set()  # rows that wait for a ladder
        self.foreign_s = -np.inf  # when a rig was last heard that obeys somebody else
        self.owed: set[int] = set()  # rows with events heard and not yet echoed
        self.refused: Counter[str] = Counter()

    def hear(self, rig: str, kind: str, payload: bytes, now_s: float) -> str:
        """Take one message.  "" when taken, otherwise why not."""
        try:
            if kind == "link":
                self._link(rig, payload, now_s)
            elif kind == "hello":
                self._hello(rig, _version(_HELLO.decode(payload)))
            elif rig not in self.fleet.row_of:
                raise ValueError("no hello of this rig yet")
            elif kind == "state":
                self._state(self.fleet.row_of[rig], _version(_STATE.decode(payload)), now_s)
            else:
                self._event(rig, _version(_EVENT.decode(payload)))
        except (ValueError, msgspec.DecodeError) as error:
            self.refused[f"{kind}: {error}"[:120]] += 1
            if len(self.refused) > 1000:
                self.refused.clear()
            return f"{rig}/{kind}: {error}"
        return ""

    def _hello(self, rig: str, hello: Any) -> None:
        if rig not in self.fleet.row_of and len(self.fleet) >= RIGS_MAX:
            raise ValueError(f"more than {RIGS_MAX} rigs")
        facts = facts_of(hello)
        row = self.fleet.row_of.get(rig)
        if row is not None and self.fleet.nonces[row] == hello.nonce:
            return
        renewed = row is not None and self.fleet.nonces[row] != ""
        row = self.fleet.put(rig, facts, hello.nonce)
        if renewed:  # what it held it holds no more; it sleeps until it hears from us
            self.fleet.admitted_s[row] = np.inf
            self.fleet.event_kept[row] = 0

    def _state(self, row: int, state: Any, now_s: float) -> None:
        fleet = self.fleet
        if state.state not in STATES:
            raise ValueError(f"state {state.state!r}, one of {', '.join(STATES)}")
        fleet.heard_s[row], fleet.down_s[row] = now_s, np.inf
        if fleet.cap_level[row] != state.cap_level:
            fleet.version += 1
        for name in TELEMETRY:
            getattr(fleet, name)[row] = getattr(state, name)
        fleet.state[row] = number = STATES.index(state.state)
        fleet.echoed[row], fleet.epoch[row], fleet.whys[row] = state.id, state.epoch, state.why
        if number == FAULT:
            self.joining.discard(row)
            if fleet.counted[row]:
                fleet.uncount(np.array([row]))
        elif fleet.nonces[row] and (number == JOINING or not fleet.counted[row]):
            self.joining.add(row)  # one that runs uncounted, on whose word ever, too
            if number != JOINING:
                self.foreign_s = now_s

    def _event(self, rig: str, event: Any) -> None:
        row = self.fleet.row_of[rig]
        self.owed.add(row)
        if event.event > self.fleet.event_kept[row]:
            self.fleet.event_kept[row] = event.event
            self._on_event(rig, event.event, event.code, event.text)

    def _link(self, rig: str, payload: bytes, now_s: float) -> None:
        if payload not in (messages.UP, messages.DOWN):
            raise ValueError("up or down")
        row = self.fleet.row_of.get(rig)
        if row is None:
            return
        if payload == messages.UP:
            self.fleet.down_s[row] = np.inf
        else:
            self.fleet.down_s[row] = min(self.fleet.down_s[row], now_s)


def facts_of(hello: Any) -> Facts:
    """What a hello says of its rig.  Raises ValueError naming the member."""
    points = []
    above_w, above_ghs = hello.floor_w, 0
    for number, point in enumerate(hello.points):
        if not (
            isinstance(point, list)
            and len(point) == 2
            and all(type(value) is int for value in point)
        ):
            raise ValueError(f"points[{number}]: [watts, ghs], two integers")
        watts, ghs = point
        if not (above_w < watts <= 100_000 and above_ghs <= ghs < 1 << 32):
            raise ValueError(f"points[{number}]: watts and hash rate rise from level to level")
        above_w, above_ghs = watts, ghs
        points.append((watts, ghs))
    return Facts(
        hello.model, hello.floor_w, tuple(points), hello.wake_ms / 1000, float(hello.up_w_per_s)
    )


def _version(message: Any) -> Any:
    if message.v != messages.VERSION:
        raise ValueError(f"version {message.v}, this side speaks {messages.VERSION}")
    return message
