"""The bench's end of the probe: a rig's chips and plant, on the wires the probe holds.

    chips, plant -- wiring -- Hands --serial--> probe --real wires--> rig

Silence is data on this line too: the probe lets go when we say nothing for a second, and
everything that holds is said again twenty times a second.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.boards.serial_board import BoardError
from hil.circuits import CIRCUITS
from hil.probe import frames, pins
from hil.virtual import wire
from hil.wiring import Wiring
from protocols import pmbus, tmp75

S21 = CIRCUITS["s21pro"]
STEP_S = 0.05
DUTY_PART = 0.25  # how much of a new sample of the fans' line is believed
PULSES_PER_TURN = 2
FAN_HERTZ = 25_000
_READ_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class Part:
    """One I2C part a probe plays: reads (command, bytes) and writes (command, bytes)."""

    bus: int
    address: int
    reads: tuple[tuple[int, int], ...]
    writes: tuple[tuple[int, int], ...]


# an ESP32-S3 can be one address on each bus; bytes of PMBus with its checksum
PARTS = (
    Part(
        S21.sensor_bus,
        S21.sensor_address + 1,  # outlet 0
        reads=((tmp75.TEMPERATURE, 2),),
        writes=((tmp75.CONFIG, 1),),
    ),
    Part(
        S21.supply_bus,
        S21.supply_address,
        reads=(
            (pmbus.VOUT_MODE, 2),
            (pmbus.STATUS_WORD, 3),
            (pmbus.READ_VOUT, 3),
            (pmbus.READ_PIN, 3),
        ),
        writes=((pmbus.CLEAR_FAULTS, 1), (pmbus.OPERATION, 2), (pmbus.VOUT_COMMAND, 3)),
    ),
)


def overlapping(part: Part) -> list[int]:
    """Memory addresses two reads of a part want for themselves: it cannot be played so."""
    taken: list[int] = []
    for command, size in part.reads:
        taken += range(command, command + size)
    return sorted({at for at in taken if taken.count(at) > 1})


class Hands:
    """Wiring's chips as frames to the probe, and what it heard back to them.

    say takes the bytes for the probe; whoever carries the line calls hear() and, every
    STEP_S, step().
    """

    def __init__(self, wiring: Wiring, say: Callable[[bytes], object]) -> None:
        self.wiring, self._say_bytes = wiring, say
        self._receiver = frames.Receiver()
        self.hellos = 0
        self.strange = ""  # a probe that cannot be used, and why
        self._duty = 1.0
        self._shown: dict[tuple[int, int], bytes] = {}
        self._answering: dict[int, bool] = {}
        self._tachs: dict[int, int] = {}
        self._bauds: dict[int, int] = {}
        wiring.push = self._to_rig

    @property
    def dropped(self) -> int:
        """Bytes from the probe that were no frame."""
        return self._receiver.dropped

    def hear(self, data: bytes) -> None:
        for kind, n, payload in self._receiver.feed(data):
            self._obey(kind, n, payload)
            self._follow_rates()

    def step(self) -> None:
        self.wiring.step()
        self._say(frames.BEAT)
        if self.hellos:
            self._follow_rates()
            self._show_parts()
            self._turn_fans()

    def _obey(self, kind: int, n: int, payload: bytes) -> None:
        wiring = self.wiring
        if kind == frames.HELLO:
            self._introduce(payload[0])
        elif kind == frames.SERIAL and n < len(wiring.chains):
            self._chain(n, payload)
        elif kind == frames.LEVEL and n in pins.LEVELS:
            wiring.pin(n, payload[0])
        elif kind == frames.DUTY:
            (duty,) = struct.unpack("<H", payload)
            self._duty += (duty / 65_535 - self._duty) * DUTY_PART
            wiring.pwm(S21.fan_pin, FAN_HERTZ, round(self._duty * 65_535))
        elif kind == frames.WRITTEN:
            for part in PARTS:
                if part.bus == n:
                    wiring.i2c(n, part.address, payload, 0)

    def _introduce(self, version: int) -> None:
        """A probe that has just begun knows nothing yet."""
        if version != frames.VERSION:
            self.strange = f"a probe of version {version}, not {frames.VERSION}; flash it again"
            return
        self.hellos += 1
        self._shown.clear()
        self._answering.clear()
        self._tachs.clear()
        self._bauds.clear()
        self._show_parts()

    def _chain(self, n: int, data: bytes) -> None:
        """The probe's UART runs at the chips' rate, so that is how they hear it."""
        self.wiring.uart_setup(n, self.wiring.chains[n].baud, 0)
        self.wiring.uart_write(n, data)

    def _follow_rates(self) -> None:
        """A chain that was told a new rate, or lost its power, talks at another one."""
        for n, chain in enumerate(self.wiring.chains):
            if self._bauds.get(n) != chain.baud:
                self._bauds[n] = chain.baud
                self.wiring.uart_setup(n, chain.baud, 0)
                self._say(frames.BAUD, n, struct.pack("<I", chain.baud))

    def _turn_fans(self) -> None:
        for pin, fan in zip(S21.tach_pins, self.wiring.fans, strict=True):
            hertz = round(fan.tach_rpm() * PULSES_PER_TURN / 60)
            if self._tachs.get(pin) != hertz:
                self._tachs[pin] = hertz
                self._say(frames.TACH, pin, struct.pack("<H", hertz))

    def _show_parts(self) -> None:
        """What each part would answer now; a part that answers nobody leaves the bus."""
        for part in PARTS:
            answers = {c: self.wiring.i2c(part.bus, part.address, bytes((c,)), size)
                       for c, size in part.reads}  # fmt: skip
            there = all(status == wire.I2C_OK for status, _ in answers.values())
            if self._answering.get(part.bus) != there:
                self._answering[part.bus] = there
                self._enter(part, there)
            for command, (_, data) in answers.items():
                if there and self._shown.get((part.bus, command)) != data:
                    self._shown[part.bus, command] = data
                    self._say(frames.IMAGE, part.bus, bytes((command,)) + data)

    def _enter(self, part: Part, there: bool) -> None:
        self._say(frames.ADDRESS, part.bus, bytes((part.address if there else 0,)))
        sizes = b"".join(bytes(pair) for pair in part.writes)
        self._say(frames.WRITABLE, part.bus, sizes)
        for shown in [key for key in self._shown if key[0] == part.bus]:
            del self._shown[shown]

    def _to_rig(self, uart: int, data: bytes) -> None:
        for at in range(0, len(data), frames.PAYLOAD_MAX):
            self._say(frames.SERIAL, uart, data[at : at + frames.PAYLOAD_MAX])

    def _say(self, kind: int, n: int = 0, payload: bytes = b"") -> None:
        self._say_bytes(frames.frame(kind, n, payload))


class ProbeLink:
    """Plays wiring's chips through the probe at this port, until closed; in loop's thread."""

    def __init__(self, port: str, wiring: Wiring, loop: asyncio.AbstractEventLoop) -> None:
        import serial

        try:
            self._line: Any = serial.Serial(port, 115_200, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise BoardError(f"{port}: the probe's port cannot be opened: {error}") from None
        self.port, self._loop = port, loop
        self.hands = Hands(wiring, self._line.write)
        self._stepping: asyncio.TimerHandle | None = None
        asyncio.run_coroutine_threadsafe(self._begin(), loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)

    async def _begin(self) -> None:
        self._loop.add_reader(
            self._line.fileno(), lambda: self.hands.hear(self._line.read(_READ_SIZE))
        )
        self._step()

    async def _end(self) -> None:
        if self._stepping:
            self._stepping.cancel()
        self._loop.remove_reader(self._line.fileno())
        self._line.close()
        self.hands.wiring.push = lambda uart, data: None

    def _step(self) -> None:
        self._stepping = self._loop.call_later(STEP_S, self._step)
        self.hands.step()
