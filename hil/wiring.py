"""What hangs on the virtual ESP32's pins: a rig's parts, wired as hil/circuits.py says."""

import zlib
from collections.abc import Callable

from hil import circuits
from hil.breaking import break_parts, keep_broken
from hil.buses import Buses
from hil.circuits import Circuit
from hil.faults import Faults
from hil.parts import made
from hil.plant import Plant
from hil.rs485 import Rs485

CHIP_SUPPLY_V = 8.0  # below it a board's chips forget everything
UARTS = 3  # of an ESP32-S3
SLICE_S = 0.005  # replies that come out one after the other are handed on in such slices

At = Callable[[float, Callable[[], None]], object]


class Wiring:
    """The Board of hil/link.py.  now() and at(when, call) are the bench's clock."""

    def __init__(
        self,
        plant: Plant,
        name: str,
        now: Callable[[], float],
        at: At,
        circuit: Circuit | None = None,
    ) -> None:
        """circuit: of the plant's machine when nothing is said."""
        self.plant, self._now, self._at = plant, now, at
        self.circuit = circuit or circuits.of(plant.model)
        self.faults = Faults()
        self._broken: frozenset[str] = frozenset()  # the faults the parts know of, one by one
        parts = made(plant, self.circuit, name)
        self.chains, self.fans, self.psu = parts.chains, parts.fans, parts.psu
        self.sensors, self.eeproms, self.pics = parts.sensors, parts.eeproms, parts.pics
        self.fan_controller, self.monitor = parts.fan_controller, parts.monitor
        self.buses = Buses(parts.on_buses(self.circuit), self.faults)
        self.line = Rs485(now, at)
        self.led = (0, 0, 0)  # red, green, blue
        self.pressed = False  # the button
        self.push: Callable[[int, bytes], None] = lambda uart, data: None
        self.on_reset: Callable[[], None] = lambda: None
        self.identity = b"\x01" + b"\2" + zlib.crc32(name.encode()).to_bytes(5, "big")
        self.unsent = 0  # bytes lost because a UART changed its rate too soon
        self._flushing = [False] * len(self.chains)
        self._stepped_s = now()
        self.let_go()

    def let_go(self) -> None:
        """The board is in reset: no pin is driven, the watchdog not started."""
        self.pins: dict[int, int] = {}
        self.fan_duty = 1.0  # a fan whose PWM line floats runs at full speed
        self._bauds = dict.fromkeys(range(UARTS), 115_200)
        self.line.drive(0)
        self.watchdog_ms, self.fed_s = 0, 0.0
        self._switch()

    def step(self) -> None:
        """Let the time since the last step pass for everything that moves."""
        now_s, plant = self._now(), self.plant
        dt_s, self._stepped_s = now_s - self._stepped_s, now_s
        broken = bool(self.faults or self._broken)
        if broken:
            self._break()
        controller = self.fan_controller
        for n, fan in enumerate(self.fans):
            fan.step(now_s, controller.duty(n) if controller else self.fan_duty)
        rail = plant.supply.volts > CHIP_SUPPLY_V
        if broken or self.pics or rail != self._rail:  # pins have switched already
            self._switch()
        for n, (chain, load) in enumerate(zip(self.chains, plant.loads, strict=True)):
            right, load.hashing = plant.right(n, chain.clocks()) if chain.on else (1.0, 0.0)
            chain.celsius = plant.chip_c[n]
            chain.step(dt_s, now_s, right)
            load.on, load.mhz, load.working = chain.on, chain.mhz(), chain.working()
        plant.step(dt_s, [fan.rpm for fan in self.fans])
        self.psu.look(now_s)
        if self.pics and not plant.supply.alive:
            for board_pic in self.pics:
                board_pic.forget()
        for n, sensor in enumerate(self.sensors):
            sensor.celsius = plant.outlet_c(n // 2) if n % 2 else plant.inlet_c(n // 2)
        if self.monitor:
            self.monitor.volts = plant.supply.volts
            self.monitor.amperes = plant.supply.out_w / max(1.0, plant.supply.volts)
        for n in range(len(self.chains)):
            self._flush_later(n)

    # what the firmware reaches: see hil/link.py

    def pin(self, pin: int, level: int | None) -> None:
        if level == 0 and pin in self.circuit.scl_pins and self.pins.get(pin) != 0:
            self.buses.clock(self.circuit.scl_pins.index(pin))
        if level is None:
            self.pins.pop(pin, None)
        else:
            self.pins[pin] = level
        if pin == self.circuit.fan_pin:
            self.fan_duty = 1.0 if level is None else float(level)
        elif pin == self.circuit.line_pin:
            self.line.drive(level)
        self._switch()

    def pwm(self, pin: int, frequency_hz: int, duty_u16: int) -> None:
        if pin == self.circuit.fan_pin:
            self.fan_duty = duty_u16 / 65535

    def pixels(self, pin: int, data: bytes) -> None:
        if pin == self.circuit.led_pin and len(data) == 3:
            self.led = (data[1], data[0], data[2])

    def uart_setup(self, uart: int, baud: int, unsent: int) -> None:
        self._bauds[uart] = baud
        self.unsent += unsent

    def uart_write(self, uart: int, data: bytes) -> None:
        if uart == self.circuit.line_uart:
            self.line.write(data, self._bauds[uart])
            return
        self.chains[uart].write(data, self._bauds[uart], self._now())
        self._flush_later(uart)

    def feed(self, period_ms: int) -> None:
        self.watchdog_ms, self.fed_s = period_ms, self._now()

    def reset(self) -> None:
        self.on_reset()

    def level(self, pin: int) -> int:
        if pin in self.circuit.sda_pins:
            return int(not self.buses.stuck(self.circuit.sda_pins.index(pin)))
        if pin == self.circuit.button_pin:
            return int(not self.pressed)
        return self.pins.get(pin, 0)

    def edges(self, pin: int) -> int:
        if pin not in self.circuit.tach_pins:
            return 0
        return self.fans[self.circuit.tach_pins.index(pin)].edges(self._now())

    def i2c(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes]:
        return self.buses.transfer(bus, address, out, size, self._now())

    def i2c_kept(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes] | None:
        return self.buses.kept(bus, address, out, size)

    def info(self) -> bytes:
        return self.identity

    def _switch(self) -> None:
        """Pins and rail decide at once who has power."""
        circuit, pins = self.circuit, self.pins
        self.psu.enable(
            pins.get(circuit.hash_power_pin, 1 - circuit.hash_power_on) == circuit.hash_power_on
        )
        rail = self._rail = self.plant.supply.volts > CHIP_SUPPLY_V
        hit = self.faults.hit
        dead, stays, sleeps = (
            (hit("board_dead"), hit("board_stays_on"), hit("board_never_wakes"))
            if self.faults
            else ((), (), ())
        )
        for n, chain in enumerate(self.chains):
            asked = self._enabled(n) and pins.get(circuit.reset_pins[n])
            on = rail and n not in dead and (asked or (n in stays and chain.on))
            chain.power(bool(on and (chain.on or n not in sleeps)))

    def _enabled(self, board: int) -> bool:
        if self.pics:
            return self.pics[board].enabled(self._now())
        return bool(self.pins.get(self.circuit.enable_pins[board]))

    def _break(self) -> None:
        """What the faults that are on now do to the parts."""
        now_on = self.faults.one_by_one()
        if now_on != self._broken:
            begun, self._broken = now_on - self._broken, now_on
            break_parts(self, begun)
        keep_broken(self)

    def _flush_later(self, uart: int) -> None:
        due_s = self.chains[uart].due_s()
        if due_s is not None and not self._flushing[uart]:
            self._flushing[uart] = True
            self._at(max(due_s, self._now() + SLICE_S), lambda: self._flush(uart))

    def _flush(self, uart: int) -> None:
        self._flushing[uart] = False
        data = self.chains[uart].read(self._bauds[uart], self._now())
        if data:
            self.push(uart, data)
        self._flush_later(uart)
