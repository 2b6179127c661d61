"""What hangs on the virtual ESP32's pins: the S21 Pro rig, wired once.

Pins and addresses repeat firmware/boards/s21pro.py on purpose: this is the
copper, that is what the firmware believes about it.
"""

import zlib
from collections.abc import Callable

from hil.chips.bm13xx import Chain
from hil.chips.fan import Fan
from hil.chips.pmbus_psu import ADDRESS as PSU_ADDRESS
from hil.chips.pmbus_psu import OVER_HEAT, PmbusPsu
from hil.chips.tmp75 import Tmp75
from hil.faults import Faults
from hil.plant import Plant, mhz_max
from hil.virtual import wire

ENABLE_PINS, RESET_PINS = (4, 5, 6), (7, 8, 9)
HASH_POWER_PIN, FAN_PIN, TACH_PINS = 10, 21, (38, 39, 40, 41)
SENSOR_BUS, PSU_BUS = 0, 1
SENSOR_ADDRESS = 0x48  # then one after the other: inlet and outlet of each board
FAN_SPREAD = (1.0, 1.01, 0.97, 0.98)  # of four fans of one make; the rear pair is slower
CHIP_SUPPLY_V = 8.0  # below it a board's chips forget everything
BROKEN_BEHIND = 40  # chips of a board with chip_missing
SLICE_S = 0.005  # replies that come out one after the other are handed on in such slices

At = Callable[[float, Callable[[], None]], object]


class Wiring:
    """The Board of hil/link.py.  now() and at(when, call) are the bench's clock."""

    def __init__(self, plant: Plant, name: str, now: Callable[[], float], at: At) -> None:
        self.plant, self._now, self._at = plant, now, at
        self.faults = Faults()
        self._broken: frozenset[str] = frozenset()  # the faults the parts know of
        seed = zlib.crc32(name.encode())
        self.chains = [Chain(1370, plant.model.chips, seed + n) for n in range(plant.model.boards)]
        self.psu = PmbusPsu(plant)
        self.fans = [Fan(spread) for spread in FAN_SPREAD]
        self.sensors = [Tmp75() for _ in range(2 * plant.model.boards)]
        self.push: Callable[[int, bytes], None] = lambda uart, data: None
        self.on_reset: Callable[[], None] = lambda: None
        self.identity = b"\x01" + b"\2" + seed.to_bytes(5, "big")
        self.unsent = 0  # bytes lost because a UART changed its rate too soon
        self._flushing = [False] * len(self.chains)
        self._stepped_s = now()
        self.let_go()

    def let_go(self) -> None:
        """The board is in reset: no pin is driven, the watchdog not started."""
        self.pins: dict[int, int] = {}
        self.fan_duty = 1.0  # a fan whose PWM line floats runs at full speed
        self._bauds = [115_200] * len(self.chains)
        self.watchdog_ms, self.fed_s = 0, 0.0
        self._switch()

    def step(self) -> None:
        """Let the time since the last step pass for everything that moves."""
        now_s, plant = self._now(), self.plant
        dt_s, self._stepped_s = now_s - self._stepped_s, now_s
        faults = frozenset(self.faults)
        if faults or faults != self._broken:
            self._broken = faults
            self._break()
        for fan in self.fans:
            fan.step(now_s, self.fan_duty)
        self._switch()
        right = self._right()
        for chain, load in zip(self.chains, plant.loads, strict=True):
            chain.step(dt_s, now_s, right)
            load.on, load.mhz = chain.on, chain.mhz()
            load.working, load.hashing = chain.working(), right
        plant.step(dt_s, [fan.rpm for fan in self.fans])
        for n, sensor in enumerate(self.sensors):
            sensor.celsius = plant.outlet_c(n // 2) if n % 2 else plant.inlet_c(n // 2)
        for n in range(len(self.chains)):
            self._flush_later(n)

    # what the firmware reaches: see hil/link.py

    def pin(self, pin: int, level: int | None) -> None:
        if level is None:
            self.pins.pop(pin, None)
            if pin == FAN_PIN:
                self.fan_duty = 1.0
        else:
            self.pins[pin] = level
            if pin == FAN_PIN:
                self.fan_duty = float(level)
        self._switch()

    def pwm(self, pin: int, frequency_hz: int, duty_u16: int) -> None:
        if pin == FAN_PIN:
            self.fan_duty = duty_u16 / 65535

    def uart_setup(self, uart: int, baud: int, unsent: int) -> None:
        self._bauds[uart] = baud
        self.unsent += unsent

    def uart_write(self, uart: int, data: bytes) -> None:
        self.chains[uart].write(data, self._bauds[uart], self._now())
        self._flush_later(uart)

    def feed(self, period_ms: int) -> None:
        self.watchdog_ms, self.fed_s = period_ms, self._now()

    def reset(self) -> None:
        self.on_reset()

    def level(self, pin: int) -> int:
        return self.pins.get(pin, 0)

    def edges(self, pin: int) -> int:
        if pin not in TACH_PINS:
            return 0
        return self.fans[TACH_PINS.index(pin)].edges(self._now())

    def i2c(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes]:
        if bus in self.faults.hit("i2c_stuck"):
            return wire.I2C_STUCK, b""
        device = self._device(bus, address)
        if device is None or not device.write(out):
            return wire.I2C_NACK, b""
        data = device.read(size) if size else b""
        return (wire.I2C_NACK, b"") if data is None else (wire.I2C_OK, data)

    def i2c_kept(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes] | None:
        """A chip that has kept() says what a transfer would answer, changing nothing."""
        if self.faults and bus in self.faults.hit("i2c_stuck"):
            return None  # costs its time, so it is asked
        kept = getattr(self._device(bus, address), "kept", None)
        data = kept(out, size) if kept else None
        return None if data is None else (wire.I2C_OK, data)

    def info(self) -> bytes:
        return self.identity

    def _device(self, bus: int, address: int) -> Tmp75 | PmbusPsu | None:
        if bus == PSU_BUS and address == PSU_ADDRESS:
            return self.psu
        number = address - SENSOR_ADDRESS
        if bus == SENSOR_BUS and 0 <= number < len(self.sensors):
            return self.sensors[number]
        return None

    def _switch(self) -> None:
        """Pins and rail decide at once who has power."""
        self.psu.enable(bool(self.pins.get(HASH_POWER_PIN)))
        rail = self.plant.supply.volts > CHIP_SUPPLY_V
        dead = self.faults.hit("board_dead") if self.faults else ()
        for n, chain in enumerate(self.chains):
            enabled = self.pins.get(ENABLE_PINS[n]) and self.pins.get(RESET_PINS[n])
            chain.power(bool(rail and enabled and n not in dead))

    def _right(self) -> float:
        """Part of the hashes that come out well at these volts."""
        most_mhz = mhz_max(self.plant.supply.volts / self.plant.model.domains)
        mhz = max(chain.mhz() for chain in self.chains)
        return max(0.0, min(1.0, 1 - 10 * (mhz / max(1.0, most_mhz) - 1)))

    def _break(self) -> None:
        hit = self.faults.hit
        for n, fan in enumerate(self.fans):
            fan.jammed, fan.tach_dead = n in hit("fan_stopped"), n in hit("tach_dead")
        for n, sensor in enumerate(self.sensors):
            sensor.lost, sensor.stuck = n in hit("sensor_lost"), n in hit("sensor_stuck")
            sensor.spike = n in hit("sensor_spike")
        for n, chain in enumerate(self.chains):
            broken = n in hit("chip_missing")
            chain.answering = BROKEN_BEHIND if broken else chain.chips
        supply = self.plant.supply
        supply.mains = not hit("psu_off")
        if hit("psu_fault") and supply.enabled:
            supply.latched = OVER_HEAT

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
