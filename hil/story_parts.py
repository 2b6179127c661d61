"""What stands around a story's site: the grid's feeds, the meter, the hall and its fans."""

import json
import random
from typing import Protocol

from supervisor.facility import Drive, Facility, Rules, Sight
from supervisor.inbox import Inbox
from supervisor.site import Site
from supervisor.sources.drives import SOURCE, Drives, load_of

UNIX_S = 1_800_000_000.0
SAID_EVERY_S = 20.0
METER_NOISE = 0.0003
FRESH_C, STILL_K, AIR_S = 20.0, 40.0, 60.0  # air outside; above it at full load and no fan; its lag
SPIN_S = 8.0  # a facility fan, from standstill to full speed
AIRFLOW = 0.8  # of its speed, from which on it counts as moving air


class Feed:
    """A grid operator on one topic, who says his target again and again."""

    def __init__(self, source: str) -> None:
        self.source, self.first = source, b""
        self.target_pct: float | None = None  # None: silent
        self.flap: tuple[float, float, float] | None = None  # the other target, period, when
        self._said_s = self._stamp_s = -SAID_EVERY_S

    def word(self, now_s: float, skew_s: float = 0.0) -> bytes:
        self._stamp_s = max(now_s, self._stamp_s + 0.001)  # two words of one moment differ
        stamp_s = UNIX_S + self._stamp_s + skew_s
        payload = json.dumps({"target": self.target_pct, "timestamp": stamp_s}).encode()
        self.first, self._said_s = self.first or payload, now_s
        return payload

    def due(self, now_s: float) -> bool:
        if self.target_pct is None:
            return False
        if self.flap and now_s >= self.flap[2]:
            other, period_s, _ = self.flap
            self.flap = (self.target_pct, period_s, now_s + period_s)
            self.target_pct = other
            return True
        return now_s - self._said_s >= SAID_EVERY_S


class SiteMeter:
    """fault: "", silent, frozen or flipped."""

    def __init__(self, seed: int) -> None:
        self.fault = ""
        self._chance = random.Random(seed)
        self._energy_wh, self._held = 0.0, {"power": 0.0, "energy": 0.0}

    def read(self, drawn_w: float) -> dict[str, float] | None:
        """Once a second.  None when it does not answer."""
        self._energy_wh += drawn_w / 3600
        if self.fault == "silent":
            return None
        if self.fault != "frozen":
            seen_w = drawn_w * (1 + METER_NOISE * self._chance.gauss(0, 1))
            sign = -1 if self.fault == "flipped" else 1
            self._held = {"power": sign * round(seen_w), "energy": round(self._energy_wh)}
        return self._held


class Clock(Protocol):
    """A story's: now since it began, unix as the site has it."""

    @property
    def now_s(self) -> float: ...
    @property
    def unix_s(self) -> float: ...


class HallFan:
    """A facility fan behind its drive.  wish: as supervisor.sources.drives writes it."""

    def __init__(self, name: str) -> None:
        self.name, self.wish = name, False
        self.broken = False  # takes its command, and does not turn
        self.speed = 0.0

    def step(self, dt_s: float) -> None:
        aim = 1.0 if self.wish and not self.broken else 0.0
        most = dt_s / SPIN_S
        self.speed += max(-most, min(most, aim - self.speed))

    def sight(self, now_s: float) -> Sight:
        moves = self.speed >= AIRFLOW
        return Sight(now_s, moves and self.wish, self.wish, "" if moves else "it does not turn")


class Hall:
    """The air that rigs breathe, moved by fans that the real supervisor/facility.py commands."""

    def __init__(self, fans: int, load_w: float) -> None:
        self.fans = [HallFan(f"fan {number}") for number in range(1, fans + 1)]
        self._load_w = load_w
        self.air_c = FRESH_C
        self._facility: Facility | None = None

    def take_over(self, inbox: Inbox, site: Site, clock: Clock) -> None:
        """A supervisor has come."""
        if not self.fans:
            return
        carries_w = round(self._load_w / len(self.fans))
        drives = [Drive(fan.name, carries_w) for fan in self.fans]
        taking_over = SOURCE in inbox.entries
        self._facility = Facility(drives, Rules(), clock.now_s, taking_over=taking_over)
        self._drives = Drives(
            inbox,
            self.fans,  # type: ignore[arg-type]  # a name and a wish are all that is asked
            self._facility,
            lambda: load_of(site),
            clock=lambda: clock.now_s,
            unix=lambda: clock.unix_s,
        )

    def drive(self, now_s: float) -> None:
        """Once a second: what the fans do is read, and what they shall do decided."""
        if self._facility:
            for fan in self.fans:
                self._facility.hear(fan.name, fan.sight(now_s))
            self._drives.step()

    def warm(self, dt_s: float, drawn_w: float) -> None:
        for fan in self.fans:
            fan.step(dt_s)
        flow = sum(fan.speed for fan in self.fans) / len(self.fans) if self.fans else 1.0
        load = drawn_w / self._load_w
        aim_c = FRESH_C + STILL_K * load * max(0.0, 1 - flow / max(load, 0.01))
        self.air_c += (aim_c - self.air_c) * dt_s / AIR_S
