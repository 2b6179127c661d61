"""Which way to the network: cable first, Wi-Fi when the cable has no link or leads nowhere.

One way is used at a time, because the controller's own routing would take Wi-Fi whatever
the cable says.  Choice is pure: what is up, and whether anybody was reached, in; the way out.

    ethernet --no link, or nobody reached for DEAF_MS--> wifi --the same--> ethernet ...
        ^                                                  |
        '------ link again for STEADY_MS; tried after RETRY_MS where it led nowhere
"""

TURN_MS = 500
GRACE_MS = 2_000  # without a link: a switch that restarts takes longer, a lease is 10 s
JOIN_MS = 15_000  # at first: for the access point and an address
DEAF_MS = 45_000  # longer than the longest pause between two tries to connect
STEADY_MS = 30_000
RETRY_MS = 1_800_000  # an outage of two minutes, where the cable still leads nowhere
ASK_MS = 20_000  # Wi-Fi that got stuck is asked for again


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
        if self._ways == 1:
            return False
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


class Network:
    """ways: (name, network interface) of Board.ways(), the best first."""

    def __init__(self, ways: list, wifi_name: str, wifi_password: str) -> None:
        self._ways, self._wifi = ways, (wifi_name, wifi_password)
        self.choice = Choice(len(ways))
        self._asked_ms = ASK_MS  # ago

    @property
    def name(self) -> str:
        """Of the way in use."""
        return self._ways[self.choice.at][0]

    def up(self) -> bool:
        return self._ways[self.choice.at][1].isconnected()

    def name_server(self) -> str:
        """As the network told it."""
        told: str = self._ways[self.choice.at][1].ifconfig()[3]
        return told

    def turn(self, served: bool, elapsed_ms: int) -> bool:
        """TURN_MS on.  True when another way is used now.  Raises OSError when it cannot be."""
        links = [nic.isconnected() for _, nic in self._ways]
        changed = self.choice.step(links, served, elapsed_ms)
        self._asked_ms = ASK_MS if changed else self._asked_ms + elapsed_ms
        for way, (_, nic) in enumerate(self._ways):
            if not self.choice.wanted(way):
                if nic.active():
                    nic.active(False)
            elif not nic.active():
                nic.active(True)
        if self.name == "wifi" and not self.up() and self._asked_ms >= ASK_MS:
            self._asked_ms = 0
            self._ways[self.choice.at][1].connect(*self._wifi)
        return changed
