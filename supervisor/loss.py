"""What a source's silence means.  The specifications disagree, so it is a policy of each source.

    default          silent for after_s: its default                    (MQTT targets, SunSpec)
    follow-schedule  what it said holds to its end, silent or not; then its default
                                                                        (OpenADR, CSIP-AUS)
    hold-last        the word at the moment of silence for hold_s more; then its default
                                                                        (IEC 104, DNP3, Modbus)

A central outage silences every site in the same second, and all of them leaving at once
would be the next disturbance.  So each site waits a part of a minute of its own and then
falls by a gradient.  What ends because it was said to end is no loss and ends at once.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

FOREVER = float("inf")
Policy = Literal["default", "follow-schedule", "hold-last"]


@dataclass(frozen=True, slots=True)
class Loss:
    """after_s: silence that is still trust.  hold_s: how long hold-last holds.

    delay_s: this site's own wait before it falls, see stagger_s().  fall_w_per_s: how it
    falls to the default then; None: at once.
    """

    policy: Policy = "default"
    after_s: float = FOREVER
    hold_s: float = 0.0
    delay_s: float = 0.0
    fall_w_per_s: float | None = None

    def end_s(self, heard_s: float, until_s: float) -> float:
        """When the word of a source last heard then stops to count.  until_s: its own end."""
        if self.policy == "follow-schedule":
            return until_s
        held_s = self.hold_s if self.policy == "hold-last" else 0.0
        return min(until_s, heard_s + self.after_s + held_s)

    def frozen_s(self, heard_s: float, now_s: float) -> float:
        """The moment whose row of the schedule counts now."""
        return min(now_s, heard_s + self.after_s) if self.policy == "hold-last" else now_s

    def fallen_w(self, last_w: int, default_w: int, since_end_s: float) -> int:
        """The limit so long after a lost word ended: from the last to the default."""
        since_s = since_end_s - self.delay_s
        if since_s < 0:
            return last_w
        if self.fall_w_per_s is None or default_w >= last_w:
            return default_w
        return max(default_w, int(last_w - self.fall_w_per_s * since_s))


def stagger_s(site: str, source: str, most_s: float) -> float:
    """A site's own part of most_s: the same at every start, another at every site."""
    digest = hashlib.sha256(f"{site}/{source}".encode()).digest()
    return most_s * int.from_bytes(digest[:4], "big") / 2**32


@dataclass(frozen=True, slots=True)
class Watch:
    """A source whose heartbeat and whose limits come apart, as in EEBus LPC or SunSpec 715.

    In failsafe from the start and after a silence; out of it by a heartbeat and a limit said
    after it.  release_s: with heartbeats but no limit the failsafe ends so much later (LPC-921).
    """

    after_s: float
    release_s: float = FOREVER
    heard_s: float = -FOREVER
    back_s: float = -FOREVER  # the first heartbeat after a silence, or ever
    said_s: float = -FOREVER

    def beat(self, now_s: float) -> "Watch":
        back_s = now_s if now_s - self.heard_s >= self.after_s else self.back_s
        return Watch(self.after_s, self.release_s, now_s, back_s, self.said_s)

    def limit(self, now_s: float) -> "Watch":
        return Watch(self.after_s, self.release_s, self.heard_s, self.back_s, now_s)

    def failsafe(self, now_s: float) -> bool:
        if now_s - self.heard_s >= self.after_s:
            return True
        return self.said_s < self.back_s and now_s - self.back_s < self.release_s

    def limited(self, now_s: float) -> bool:
        """Whether the limit said last counts; without it and without failsafe there is none."""
        return not self.failsafe(now_s) and self.said_s >= self.back_s
