"""Every setting a rig has: kind, range, unit, default, and what a change of it needs."""

from collections import namedtuple

# low..high: of an integer its range, of a text its length, of a key its bytes, of a choice low
# is the choices.  marks: letters of RESTART, IDENTITY, SECRET
Setting = namedtuple("Setting", ("kind", "low", "high", "unit", "default", "marks", "what"))
INT, TEXT, NAME, HEX, HOST, CHOICE = "int", "text", "name", "hex", "host", "choice"
NEEDED = None
RESTART = "r"  # a change holds from the next start on
IDENTITY = "i"  # who it is and whom it obeys: at the rig only, kept by a factory reset
SECRET = "s"  # is never told
BROKERED = "b"  # needed only by a rig that obeys over MQTT
_ID, _KEY = RESTART + IDENTITY, RESTART + IDENTITY + SECRET

BOARDS = ("s21pro", "s21pro_line", "s19kpro")
MASTERS, PARITIES = ("mqtt", "modbus"), ("even", "odd", "none")
WAYS = ("wifi", "ethernet", "both")
TABLE = {
    "site": Setting(NAME, 1, 32, "", NEEDED, _ID, "the site, as in topic names"),
    "rig": Setting(NAME, 1, 32, "", NEEDED, _ID, "this rig, as in topic names"),
    "board": Setting(CHOICE, BOARDS, 0, "", NEEDED, _ID, "the hardware: a file of boards/"),
    "broker_host": Setting(
        HOST, 1, 128, "", NEEDED, _ID + BROKERED, "the broker, by IPv4 address or by name"
    ),
    "broker_port": Setting(INT, 1, 65_535, "", 1883, _ID, "its MQTT port"),
    "broker_user": Setting(TEXT, 0, 64, "", "", _ID, "empty when the broker asks for none"),
    "broker_password": Setting(TEXT, 0, 64, "", "", _KEY, "goes with broker_user"),
    "broker_tls": Setting(TEXT, 0, 64, "", "", _ID, "name on its certificate; empty: no TLS"),
    "budget_key": Setting(HEX, 32, 32, "", NEEDED, _KEY + BROKERED, "seals the site's budgets"),
    "rig_key": Setting(HEX, 32, 32, "", NEEDED, _KEY + BROKERED, "seals this rig's commands"),
    "network": Setting(
        CHOICE, WAYS, 0, "", "wifi", _ID, "the way to the broker; both: cable first"
    ),
    "wifi_name": Setting(TEXT, 0, 32, "", "", _ID, "the site's network"),
    "wifi_password": Setting(TEXT, 0, 63, "", "", _KEY, "its password"),
    "ntp_host": Setting(HOST, 0, 128, "", "", _ID, "who knows the time of day; empty: nobody"),
    "clock_s": Setting(
        INT, 0, 0xFFFF_FFFF, "s", 0, _ID, "Unix time at least, for certificates without NTP"
    ),
    "state_ms": Setting(
        INT, 1_000, 60_000, "ms", 10_000, "", "how often state is told when nothing changes"
    ),
    "obeys": Setting(CHOICE, MASTERS, 0, "", "mqtt", _ID, "whose word may raise its power"),
    "modbus_unit": Setting(INT, 0, 247, "", 0, RESTART, "its address on RS-485; 0: not served"),
    "modbus_baud": Setting(INT, 1_200, 115_200, "", 19_200, RESTART, "of that line"),
    "modbus_parity": Setting(CHOICE, PARITIES, 0, "", "even", RESTART, "of that line"),
    "modbus_port": Setting(
        INT, 0, 65_535, "", 0, RESTART, "Modbus TCP, usually 502; 0: not served"
    ),
}
