"""Where on the merit order to put the broadcast position.

Bounds, each monotone in the position, so bisection finds the highest that
keeps them all:

    what may be drawn at worst, everybody counted   <= budget      (never to be broken)
    the same                                        <= asked ahead (do not wake too many)
    what will be drawn now, wakers as far as they are <= asked now (follow to the watt)

and before a rise that is known, when rigs are woken for what is allowed only then:

    what may be drawn at worst by all that are awake  <= budget now

While rigs wake, the third lets others run higher in their place, and takes that
back as the wakers come up.
"""

from collections.abc import Callable, Sequence

import numpy as np

from supervisor.learn import Learner
from supervisor.line import Curve
from supervisor.merit import Floats


class Outlook:
    """Watts at a position: as things are (now), and at worst (full)."""

    def __init__(self, now: Sequence[Curve], full: Sequence[Curve], learner: Learner) -> None:
        self._now, self._full, self._learner = now, full, learner

    def worst_w(self, curves: Sequence[Curve], position_w: float) -> float:
        """Drawn as these curves have it, at worst."""
        return self._learner.worst_w(np.array([curve.at(position_w) for curve in curves]))

    def expected(self, position_w: float) -> Floats:
        """By model, as listed, wakers only as far as they have come."""
        return np.array([curve.at(position_w) for curve in self._now])

    def now_w(self, position_w: float) -> float:
        """Drawn now by all rigs above their floor, at worst."""
        return self._learner.worst_w(self.expected(position_w))

    def full_w(self, position_w: float) -> float:
        """Drawn once every counted rig does what is admitted, at worst."""
        return self.worst_w(self._full, position_w)


def highest(fits: Callable[[float], bool], length_w: int, near_w: int = 0) -> int:
    """The highest whole position up to length_w that fits; 0 when none does.

    near_w: where to look first; the answer does not depend on it.
    """
    low_w, high_w = _bracket(fits, length_w, near_w)
    while high_w - low_w > 1:
        middle_w = (low_w + high_w) // 2
        if fits(middle_w):
            low_w = middle_w
        else:
            high_w = middle_w
    return low_w


def _bracket(fits: Callable[[float], bool], length_w: int, near_w: int) -> tuple[int, int]:
    """(fits or 0, does not fit or beyond the end), by ever longer strides from near_w."""
    near_w = min(near_w, length_w)
    stride_w = max(1, length_w >> 12)
    if fits(near_w):
        low_w = near_w
        while low_w < length_w:
            high_w = min(length_w, low_w + stride_w)
            if not fits(high_w):
                return low_w, high_w
            low_w, stride_w = high_w, stride_w * 4
        return length_w, length_w + 1
    high_w = near_w
    while high_w > 0:
        low_w = max(0, high_w - stride_w)
        if fits(low_w):
            return low_w, high_w
        high_w, stride_w = low_w, stride_w * 4
    return 0, 1
