"""The highest level the rig may hold while something is not quite right.

Pure.  Falls by steps while it is too hot, at once to the lowest level when we
cannot see, and comes back slowly.
"""

LOW, DOWN = "low", "down"  # to level 1 at once; one level at a time
DOWN_MS = 5_000
UP_MS = 30_000


class Derate:
    def __init__(self, top: int) -> None:
        self._top = top
        self._turn_ms = 0
        self.cap = top

    def step(self, action: str, level: int, elapsed_ms: int) -> int:
        """action: LOW, DOWN or "" when all is well.  level: the one held now."""
        self._turn_ms += elapsed_ms
        if action == LOW:
            self.cap, self._turn_ms = 1, 0
        elif action == DOWN:
            if self.cap == self._top or self._turn_ms >= DOWN_MS:
                self.cap, self._turn_ms = max(1, min(self.cap, level) - 1), 0
        elif self.cap == self._top:
            self._turn_ms = 0
        elif self._turn_ms >= UP_MS:
            self.cap, self._turn_ms = self.cap + 1, 0
        return self.cap
