"""What is alarming now: alarms that stand, silences, and how long conditions have lasted."""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from supervisor.merit import Bools, Floats, Ints

EXAMPLES = 10  # rigs named in an alarm of many
RAISED, GREW, CLEARED, MERGED, ACKED = "raised", "grew", "cleared", "merged", "acked"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.  subject: a rig, a place, a source; "" is the site."""

    rule: str
    subject: str
    severity: str
    since_s: float  # Unix seconds
    count: int = 1  # rigs now,
    told: int = 1  # and when this was last news
    rigs: list[str] = []  # some of them
    text: str = ""
    acked_by: str = ""
    acked_s: float | None = None

    @property
    def key(self) -> str:
        return f"{self.rule} {self.subject}".rstrip()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an alarm."""

    change: str
    alarm: Alarm
    at_s: float
    silenced: bool = False


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is told of these until then; they are still shown.  "" is any."""

    rule: str
    subject: str
    until_s: float
    by: str
    why: str = ""

    @property
    def key(self) -> str:
        return f"{self.rule or '*'} {self.subject or '*'}"

    def covers(self, alarm: Alarm, unix_s: float) -> bool:
        """subject covers itself and what lies below it: c07 also c07/rack-3 and c07-r2-14."""
        under = (self.subject, self.subject + "/", self.subject + "-")
        here = alarm.subject == self.subject or alarm.subject.startswith(under[1:])
        return (
            unix_s < self.until_s and self.rule in ("", alarm.rule) and (self.subject == "" or here)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """One rule over its subjects: since when each is on the other side, and which are raised."""

    subjects: list[str]
    raised: Bools
    since_s: Floats  # NaN: it is where it should be

    @classmethod
    def none(cls) -> "Watch":
        return cls([], np.zeros(0, dtype=bool), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Values by subject; place: the number of each subject's place in places, -1 has none."""

    subjects: list[str]
    values: Floats
    whys: list[str] | None = None
    place: Ints | None = None
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that rules look at, at one instant.  now_s: monotonic."""

    now_s: float
    unix_s: float
    measured: dict[str, Measured]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    alarms: dict[str, Alarm]  # by key
    silences: dict[str, Silence]
    watches: dict[str, Watch]  # by rule
    together: frozenset[str]  # keys of alarms that stand for many, until none of them is left
    kept: dict[str, float]  # keys from before a restart not seen since: believed until then


EMPTY = State({}, {}, {}, frozenset(), {})
