"""A rig that obeys over Modbus and speaks no MQTT: it remembers what happens, for who asks.

Where masters come over TCP it also sees to the network.  Whether they come says nothing about
the way they would take, so only a link that is down changes it.
"""

from firmware import clock

TURN_MS = 100


class Alone:
    def __init__(self, rig, settings: dict) -> None:
        self._rig, self._settings = rig, settings

    async def remember_loop(self) -> None:
        beat = clock.Beat(TURN_MS)
        while True:
            await beat.wait()
            self._rig.recent.take(self._rig)

    async def network_loop(self) -> None:
        from firmware.net import network

        settings = self._settings
        ways = self._rig.board.ways(settings["network"])
        net = network.Network(ways, settings["wifi_name"], settings["wifi_password"])
        beat = clock.Beat(network.TURN_MS)
        while True:
            elapsed_ms = await beat.wait()
            try:
                net.turn(True, elapsed_ms)
            except OSError as error:
                print("network:", error)
