"""Chips of a board are not alike: each computes right up to a clock of its own.

The spread is a guess of the right size (nobody publishes one), from a seed: the
worst chip still does what a factory table asks of all, the best a tenth more.
"""

import random
from collections.abc import Sequence

MEAN, SIGMA, WORST, BEST = 1.02, 0.025, 0.97, 1.09  # of a typical chip's limit
SLOPE = 10.0  # every 1 % too fast turns 10 % of the hashes wrong (a guess)


class Silicon:
    def __init__(self, chips: int, seed: int) -> None:
        luck = random.Random(seed)
        self.factors = [
            min(BEST, max(WORST, luck.gauss(MEAN, SIGMA))) for _ in range(chips)
        ]  # each chip's limit to that of a typical one
        self._worst = min(self.factors)
        self._all_right = (1.0,) * chips
        self._of: tuple[float, Sequence[float]] = (0.0, ())
        self._right, self._mean = self._all_right, 1.0

    def right(self, limit_mhz: float, clocks: Sequence[float]) -> tuple[tuple[float, ...], float]:
        """The part of each chip's hashes that come out well, and of all together.

        limit_mhz: of a typical chip at these volts.  Worked out anew only when
        clocks is another object, or the limit has moved by 0.1 MHz.
        """
        limit = round(limit_mhz, 1)
        if self._of[0] != limit or self._of[1] is not clocks:
            self._of = (limit, clocks)
            self._work_out(max(1.0, limit), clocks)
        return self._right, self._mean

    def _work_out(self, limit_mhz: float, clocks: Sequence[float]) -> None:
        if max(clocks) <= limit_mhz * self._worst:
            self._right, self._mean = self._all_right, 1.0
            return
        self._right = tuple(
            max(0.0, min(1.0, 1 - SLOPE * (mhz / (limit_mhz * factor) - 1)))
            for mhz, factor in zip(clocks, self.factors, strict=True)
        )
        well = sum(mhz * right for mhz, right in zip(clocks, self._right, strict=True))
        self._mean = well / max(1e-9, sum(clocks))
