"""The wires between two virtual controllers: a rig's on one side, the probe's on the other.

    rig's machine module -- RigEnd --- UARTs, I2C, pins, tachs --- ProbeEnd -- the probe's

Straight copper, pin to the pin of the same number (hil/probe/pins.py).  What hangs on the
rig's I2C beside the probe answers for itself: a probe can be one part on each bus.
"""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hil.probe import pins
from hil.virtual import wire

BUTTON_PIN = 0
BENCH_UART = 9  # where a probe has its line to the bench when it is not its console
GOLDEN = 0.618034
DEAF_PART = 0.05  # rates further apart than this make noise of each other
Transfer = Callable[[int, int, bytes, int], tuple[int, bytes]]


@dataclass
class Memory:
    """What an ESP32-S3's I2C target answers from, without asking its program."""

    address: int
    data: bytearray
    at: int = 0

    def transfer(self, out: bytes, size: int) -> tuple[bytes, bytes]:
        """(what was written, what is read).  The first byte written is where."""
        if out:
            self.at = out[0] % len(self.data)
        for byte in out[1:]:
            self.data[self.at] = byte
            self.at = (self.at + 1) % len(self.data)
        read = bytes(self.data[(self.at + n) % len(self.data)] for n in range(size))
        self.at = (self.at + size) % len(self.data)
        return out[1:], read


class End:
    """One controller's side: what hil/link.py and a virtual rig ask of a board."""

    def __init__(self, copper: "Copper") -> None:
        self.copper = copper
        self.push: Callable[[int, bytes], None] = lambda uart, data: None
        self.on_reset: Callable[[], None] = lambda: None
        self.identity = b"\x01" + bytes(6)
        self.watchdog_ms, self.fed_s = 0, 0.0
        self.let_go()

    def let_go(self) -> None:
        """In reset: no pin is driven."""
        self.levels: dict[int, int] = {}
        self.pwms: dict[int, tuple[int, int]] = {}
        self.bauds: dict[int, int] = {}
        self.watchdog_ms = 0

    def step(self) -> None:
        pass  # copper has no inertia

    def pin(self, pin: int, level: int | None) -> None:
        self.pwms.pop(pin, None)
        self.levels.pop(pin, None)
        if level is not None:
            self.levels[pin] = level

    def pwm(self, pin: int, frequency_hz: int, duty_u16: int) -> None:
        self.pwms[pin] = frequency_hz, duty_u16

    def pixels(self, pin: int, data: bytes) -> None:
        """A light that no probe looks at."""

    def uart_setup(self, uart: int, baud: int, unsent: int) -> None:
        self.bauds[uart] = baud

    def feed(self, period_ms: int) -> None:
        self.watchdog_ms, self.fed_s = period_ms, self.copper.now()

    def reset(self) -> None:
        self.on_reset()

    def info(self) -> bytes:
        return self.identity

    def edges(self, pin: int) -> int:
        return 0

    def i2c(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes]:
        return wire.I2C_NACK, b""

    def i2c_kept(self, bus: int, address: int, out: bytes, size: int) -> None:
        return None

    def send(self, to: "End", uart: int, data: bytes) -> None:
        """Bytes to the other end, as it hears them at its own rate."""
        ours, theirs = self.bauds.get(uart, 0), to.bauds.get(uart, 0)
        if abs(ours - theirs) > DEAF_PART * theirs:
            data = self.copper.chance.randbytes(max(1, len(data) * theirs // max(1, ours)))
        to.push(uart, data)


class RigEnd(End):
    def uart_write(self, uart: int, data: bytes) -> None:
        self.send(self.copper.probe, uart, data)

    def level(self, pin: int) -> int:
        """The button's line is pulled up, and nobody presses it."""
        return self.levels.get(pin, int(pin == BUTTON_PIN))

    def edges(self, pin: int) -> int:
        return self.copper.probe.pulses(pin)

    def i2c(self, bus: int, address: int, out: bytes, size: int) -> tuple[int, bytes]:
        if (bus, address) not in self.copper.played:
            return self.copper.elsewhere(bus, address, out, size)
        memory = self.copper.probe.memories.get(bus)
        if memory is None or memory.address != address:
            return wire.I2C_NACK, b""
        written, read = memory.transfer(out, size)
        if written:
            self.copper.probe.push(wire.TARGET + bus, out)
        return wire.I2C_OK, read


class ProbeEnd(End):
    def let_go(self) -> None:
        super().let_go()
        self.memories: dict[int, Memory] = {}
        self._counted: dict[int, tuple[float, float]] = {}  # pin: (pulses, until when)

    def uart_write(self, uart: int, data: bytes) -> None:
        if uart == BENCH_UART:
            self.copper.to_bench(data)
        elif uart < wire.TARGET:
            self.send(self.copper.rig, uart, data)
        elif data:
            self.memories[uart - wire.TARGET] = Memory(data[0], bytearray(data[1:]))
        else:
            self.memories.pop(uart - wire.TARGET, None)

    def pin(self, pin: int, level: int | None) -> None:
        self.pulses(pin)
        super().pin(pin, level)

    def pwm(self, pin: int, frequency_hz: int, duty_u16: int) -> None:
        self.pulses(pin)
        super().pwm(pin, frequency_hz, duty_u16)

    def pulses(self, pin: int) -> int:
        """Of a tach line, so far."""
        now_s = self.copper.now()
        count, until_s = self._counted.get(pin, (0.0, now_s))
        count += self.pwms.get(pin, (0, 0))[0] * (now_s - until_s)
        self._counted[pin] = count, now_s
        return int(count)

    def level(self, pin: int) -> int:
        """The rig's line, pulled up or down where the rig lets go of it."""
        rig = self.copper.rig
        if pin in rig.pwms:
            # as if looked at in any phase: looks in virtual time come at whole milliseconds
            phase = round(self.copper.now() * 1000) * GOLDEN % 1
            return int(phase < rig.pwms[pin][1] / 65_535)
        return rig.levels.get(pin, 1 if pin == pins.DUTY else 0)


class Copper:
    """played: the (bus, address) that are the probe's or nobody's; elsewhere: the others."""

    def __init__(
        self, now: Callable[[], float], played: Collection[tuple[int, int]], elsewhere: Transfer
    ) -> None:
        self.now, self.played, self.elsewhere = now, played, elsewhere
        self.to_bench: Callable[[bytes], None] = lambda data: None
        self.chance = random.Random(1)
        self.rig = RigEnd(self)
        self.probe = ProbeEnd(self)
