"""When to put the frequency band, and around what.

first      STEADY_S after the position has come to rest,
           or after WATCH_S of swinging no wider than a band
another    after it has been outside the band for half of WATCH_S,
           not sooner than AGAIN_S after the last
"""

from collections import deque

from supervisor.line import Line

BAND = 0.25  # of the line, on each side of the centre: frequency steps where there are any
STEADY_S = 5.0
WATCH_S = 60.0
AGAIN_S = 300.0
MOVED = 0.02  # of the line: a position within this stands still
LOWEST, HIGHEST = 0.1, 0.98  # of the line: beyond these there is nothing to put a band around
STRIDE_S = 2.0  # how often the position is noted


class Band:
    """due() once a tick; put() when ladders are dealt around centre()."""

    def __init__(self) -> None:
        self.centre_w: int | None = None
        self._seen: deque[int] = deque(maxlen=int(WATCH_S / STRIDE_S))
        self._since_s = self._noted_s = 0.0
        self._was_w, self._was_s, self._dealt_s = -1, 0.0, 0.0

    def put(self, centre_w: int, now_s: float) -> None:
        self.centre_w, self._dealt_s = centre_w, now_s
        self._seen.clear()

    def centre(self, line: Line, position_w: int) -> int:
        """What to put the band around: the position, or the middle of its swings."""
        late = list(self._seen)[len(self._seen) // 2 :]
        spread_w = max(late, default=0) - min(late, default=0)
        return sum(late) // len(late) if spread_w > MOVED * line.length_w else position_w

    def due(self, line: Line, position_w: int, settled: bool, now_s: float) -> bool:
        """Whether the position has settled where no band is.  settled: hardly any rig climbs."""
        half_w = BAND * line.length_w
        self._note(position_w, line.length_w, now_s)
        low_w, high_w = LOWEST * line.length_w, HIGHEST * line.length_w
        centre_w = self.centre(line, position_w)
        if not low_w < min(position_w, centre_w) <= max(position_w, centre_w) < high_w:
            return False
        if abs(position_w - centre_w) > half_w:
            return False  # it has just gone somewhere else
        watched = now_s - self._since_s >= WATCH_S
        if self.centre_w is None:
            still = now_s - self._was_s > STEADY_S and settled
            return still or (watched and max(self._seen) - min(self._seen) <= 2 * half_w)
        away = sum(abs(at_w - self.centre_w) > half_w for at_w in self._seen)
        drifted = watched and 2 * away >= len(self._seen)
        return drifted and now_s - self._dealt_s > AGAIN_S

    def _note(self, position_w: int, length_w: int, now_s: float) -> None:
        """One position a stride, those of WATCH_S."""
        if abs(position_w - self._was_w) > MOVED * length_w:
            self._was_w, self._was_s = position_w, now_s
        if not self._seen:
            self._since_s = now_s
        if not self._seen or now_s - self._noted_s >= STRIDE_S:
            self._seen.append(position_w)
            self._noted_s = now_s
