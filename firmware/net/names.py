"""Names to addresses, asked of the network's own server in bounded time.

getaddrinfo() would hold up every loop, the safety loop too, for as long as a server that
is away lets it.
"""

import os
import random

from firmware.net import udp
from protocols import dns

PORT, WAIT_MS, TRIES = 53, 1_000, 3


class Names:
    """server() gives the address of the name server the network told us."""

    def __init__(self, server) -> None:
        self._server = server
        self._known: dict[str, list[str]] = {}
        self.failed = 0  # lookups

    async def address(self, name: str) -> str:
        """One of those it has now, or had when last somebody answered.  Raises OSError."""
        why = "no answer"
        for _ in range(TRIES):
            number = int.from_bytes(os.urandom(2), "big")
            data = await udp.asked(self._server(), PORT, dns.question(number, name), WAIT_MS)
            if data:
                try:
                    self._known[name] = dns.addresses(number, name, data)
                    return self._one_of(name)
                except dns.DnsError as error:
                    why = str(error)
        self.failed += 1
        if name in self._known:
            return self._one_of(name)
        raise OSError(f"{name}: {why}")

    def _one_of(self, name: str) -> str:
        found = self._known[name]
        return found[random.getrandbits(8) % len(found)]
