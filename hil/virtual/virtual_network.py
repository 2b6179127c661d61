"""Wi-Fi and cable in virtual time: the bench says which of them has a network."""

import struct

import lockstep
import network
import wire

_state = {"up": False, "rssi": -50, "cable": False}
_ADDRESS = ("10.0.1.1", "255.255.0.0", "10.0.0.1", "10.0.0.53")  # of hil/net_servers.py
_HostWLAN, _HostLAN = network.WLAN, network.LAN


class WLAN(_HostWLAN):
    """As on the chip, an interface once told to connect tries again by itself."""

    def active(self, is_active=None):
        if is_active is not None and bool(is_active) != self._active:
            lockstep.send(wire.WLAN, wire.WLAN_ON if is_active else wire.WLAN_OFF)
        return _HostWLAN.active(self, is_active)

    def connect(self, ssid=None, key=None, *, bssid=None) -> None:
        _HostWLAN.connect(self, ssid, key)
        lockstep.send(wire.WLAN, wire.WLAN_CONNECT, (ssid or "").encode())

    def disconnect(self) -> None:
        _HostWLAN.disconnect(self)
        lockstep.send(wire.WLAN, wire.WLAN_DISCONNECT)

    def isconnected(self) -> bool:
        return self._connected and _state["up"]

    def ifconfig(self, config=None):
        return _ADDRESS if self.isconnected() else ("0.0.0.0",) * 4

    def status(self, param=None):
        if param == "rssi":
            return _state["rssi"]
        if self.isconnected():
            return network.STAT_GOT_IP
        return network.STAT_CONNECTING if self._connected else network.STAT_IDLE


class LAN(_HostLAN):
    """Cable: connected once it is switched on and the bench has it plugged in."""

    def active(self, is_active=None):
        if is_active is not None and bool(is_active) != self._active:
            lockstep.send(wire.LAN, 1 if is_active else 0)
        return _HostLAN.active(self, is_active)

    def isconnected(self) -> bool:
        return self._active and _state["cable"]

    ifconfig = WLAN.ifconfig

    def status(self, param=None):
        return network.STAT_GOT_IP if self.isconnected() else network.STAT_IDLE


def _set_state(up: int, payload: bytes) -> None:
    _state["up"], _state["rssi"] = bool(up), struct.unpack("<b", payload)[0]


def _set_cable(up: int, _payload: bytes) -> None:
    _state["cable"] = bool(up)


def install() -> None:
    lockstep.on(wire.LAN_STATE, _set_cable)
    lockstep.on(wire.WLAN_STATE, _set_state)
    network.WLAN, network.LAN = WLAN, LAN
