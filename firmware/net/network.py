"""The way to the network in use: one at a time, and asked for again while it is not up.

One, because the controller's own routing would take Wi-Fi whatever the cable says.  Which one,
where there are two: choice.py.
"""

TURN_MS = 500
ASK_MS = 20_000  # Wi-Fi that got stuck is asked for again


class Only:
    """The choice where there is one way."""

    at = changes = 0

    def step(self, up: list, served: bool, elapsed_ms: int) -> bool:
        return False

    def wanted(self, way: int) -> bool:
        return True


class Network:
    """ways: (name, network interface) of Board.ways(), the best first."""

    def __init__(self, ways: list, wifi_name: str, wifi_password: str) -> None:
        self._ways, self._wifi = ways, (wifi_name, wifi_password)
        self.choice = _choice(len(ways))
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


def _choice(ways: int):
    if ways == 1:
        return Only()
    from firmware.net.choice import Choice  # heap, for those who have one

    return Choice(ways)
