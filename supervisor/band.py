"""When to put the frequency band somewhere else.

first      STEADY_S after the position has come to rest
another    DRIFTED_S after it has left the band, not sooner than AGAIN_S after the last
"""

from supervisor.line import Line

BAND = 0.25  # of the line, on each side of the position: frequency steps where there are any
STEADY_S = 5.0
DRIFTED_S = 30.0
AGAIN_S = 300.0
MOVED = 0.02  # of the line: a position within this stands still
LOWEST, HIGHEST = 0.1, 0.98  # of the line: beyond these there is nothing to put a band around


class Band:
    """due() once a tick; put() when ladders are dealt around a position."""

    def __init__(self) -> None:
        self.centre_w: int | None = None
        self._was_w, self._was_s, self._inside_s, self._dealt_s = -1, 0.0, 0.0, 0.0

    def put(self, centre_w: int, now_s: float) -> None:
        self.centre_w, self._dealt_s = centre_w, now_s

    def due(self, line: Line, position_w: int, settled: bool, now_s: float) -> bool:
        """Whether the position has settled where no band is.  settled: hardly any rig climbs."""
        length_w = line.length_w
        if abs(position_w - self._was_w) > MOVED * length_w:
            self._was_w, self._was_s = position_w, now_s
        if not LOWEST * length_w < position_w < HIGHEST * length_w:
            return False
        if self.centre_w is None:
            return now_s - self._was_s > STEADY_S and settled
        if abs(position_w - self.centre_w) <= BAND * length_w:
            self._inside_s = now_s
        return now_s - self._inside_s > DRIFTED_S and now_s - self._dealt_s > AGAIN_S
