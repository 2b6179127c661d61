"""Whether the supply's word about its watts can be believed.

Pure.  Boards at a known clock and voltage draw what the board file says, give or take;
a supply that says less than half or more than twice of it does not know.
"""

ODD_MS, SURE_MS = 5_000, 5_000  # so long, before it is doubted; before it is believed again


class PowerSense:
    def __init__(self) -> None:
        self.doubted = False
        self._for_ms = 0

    def step(self, read_w: int, listed_w: int, elapsed_ms: int) -> str:
        """While the boards hash.  What changed, in words for a person; "" when nothing did."""
        odd = not listed_w <= 2 * read_w <= 4 * listed_w
        self._for_ms = self._for_ms + elapsed_ms if odd != self.doubted else 0
        if self._for_ms <= (SURE_MS if self.doubted else ODD_MS):
            return ""
        self.doubted, self._for_ms = odd, 0
        if odd:
            return f"the supply says {read_w} W where {listed_w} W must flow"
        return "over: the supply's watts can be believed"

    def watts(self, read_w: int | None, age_ms: int, listed_w: int) -> int:
        """The best that is known of the rig's power."""
        if read_w is None or self.doubted or age_ms >= ODD_MS:
            return listed_w
        return read_w
