"""A rig's ways to the network in virtual time: its Wi-Fi, its cable, and the sockets over them."""

import struct
from collections.abc import Callable

from hil.clock import Event, VirtualClock
from hil.net import EHOSTUNREACH, Connection, Ears, Net, Path
from hil.virtual import wire

JOIN_US = 2_000_000  # association and DHCP
LINK_US = 1_500_000  # negotiation and DHCP on a cable

Arrive = Callable[[int, int, bytes, int], None]  # op, n, payload, what it wakes


class RigNet:
    """wifi_way, cable_way: paths to the broker (delay_s, loss).  arrive: to the program."""

    def __init__(self, clock: VirtualClock, net: Net, arrive: Arrive) -> None:
        self._clock, self._net, self._arrive = clock, net, arrive
        self.wifi_way, self.cable_way = Path(), Path()
        self._sockets: dict[int, _Socket] = {}
        self._asking: dict[int, object] = {}  # sockets that wait for a datagram
        self._wants_wifi = self._wants_cable = False
        self._on_wifi = self._on_cable = False  # with an address
        self._joining: Event | None = None
        self._linking: Event | None = None

    # ---- what a story does to it

    def wifi(self, up: bool) -> None:
        self.wifi_way.up = up
        if not up:
            self._off_air()
        elif self._wants_wifi:
            self._join()

    def cable(self, up: bool) -> None:
        self.cable_way.up = up
        self._link()

    @property
    def way(self) -> str:
        """The one its connections would go now: with both, the ESP32 takes Wi-Fi."""
        return "wifi" if self._on_wifi else "ethernet" if self._on_cable else "none"

    def hang_up(self) -> None:
        """The program is gone; nobody closes its sockets."""
        for event in (self._joining, self._linking):
            if event:
                event.cancel()
        self._joining = self._linking = None
        self._wants_wifi = self._wants_cable = self._on_wifi = self._on_cable = False
        for socket in self._sockets.values():
            socket.forget()
        self._sockets.clear()
        self._asking.clear()

    # ---- what the program does

    def hear(self, op: int, n: int, payload: bytes) -> None:
        if op == wire.WLAN:
            self._wlan(n)
        elif op == wire.LAN:
            self._wants_cable = bool(n)
            self._link()
        elif op == wire.UDP_SEND:
            self._ask(n, payload)
        elif op == wire.SOCKET_CLOSE and self._asking.pop(n, None):
            pass
        elif op == wire.SOCKET_CONNECT:
            self._connect(n, payload)
        elif n in self._sockets:
            connection = self._sockets[n].connection
            if op == wire.SOCKET_SEND and connection:
                connection.send_up(payload)
            elif op == wire.SOCKET_CLOSE:
                self._sockets.pop(n).close()

    @property
    def _path(self) -> Path:
        return self.cable_way if self.way == "ethernet" else self.wifi_way

    def _connect(self, n: int, payload: bytes) -> None:
        socket = self._sockets[n] = _Socket(n, self._arrive)
        (port,) = struct.unpack_from("<H", payload)
        if self._path.up:
            socket.connection = self._net.connect(self._path, payload[2:].decode(), port, socket)
        else:
            socket.over(EHOSTUNREACH)

    def _ask(self, n: int, payload: bytes) -> None:
        """A datagram; the answer finds its socket, if it is still the same one."""
        port, size = struct.unpack_from("<HB", payload)
        host, data = payload[3 : 3 + size].decode(), payload[3 + size :]
        token = self._asking.setdefault(n, object())

        def back(answer: bytes) -> None:
            if self._asking.get(n) is token:
                self._arrive(wire.SOCKET_DATA, n, answer, wire.WAKE_BY_READ)

        self._net.datagram(self._path, host, port, data, back)

    def _wlan(self, what: int) -> None:
        self._wants_wifi = what == wire.WLAN_CONNECT or (self._wants_wifi and what == wire.WLAN_ON)
        if what == wire.WLAN_CONNECT and self.wifi_way.up:
            self._join()
        elif what in (wire.WLAN_OFF, wire.WLAN_DISCONNECT):
            self._off_air()

    def _join(self) -> None:
        if self._joining:
            self._joining.cancel()
        self._joining = self._clock.at_us(self._clock.now_us + JOIN_US, self._on_air)

    def _on_air(self) -> None:
        if self.wifi_way.up and self._wants_wifi:
            self._on_wifi = True
            self._arrive(wire.WLAN_STATE, 1, struct.pack("<b", -50), 0)

    def _off_air(self) -> None:
        self._on_wifi = False
        self._arrive(wire.WLAN_STATE, 0, b"\xce", 0)

    def _link(self) -> None:
        """What plugging and switching makes of the cable."""
        if self._linking:
            self._linking.cancel()
            self._linking = None
        if self.cable_way.up and self._wants_cable:
            self._linking = self._clock.at_us(self._clock.now_us + LINK_US, self._linked)
        elif self._on_cable:
            self._on_cable = False
            self._arrive(wire.LAN_STATE, 0, b"", 0)

    def _linked(self) -> None:
        self._on_cable = True
        self._arrive(wire.LAN_STATE, 1, b"", 0)


class _Socket(Ears):
    """One of the firmware's sockets: what happens to it goes to the program."""

    def __init__(self, number: int, arrive: Arrive) -> None:
        self._number, self._arrive = number, arrive
        self.connection: Connection | None = None

    def opened(self) -> None:
        self._arrive(wire.SOCKET_OPEN, self._number, b"", wire.WAKE_BY_WRITE)

    def heard(self, data: bytes) -> None:
        self._arrive(wire.SOCKET_DATA, self._number, data, wire.WAKE_BY_READ)

    def arrived(self, size: int) -> None:
        payload = struct.pack("<I", size)
        self._arrive(wire.SOCKET_SENT, self._number, payload, wire.WAKE_BY_WRITE)

    def over(self, error: int) -> None:
        payload = struct.pack("<H", error)
        by = wire.WAKE_BY_READ | wire.WAKE_BY_WRITE
        self._arrive(wire.SOCKET_OVER, self._number, payload, by)

    def close(self) -> None:
        """The program closed it: what comes after is nobody's."""
        if self.connection:
            self.connection.close_up()
        self.forget()

    def forget(self) -> None:
        """The program is gone; the other side is not told."""
        self._arrive = lambda op, n, payload, wake: None
