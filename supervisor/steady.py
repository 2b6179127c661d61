"""Whether the wall clock may be deleted by: one that has jumped would take the history with it.

A clock that is a year ahead makes everything old.  So after a jump nothing is dropped for a
day: long enough for an alarm to be seen, and what is kept too long costs only disk.
"""

JUMP_S = 3600.0  # more than any step of a clock that somebody keeps
AWAY_S = 30 * 86_400.0  # for so long a supervisor may have been off
WAIT_S = 86_400.0


class Steady:
    """written_s: Unix seconds of the newest row a former supervisor left; None without one."""

    def __init__(self, written_s: float | None) -> None:
        self._written_s = written_s
        self._before: tuple[float, float] | None = None
        self._from_s = float("-inf")  # from then on it is steady enough

    def step(self, now_s: float, unix_s: float) -> bool:
        """now_s: monotonic seconds, which never jump."""
        if self._jumped(now_s, unix_s):
            self._from_s = now_s + WAIT_S
        self._before = now_s, unix_s
        return now_s >= self._from_s

    def _jumped(self, now_s: float, unix_s: float) -> bool:
        if self._before is not None:
            was_s, unix_was_s = self._before
            return abs((unix_s - unix_was_s) - (now_s - was_s)) > JUMP_S
        if self._written_s is None:
            return False
        return not self._written_s - JUMP_S <= unix_s <= self._written_s + AWAY_S
