"""The lines to all broker servers of a site, as one: every rig is heard, whichever it is on.

The servers know nothing of each other.  A budget goes to each, a command to the server
its rig was last heard at.  While the line to one of several is cut, its rigs count as cut
off: they give up their watts a lease later, and do not wake in one step when it is back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from protocols import messages, topics
from supervisor.config import Config
from supervisor.link import Ears, Link, link_of

KEPT = ("hello", "link")  # what a broker keeps of a rig

Moved = Callable[[str, int], None]


def links_of(config: Config, inbox: Ears, ports: list[int]) -> "Links":
    """To the servers of the settings, which listen on these ports.  Raises SecretError."""
    if len(ports) == 1:
        return Links(config.site.name, [link_of(config, inbox, ports[0])], Homes(inbox))
    homes = Homes(inbox)
    ears = [Ear(homes, number) for number in range(len(ports))]
    made = [link_of(config, ear, port) for ear, port in zip(ears, ports, strict=True)]
    for link, ear in zip(made, ears, strict=True):
        link.on_change = ear.changed
    return Links(config.site.name, made, homes)


class Links:
    """first: where signals, prices and whatever else is no rig's is heard."""

    def __init__(self, site: str, links: list[Link], homes: "Homes") -> None:
        self.links, self.first = links, links[0]
        self._site, self._homes = site, homes
        homes.on_move = self._forget

    async def run(self) -> None:
        """Connected to all for ever; cancel to end."""
        async with asyncio.TaskGroup() as tasks:
            for link in self.links:
                tasks.create_task(link.run(), name="link")

    async def until_connected(self) -> None:
        for link in self.links:
            await link.until_connected()

    def lost_s(self, now_s: float) -> float:
        """Of the line that is cut longest; 0 while all stand."""
        return max(link.lost_s(now_s) for link in self.links)

    def publish(self, topic: str, payload: bytes) -> bool:
        """False when it goes out nowhere: say it again later."""
        if len(self.links) == 1:
            return self.first.publish(topic, payload)
        parsed = topics.parse(topic)
        home = self._homes.of.get(parsed[1]) if parsed else None
        meant = self.links if home is None else [self.links[home]]
        reached = [link.publish(topic, payload) for link in meant]
        return any(reached)

    def _forget(self, rig: str, server: int) -> None:
        """What the server a rig has left has kept of it is not heard again after a restart."""
        for kind in KEPT:
            self.links[server].publish(topics.rig(self._site, rig, kind), b"", retain=True)


class Homes:
    """Which server each rig is on.  on_move(rig, server) is told of one that has left a server."""

    on_move: Moved = staticmethod(lambda rig, server: None)

    def __init__(self, inbox: Ears) -> None:
        self.of: dict[str, int] = {}
        self._put = inbox.put_rig

    def hear(self, server: int, rig: str, kind: str, payload: bytes) -> None:
        """Only a state is never an old one that a server has kept: it says where the rig is."""
        home = self.of.get(rig)
        if kind == "state" and home != server:
            self.of[rig] = server
            if home is not None:
                self.on_move(rig, home)
        elif home is not None and home != server:
            return  # kept, or the end of a connection that the rig has long given up
        self._put(rig, kind, payload)

    def changed(self, server: int, up: bool) -> None:
        """The line to a server stands again, or is cut."""
        said = messages.UP if up else messages.DOWN
        for rig, home in self.of.items():
            if home == server:
                self._put(rig, "link", said)


@dataclass(frozen=True, slots=True)
class Ear:
    """What the line to one server writes to."""

    homes: Homes
    server: int

    def put_rig(self, rig: str, kind: str, payload: bytes) -> None:
        self.homes.hear(self.server, rig, kind, payload)

    def changed(self, up: bool) -> None:
        self.homes.changed(self.server, up)
