"""A four-wire fan: a rotor with inertia and two tach pulses a turn, and how both go wrong."""

import random

SPIN_UP_S, RUN_DOWN_S, JAM_S = 1.5, 2.5, 0.2
MAX_RPM = 5950.0
PULSES = 2
SLOW = 0.6  # of its speed, with worn bearings
NOISE_HZ = 40.0  # pulses that are none, on average


def settled_rpm(duty: float) -> float:
    """Through the recorded 2130 rpm at 20 % and 5950 at 92 %; below 5 % it stands."""
    return min(MAX_RPM, 1069.0 + 5306.0 * duty) if duty >= 0.05 else 0.0


class Fan:
    def __init__(self, spread: float = 1.0, seed: int = 0) -> None:
        """spread: this one's speed to the mean of its kind."""
        self.rpm = 0.0
        self.jammed = self.slow = False
        self.tach_dead = self.tach_doubled = self.tach_noisy = False
        self._spread, self._random = spread, random.Random(seed)
        self._edges, self._at_s = 0.0, 0.0

    def step(self, now_s: float, duty: float) -> None:
        dt_s = now_s - self._at_s if self._at_s else 0.0
        self._edges += self._pulsed(now_s)
        if self.tach_noisy:
            self._edges += self._random.uniform(0, 2 * NOISE_HZ * dt_s)
        self._at_s = now_s
        wanted = 0.0 if self.jammed else settled_rpm(duty) * self._spread
        if self.slow:
            wanted *= SLOW
        lag_s = JAM_S if self.jammed else SPIN_UP_S if wanted > self.rpm else RUN_DOWN_S
        self.rpm += (wanted - self.rpm) * min(1.0, dt_s / lag_s)
        if self.rpm < 20:
            self.rpm = 0.0 if not wanted else self.rpm

    def edges(self, now_s: float) -> int:
        """Rising edges of the tach line so far."""
        return int(self._edges + self._pulsed(now_s))

    def tach_rpm(self) -> float:
        """What a fan controller makes of its pulses."""
        return 0.0 if self.tach_dead else self.rpm * (2 if self.tach_doubled else 1)

    def _pulsed(self, now_s: float) -> float:
        if not self._at_s:
            return 0.0
        return max(0.0, now_s - self._at_s) * self.tach_rpm() / 60 * PULSES
