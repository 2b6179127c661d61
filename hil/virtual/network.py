"""The ESP32's network module where the host's network is the Wi-Fi: up once asked."""

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
PHY_LAN8720, PHY_W5500 = 1, 102

_names = {"host": "virtual"}


class WLAN:
    IF_STA, IF_AP = 0, 1
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2

    def __init__(self, interface_id=STA_IF) -> None:
        self._active = self._connected = False
        self._config = {"mac": b"\x02\0\0\0\0\1", "ssid": "", "pm": 1, "txpower": 20}

    def active(self, is_active=None):
        if is_active is None:
            return self._active
        self._active = bool(is_active)
        self._connected = self._connected and self._active
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None) -> None:
        if not self._active:
            raise OSError("Wifi Internal Error")
        self._config["ssid"] = ssid or ""
        self._connected = True

    def disconnect(self) -> None:
        self._connected = False

    def isconnected(self) -> bool:
        return self._connected

    def status(self, param=None):
        if param == "rssi":
            return -50
        return STAT_GOT_IP if self._connected else STAT_IDLE

    def ifconfig(self, config=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def ipconfig(self, *args, **kwargs):
        return ("127.0.0.1", "255.0.0.0") if args == ("addr4",) else None

    def config(self, *args, **kwargs):
        if args:
            return self._config[args[0]]
        self._config.update(kwargs)


class LAN(WLAN):
    """Cable: connected as soon as it is switched on.  Arguments as the ESP32 port takes them."""

    def __init__(
        self, id=None, *, phy_addr, phy_type, mdc=None, mdio=None, reset=None, power=None, spi=None,
        cs=None, int=None, ref_clk_mode=-1, ref_clk=None,
    ) -> None:  # fmt: skip
        needed = (spi, cs, int) if phy_type >= 100 else (mdc, mdio)
        if None in needed:
            raise ValueError("must supply the pins of this PHY")
        WLAN.__init__(self)

    def active(self, is_active=None):
        if is_active is not None:
            self._connected = bool(is_active)
        return WLAN.active(self, is_active)


def hostname(name=None):
    if name is None:
        return _names["host"]
    _names["host"] = name


def country(code=None):
    return "XX" if code is None else None
