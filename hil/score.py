"""How well a site followed: the figures of a demo or a replay, from samples of its meter.

asked is worked out here on its own, from the envelope, the true capacity and the
declared up-ramp, so that the supervisor is not its own judge.
"""

import numpy as np

from supervisor.merit import Floats
from supervisor.ramp import UpRamp

BEYOND = 0.005  # of capacity: meter accuracy
AFTER_FALL_S = 5.0
FALL = 0.02  # of capacity: smaller falls are not timed
REACHED = 0.95


class Score:
    """Feed one sample a step; report() at the end.  window_s: of the tracking error."""

    def __init__(self, window_s: float, asked_w: float | None = None) -> None:
        """asked_w: what the site had settled on before, if it had."""
        self._window_s = window_s
        self._ramp = UpRamp()
        self._ramp.asked_w = asked_w
        self._rows: list[tuple[float, float, float, float, float]] = []
        self._fall: tuple[float, float, float] | None = None  # when, from, to
        self._falls_s: list[float] = []
        self._fell_s = -1e9

    def sample(
        self,
        at_s: float,
        step_s: float,
        limit_w: float,
        floor_w: float,
        capacity_w: float,
        up_w_per_s: float,
        metered_w: float,
        ghs: float,
    ) -> None:
        """The meter at the end of a step, against what was asked during it."""
        before_w = self._ramp.asked_w
        asked_w = self._ramp.step(
            limit_w, floor_w, capacity_w, up_w_per_s=up_w_per_s, elapsed_s=step_s
        )
        if before_w is not None and asked_w < before_w - 1.0:
            self._fell_s = at_s
            if before_w - asked_w > FALL * capacity_w and self._fall is None:
                self._fall = (at_s, metered_w if not self._rows else self._rows[-1][1], asked_w)
        self._time_fall(at_s + step_s, asked_w, metered_w, BEYOND * capacity_w)
        beyond_w = metered_w - asked_w - BEYOND * capacity_w
        counted = at_s + step_s - self._fell_s > AFTER_FALL_S
        self._rows.append((asked_w, metered_w, beyond_w if counted else 0.0, capacity_w, ghs))
        self._step_s = step_s

    _step_s = 1.0

    def _time_fall(self, at_s: float, asked_w: float, metered_w: float, slack_w: float) -> None:
        """Time a falling signal until 95 % of its step shows on the meter."""
        if self._fall is None:
            return
        since_s, from_w, to_w = self._fall
        if metered_w <= max(to_w, asked_w) + (1 - REACHED) * max(0.0, from_w - to_w) + slack_w:
            self._falls_s.append(at_s - since_s)
            self._fall = None

    def report(self) -> dict[str, float]:
        """The keys of the demo and replay results that come from the meter."""
        if not self._rows:
            return {}
        asked, metered, beyond, capacity, ghs = np.array(self._rows).T
        worst = self._windows(asked, metered) / capacity.mean() * 100
        over = np.clip(beyond, 0, None)
        falls = self._falls_s or [0.0]
        return {
            "energy_mwh": round(float(metered.sum()) * self._step_s / 3.6e9, 3),
            "hashrate_ths_mean": round(float(ghs.mean()) / 1000, 1),
            "tracking_error_pct": round(float(worst.mean()), 3),
            "tracking_error_pct_max": round(float(worst.max()), 3),
            "overshoot_w_max": round(float(over.max())),
            "overshoot_s": round(float((over > 0).sum()) * self._step_s, 1),
            "signal_to_95pct_s_p95": round(float(np.percentile(falls, 95)), 2),
            "falls": len(self._falls_s),
        }

    def _windows(self, asked: Floats, metered: Floats) -> Floats:
        """|mean metered - mean asked| of every window, watts."""
        size = max(1, round(self._window_s / self._step_s))
        whole = len(asked) // size * size or len(asked)
        shape = (-1, min(size, len(asked)))
        differs = metered[:whole].reshape(shape).mean(axis=1) - asked[:whole].reshape(shape).mean(1)
        worst: Floats = np.abs(differs)
        return worst


class Commitment:
    """Whether the site stays below what leases allow, and how soon that is below the envelope."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self.longest_s = self.above_s = 0.0

    def sample(
        self,
        at_s: float,
        step_s: float,
        limit_w: float,
        committed_w: float,
        metered_w: float,
        slack_w: float,
    ) -> None:
        """limit_w: what is allowed, at least the floor.  metered_w: at the end of the step."""
        if committed_w <= limit_w + slack_w:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = at_s
        else:
            self.longest_s = max(self.longest_s, at_s - self._since_s)
        self.above_s += step_s * (metered_w > committed_w + slack_w)

    def report(self) -> dict[str, float]:
        return {
            "committed_above_limit_s_max": round(self.longest_s, 1),
            "drawn_above_committed_s": round(self.above_s, 1),
        }
