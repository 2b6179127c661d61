"""No flapping at a boundary: who has just been sent to sleep is not woken again at once.

The position falls as far as it must, at once.  For a while after that it rises through
frequency steps only: below the first step that would wake somebody.
"""

import numpy as np

from supervisor.line import Line
from supervisor.merit import Bools


class Dwell:
    """min_off_s: how long a rig rests."""

    def __init__(self, min_off_s: float) -> None:
        self._min_off_s = min_off_s
        self._low_w, self._until_s = 0, -np.inf

    def moved(self, line: Line, from_w: int, to_w: int, now_s: float) -> None:
        """The position has changed.  Only a fall that sends somebody to sleep counts."""
        if to_w < from_w and self._wakes(line, to_w, from_w):
            self._low_w = min(to_w, self._low_w) if now_s < self._until_s else to_w
            self._until_s = now_s + self._min_off_s

    def forget(self) -> None:
        """Another line: a position on the old one means nothing."""
        self._until_s = -np.inf

    def ceiling_w(self, line: Line, counted: Bools, now_s: float) -> int:
        """How far the position may rise now."""
        if now_s >= self._until_s:
            return line.length_w
        above = np.flatnonzero(line.wakes & (line.end_w > self._low_w) & counted[line.rig])
        return int(line.end_w[above[0]]) - 1 if len(above) else line.length_w

    @staticmethod
    def _wakes(line: Line, low_w: int, high_w: int) -> bool:
        first, last = line.end_w.searchsorted((low_w, high_w), side="right")
        return bool(line.wakes[first:last].any())
