"""Signals for the demo: a shaped winter surplus, or a recorded one short enough to watch."""

from dataclasses import dataclass

import numpy as np

from supervisor.sources.signal_csv import Series

ROW_S = 6.0  # of the demo, for one row of a recorded series that is too slow to watch
STEP_S = 5.0  # rows of the shaped signal


@dataclass(frozen=True, slots=True)
class Tape:
    """A series to be played from one moment on, `speed` times as fast as recorded."""

    series: Series
    from_s: float
    speed: float

    def at(self, played_s: float) -> int:
        """The watts at so many seconds of the demo; 0 once the tape is over."""
        return self.series.at(self.from_s + played_s * self.speed) or 0


def winter(capacity_w: int, seconds: float, seed: int = 1) -> Series:
    """A winter's surplus, shaped: a night's broad hill with wind on it, a lull, a call-off.

    Not a recording.  One night takes 120 s; the surplus stays inside the capacity.
    """
    random = np.random.default_rng(seed)
    rows = max(2, int(seconds / STEP_S) + 1)
    t_s = np.arange(rows) * STEP_S
    hill = 0.62 + 0.22 * np.sin(2 * np.pi * (t_s / 120 - 0.1))
    gusts = np.zeros(rows)
    for row in range(1, rows):
        gusts[row] = 0.7 * gusts[row - 1] + 0.05 * random.standard_normal()
    lull = np.where((t_s % 120 >= 60) & (t_s % 120 < 75), -0.25, 0.0)
    share = np.clip(hill + gusts + lull, 0.08, 1.0)
    called_off = (t_s % 240 >= 200) & (t_s % 240 < 215)
    watts = np.where(called_off, 0.05, share) * capacity_w
    return Series(tuple(t_s.tolist()), tuple(int(w) for w in watts), STEP_S)


def tape(series: Series, capacity_w: int, seconds: float) -> Tape:
    """The series for a demo of so many seconds.

    What is no longer than that is played as it is.  A longer one is played fast, a row
    in ROW_S, from where the most happens.
    """
    fitted = series.fitted(capacity_w)
    begin_s = fitted.times_s[0]
    if fitted.end_s - begin_s <= seconds * 1.5 or fitted.step_s <= ROW_S:
        return Tape(fitted, begin_s, 1.0)
    speed = fitted.step_s / ROW_S
    return Tape(fitted, liveliest_s(fitted, seconds * speed), speed)


def liveliest_s(series: Series, length_s: float) -> float:
    """The start of the stretch of this length with the most change in it.

    Stretches in which there is a surplus all the time come first: played fast, a fall to
    nothing and back would be over before a rig is awake.
    """
    times_s, w = np.array(series.times_s), np.array(series.w, dtype=float)
    moved = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(w)))))
    nothing = np.concatenate(([0], np.cumsum(w <= 0)))
    last = np.searchsorted(times_s, times_s + length_s, side="right") - 1
    whole = times_s + length_s <= series.end_s
    lasts = nothing[last + 1] == nothing[:-1]
    gain = np.where(whole, moved[last] - moved + lasts * (1.0 + moved[-1]), -1.0)
    return float(times_s[int(np.argmax(gain))])
