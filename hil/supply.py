"""A power supply's output stage, and what comes in from the mains.

    mains_v: 0 ------- 70 ----------- 170/185 --------------- 230
             nothing   standby: bus   output, as far as the    all of it
                       and fans       input current allows

Plain numbers and step(dt).  Thresholds are those of supplies for 200 to 240 V.
"""

import math

ALIVE_V, OFF_BELOW_V, ON_ABOVE_V, NOMINAL_V = 70.0, 170.0, 185.0, 230.0
FULL_FROM_V = 200.0  # lowest mains for all its watts: its input current is limited
OVERLOAD, OVERLOAD_S = 1.1, 0.1
ON_DELAY_S, UP_V_PER_S, DOWN_V_PER_S, OFF_V_PER_S = 0.25, 40.0, 10.0, 200.0
INRUSH_J, INRUSH_S = 80.0, 0.05  # into the capacitors when the mains come
OVER_CURRENT, OVER_HEAT = "over-current", "over-temperature"


class Supply:
    def __init__(self, rated_w: float, command_v: float, latch_wait_s: float = 0.0) -> None:
        """latch_wait_s: how long it must be left off before it forgets a fault."""
        self.rated_w, self.command_v, self.latch_wait_s = rated_w, command_v, latch_wait_s
        self.mains_v, self.enabled = NOMINAL_V, False
        self.volts = self.out_w = self.inrush_w = 0.0
        self.latched = ""  # why it has switched itself off; cleared by switching it off
        self.under_voltage = False  # the mains are too low for the output
        self.on_s = self._off_s = self._over_s = 0.0
        self._inrush_j, self._was_alive = 0.0, True

    @property
    def alive(self) -> bool:
        """Whether its bus answers and the standby rail stands."""
        return self.mains_v >= ALIVE_V

    def trip(self, why: str) -> None:
        """It switches itself off, as if this had happened."""
        self.latched, self._off_s = why, 0.0

    def step(self, dt_s: float, out_w: float) -> None:
        self.out_w = out_w
        self._take_in(dt_s)
        self._protect(dt_s, out_w)
        on = self.alive and not self.under_voltage and self.enabled and not self.latched
        self.on_s = self.on_s + dt_s if on else 0.0
        wanted_v = self.command_v if on and self.on_s >= ON_DELAY_S else 0.0
        if wanted_v and out_w > 0:  # as many volts as its input current carries
            limit_w = self.rated_w * self.mains_v / FULL_FROM_V
            wanted_v = min(wanted_v, self.volts * math.sqrt(limit_w / out_w))
        down = DOWN_V_PER_S if wanted_v == self.command_v else OFF_V_PER_S
        self.volts += max(-down * dt_s, min(UP_V_PER_S * dt_s, wanted_v - self.volts))

    def _take_in(self, dt_s: float) -> None:
        if self.alive and not self._was_alive:
            self._inrush_j = INRUSH_J
        self._was_alive = self.alive
        if not self.alive:
            self.latched = ""
        self.under_voltage = self.mains_v < (ON_ABOVE_V if self.under_voltage else OFF_BELOW_V)
        self.inrush_w = 0.0
        if self._inrush_j > 0.1 and dt_s > 0:
            taken_j = self._inrush_j * -math.expm1(-dt_s / INRUSH_S)
            self._inrush_j -= taken_j
            self.inrush_w = taken_j / dt_s

    def _protect(self, dt_s: float, out_w: float) -> None:
        self._off_s = 0.0 if self.enabled else self._off_s + dt_s
        if not self.enabled and self._off_s >= self.latch_wait_s:
            self.latched = ""
        over = out_w > self.rated_w * OVERLOAD
        self._over_s = self._over_s + dt_s if over else 0.0
        if self._over_s > OVERLOAD_S:
            self.latched = OVER_CURRENT
