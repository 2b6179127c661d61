"""Makes machine objects of a board file: the only code that knows the controller.

Nothing is switched on by looking: every output starts where it can do no harm, hash
power off and fans at full speed.
"""

import select
import sys
import time

import esp32
import machine
import network

from firmware.drivers.fan import Fans
from firmware.drivers.hashboard import Hashboard, Switch
from firmware.drivers.i2c_bus import I2cBus
from firmware.drivers.pmbus_psu import Psu
from firmware.drivers.tmp75 import Tmp75

WATCHDOG_MS = 4_000
UNIX_2000_S = 946_684_800  # where an ESP32's clock begins
I2C_TIMEOUT_US = 10_000  # a held bus may not hold up the safety loop

PIXEL_NS = (400, 850, 800, 450)  # WS2812: high and low of a 0, of a 1
TYPED_MAX = 64  # bytes of one look at the console
PARITIES = {"none": None, "even": 0, "odd": 1}
RESET_CAUSES = {1: "power on", 2: "reset pin", 3: "watchdog", 4: "deep sleep", 5: "software"}


class Board:
    """facts: a module of firmware/boards."""

    def __init__(self, facts) -> None:
        self.facts = facts
        # first of all: no hash power, whatever state a reset left behind
        self._hash_power = machine.Pin(facts.HASH_POWER_PIN, machine.Pin.OUT, value=0)
        self.hashboards = [
            _hashboard(number, facts, *wiring) for number, wiring in enumerate(facts.BOARDS)
        ]
        self.fans = _fans(facts)
        self.fans.set_duty(1000)
        sensor_bus, supply_bus = _i2c(*facts.SENSOR_BUS), _i2c(*facts.SUPPLY_BUS)
        self.sensors = {name: Tmp75(sensor_bus, address) for name, address, _, _ in facts.SENSORS}
        self.supply = Psu(supply_bus, facts.SUPPLY_ADDRESS)
        self._led = machine.Pin(facts.LED_PIN, machine.Pin.OUT, value=0)
        self._shown: tuple | None = None
        self._button = machine.Pin(facts.BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
        self._kept = esp32.NVS("surplus")
        self._watchdog: machine.WDT | None = None

    def hash_power(self, on: bool) -> None:
        """The plain line to the supply; asks nobody."""
        self._hash_power.value(1 if on else 0)

    def light(self, colour: tuple) -> None:
        """(red, green, blue) of the WS2812 on the front."""
        if colour != self._shown:
            self._shown = colour
            red, green, blue = colour
            machine.bitstream(self._led, 0, PIXEL_NS, bytes((green, red, blue)))

    def pressed(self) -> bool:
        """The button, which pulls its line down."""
        return self._button.value() == 0

    def console(self) -> tuple:
        """(read, write) of whoever is at the rig: its own UART where it has one, else USB."""
        wiring = getattr(self.facts, "CONSOLE", None)
        if wiring is None:
            return usb_console()
        uart, tx, rx = wiring
        port = machine.UART(uart, baudrate=115_200, tx=machine.Pin(tx), rx=machine.Pin(rx))
        return lambda: port.read() or b"", port.write

    def line(self, baud: int, parity: str) -> tuple | None:
        """(uart, direction pin) of RS-485, receiving; None where the board has none."""
        wiring = getattr(self.facts, "LINE", None)
        if wiring is None:
            return None
        uart, tx, rx, direction = wiring
        return (
            machine.UART(
                uart,
                baudrate=baud,
                parity=PARITIES[parity],
                tx=machine.Pin(tx),
                rx=machine.Pin(rx),
                rxbuf=512,
            ),
            machine.Pin(direction, machine.Pin.OUT, value=0),
        )

    def feed(self) -> None:
        """The hardware watchdog, which starts with the first meal."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        self._watchdog.feed()

    def ways(self, wanted: str) -> list:
        """(name, interface) of the ways to the network, the best first.

        wanted: wifi, ethernet or both; without the parts for a cable there is Wi-Fi only.
        """
        ways: list = []
        wiring = getattr(self.facts, "ETHERNET", None)
        if wanted != "wifi" and wiring is not None:
            ways.append(("ethernet", _ethernet(*wiring)))
        if wanted != "ethernet" or not ways:
            ways.append(("wifi", network.WLAN(network.WLAN.IF_STA)))
        return ways

    def set_clock(self, unix_s: int) -> None:
        """The time of day."""
        year, month, day, hour, minute, second, weekday = time.gmtime(unix_s - _epoch_s())[:7]
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

    def unix_s(self) -> int:
        """As far as the controller knows; from 2000 on when nobody has told it."""
        return int(time.time()) + _epoch_s()

    def restarts(self) -> int:
        """As kept; 0 on a new controller."""
        return self._recall("restarts")

    def keep_restarts(self, count: int) -> None:
        """Over resets and losses of power."""
        self._keep("restarts", count)

    def held(self) -> bool:
        """Whether somebody at the rig holds it off, also since before a loss of power."""
        return self._recall("held") != 0

    def keep_held(self, held: bool) -> None:
        if held != self.held():
            self._keep("held", 1 if held else 0)

    def _recall(self, name: str) -> int:
        try:
            return self._kept.get_i32(name)
        except OSError:
            return 0

    def _keep(self, name: str, value: int) -> None:
        self._kept.set_i32(name, value)
        self._kept.commit()

    def reset(self) -> None:
        self.hash_power(False)
        machine.reset()

    def reset_cause(self) -> str:
        return RESET_CAUSES.get(machine.reset_cause(), "unknown")


def _epoch_s() -> int:
    """Where time.time() begins."""
    return 0 if time.gmtime(0)[0] == 1970 else UNIX_2000_S


def open_board(name: str) -> Board:
    """The board described in firmware/boards/<name>.py."""
    package = __import__("firmware.boards." + name)
    return Board(getattr(package.boards, name))


def usb_console() -> tuple:
    """(read, write): read() is b"" when nothing was typed, None when nobody ever will."""
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)

    def read() -> bytes | None:
        typed = b""
        while len(typed) < TYPED_MAX and poll.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:
                return typed or None
            typed += byte
        return typed

    return read, lambda data: sys.stdout.write(data.decode())


def reset_chip() -> None:
    """Where there is no board to take down with it."""
    machine.reset()


def _hashboard(number: int, facts, uart: int, tx: int, rx: int, enable: int, reset: int):
    return Hashboard(
        number,
        machine.UART(uart, baudrate=115_200, tx=machine.Pin(tx), rx=machine.Pin(rx), rxbuf=2048),
        Switch(machine.Pin(enable, machine.Pin.OUT, value=0)),
        machine.Pin(reset, machine.Pin.OUT, value=0),
        facts,
    )


def _fans(facts) -> Fans:
    pwm = machine.PWM(machine.Pin(facts.FAN_PWM_PIN), freq=facts.FAN_HERTZ, duty_u16=65_535)
    counters = [
        machine.Counter(number, machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP))
        for number, pin in enumerate(facts.FAN_TACH_PINS)
    ]
    return Fans(pwm, counters)


def _i2c(bus: int, scl: int, sda: int, hertz: int) -> I2cBus:
    def make():
        return machine.I2C(
            bus, scl=machine.Pin(scl), sda=machine.Pin(sda), freq=hertz, timeout=I2C_TIMEOUT_US
        )

    return I2cBus(make, lambda: machine.Pin(scl, machine.Pin.OPEN_DRAIN, value=1))


def _ethernet(chip: str, *wiring: int):
    """lan8720: mdc, mdio, power (-1: always on), address, clock in; an ESP32 only.
    w5500: SPI number, sck, mosi, miso, cs, interrupt; any of them."""
    if chip == "lan8720":
        mdc, mdio, power, address, clock = wiring
        phy: dict = {
            "mdc": machine.Pin(mdc),
            "mdio": machine.Pin(mdio),
            "power": None if power < 0 else machine.Pin(power),
            "ref_clk": machine.Pin(clock),
            "ref_clk_mode": machine.Pin.IN,
            "phy_type": network.PHY_LAN8720,
            "phy_addr": address,
        }
    else:
        spi, sck, mosi, miso, cs, interrupt = wiring
        bus = machine.SPI(spi, sck=machine.Pin(sck), mosi=machine.Pin(mosi), miso=machine.Pin(miso))
        phy = {
            "spi": bus,
            "cs": machine.Pin(cs),
            "int": machine.Pin(interrupt),
            "phy_type": network.PHY_W5500,
            "phy_addr": 0,
        }
    return network.LAN(**phy)
