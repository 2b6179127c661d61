"""Which of two ways to the network: cable first, Wi-Fi when the cable has no link or leads nowhere.

Pure: what is up, and whether anybody was reached, in; the way out.

    ethernet --no link, or nobody reached for DEAF_MS--> wifi --the same--> ethernet ...
        ^                                                  |
        '------ link again for STEADY_MS; tried after RETRY_MS where it led nowhere
"""

GRACE_MS = 2_000  # without a link: a switch that restarts takes longer, a lease is 10 s
JOIN_MS = 15_000  # at first: for the access point and an address
DEAF_MS = 45_000  # longer than the longest pause between two tries to connect
STEADY_MS = 30_000
RETRY_MS = 1_800_000  # an outage of two minutes, where the cable still leads nowhere


class Choice:
    """Of so many ways, the best first."""

    def __init__(self, ways: int) -> None:
        self._ways = ways
        self.at = 0
        self.changes = 0
        self._begin(False)

    def _begin(self, deaf: bool) -> None:
        self._was_up = False
        self._down_ms = self._deaf_ms = self._steady_ms = 0
        self._unwatched_ms = RETRY_MS if deaf else 0  # left of it, for the better ways

    def step(self, up: list, served: bool, elapsed_ms: int) -> bool:
        """up: of each way whether it has a link and an address; served: whether there is a
        session.  True when the way is another one now."""
        self._was_up = self._was_up or up[self.at]
        self._down_ms = 0 if up[self.at] else self._down_ms + elapsed_ms
        self._deaf_ms = 0 if served or not up[self.at] else self._deaf_ms + elapsed_ms
        self._unwatched_ms = max(0, self._unwatched_ms - elapsed_ms)
        self._steady_ms = self._steady_ms + elapsed_ms if up[0] and self.wanted(0) else 0
        deaf = self._deaf_ms >= DEAF_MS
        if deaf or self._down_ms >= (GRACE_MS if self._was_up else JOIN_MS):
            return self._go((self.at + 1) % self._ways, deaf)
        if self.at and self._steady_ms >= STEADY_MS:
            return self._go(0, False)
        return False

    def wanted(self, way: int) -> bool:
        """Whether it shall be switched on: a cable is watched also while Wi-Fi is used.

        Not one that leads nowhere: what goes to its own subnet would go there.
        """
        return way == self.at or (way < self.at and not self._unwatched_ms)

    def _go(self, way: int, deaf: bool) -> bool:
        self.at = way
        self.changes += 1
        self._begin(deaf)
        return True
