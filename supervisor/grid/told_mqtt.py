"""What the site tells over MQTT, to whoever sends it limits that way: every 2 s, on one topic.

Retained, so that who connects sees the last; unix_s says how old it is.
"""

import asyncio

import msgspec

from supervisor.config import Config
from supervisor.grid.told import Board, view
from supervisor.link import Link

EVERY_S = 2.0


class ToldMqtt:
    def __init__(self, board: Board, topic: str, links: list[Link]) -> None:
        self._board, self._topic, self._links = board, topic, links

    async def run(self) -> None:
        while True:
            self.tell()
            await asyncio.sleep(EVERY_S)

    def tell(self) -> None:
        """On every broker that is reached; what does not go out is out of date in 2 s."""
        told = self._board.told
        if told is not None:
            for link in self._links:
                link.publish(self._topic, msgspec.json.encode(view(told)), retain=True)


def teller_of(config: Config, board: Board, link: Link, own: list[Link]) -> ToldMqtt | None:
    """link: the site's.  own: those of the signal itself, see signal_mqtt.signal_of()."""
    mqtt = config.signal.mqtt
    if mqtt is None or mqtt.told_topic is None:
        return None
    return ToldMqtt(board, mqtt.told_topic, own if mqtt.host is not None else [link, *own])
