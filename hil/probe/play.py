"""The probe's program: an ESP32-S3 that is the rig's parts, as the bench at its USB says.

    bench --frames--> play --UART, I2C target, tach pulses--> rig
    bench <--frames-- play <--UART, I2C writes, pins, duty--- rig

The chips live in the bench; here are their wires.  Until a bench speaks, and when it falls
silent, nothing is driven and Ctrl-C works.  MicroPython 1.26 or later.

An I2C read is answered by the controller itself out of a memory of 256 bytes, for there is
no time to ask anybody.  One address a bus is all an ESP32-S3 has.
"""

import select
import struct
import sys
import time

import machine
import micropython
from machine import PWM, UART, Pin

from hil.probe import frames, pins
from hil.probe.frames import SILENT_MS, frame

WAITING = "probe: waiting for a bench"
MEMORY = 256
RXBUF = 4096
DUTY_MS = 50
DUTY_SAMPLES = 8  # at every look
READ_MAX = 256  # of the bench's bytes between two looks at the rig


class Target:
    """One I2C part: a memory that reads are answered from, and what was written to it."""

    def __init__(self, bus: int, scl: int, sda: int, address: int) -> None:
        self.memory, self.image = bytearray(MEMORY), bytearray(MEMORY)
        self.sizes: dict[int, int] = {}
        self.written: list[tuple[int, bytes]] = []
        # not in the stubs yet
        made = machine.I2CTarget  # type: ignore[attr-defined]
        self._target = made(bus, address, mem=self.memory, scl=Pin(scl), sda=Pin(sda))
        self._target.irq(self._heard, made.IRQ_END_WRITE)

    def show(self, at: int, data: bytes) -> None:
        """A read that is under way has its bytes already; the next finds all of these."""
        end = min(MEMORY, at + len(data))
        self.image[at:end] = data[: end - at]
        self._put(at, end)

    def close(self) -> None:
        self._target.deinit()

    def _heard(self, target) -> None:
        """What was written is told, and reads find again what they shall."""
        at = target.memaddr
        end = min(MEMORY, at + self.sizes.get(at, 1))
        self.written.append((at, bytes(self.memory[at:end])))
        self._put(at, end)

    def _put(self, at: int, end: int) -> None:
        state = machine.disable_irq()
        self.memory[at:end] = self.image[at:end]
        machine.enable_irq(state)


class Probe:
    """The wires, and what was last said of them."""

    def __init__(self, say) -> None:
        self._say = say  # called with each frame for the bench
        self.uarts = {
            n: UART(n, baudrate=115_200, tx=Pin(tx), rx=Pin(rx), rxbuf=RXBUF)
            for n, tx, rx in pins.UARTS
        }
        self._levels = {pin: Pin(pin, Pin.IN, Pin.PULL_DOWN) for pin in pins.LEVELS}
        self._duty = Pin(pins.DUTY, Pin.IN, Pin.PULL_UP)
        self._said: dict[int, int] = {}
        self._tachs: dict[int, PWM] = {}
        self.targets: dict[int, Target] = {}
        self._duty_ms = time.ticks_ms()
        self._high = self._sampled = 0

    def close(self) -> None:
        """Let go of every wire."""
        for target in self.targets.values():
            target.close()
        for pin in list(self._tachs):
            self._tach(pin, 0)
        for uart in self.uarts.values():
            uart.deinit()

    def obey(self, kind: int, n: int, payload: bytes) -> None:
        """A frame of the bench; one that makes no sense here is passed over."""
        if kind == frames.SERIAL and n in self.uarts:
            self.uarts[n].write(payload)
        elif kind == frames.BAUD and n in self.uarts:
            self.uarts[n].init(baudrate=struct.unpack("<I", payload)[0])
        elif kind == frames.TACH and n in pins.TACHS:
            self._tach(n, struct.unpack("<H", payload)[0])
        elif kind == frames.ADDRESS:
            self._become(n, payload[0])
        elif kind == frames.IMAGE and n in self.targets:
            self.targets[n].show(payload[0], payload[1:])
        elif kind == frames.WRITABLE and n in self.targets:
            pairs = range(0, len(payload) - 1, 2)
            self.targets[n].sizes = {payload[at]: payload[at + 1] for at in pairs}

    def look(self) -> None:
        """What the rig has done since the last look."""
        for n, uart in self.uarts.items():
            while uart.any():
                self._say(frame(frames.SERIAL, n, uart.read(frames.PAYLOAD_MAX) or b""))
        for bus, target in self.targets.items():
            while target.written:
                at, data = target.written.pop(0)
                self._say(frame(frames.WRITTEN, bus, bytes((at,)) + data))
        for n, pin in self._levels.items():
            self._tell(frames.LEVEL, n, pin.value(), "<B")
        self._sample()

    def again(self) -> None:
        """Say all levels once more: a frame may have been lost."""
        self._said.clear()

    def _tell(self, kind: int, n: int, value: int, form: str) -> None:
        if self._said.get(n) != value:
            self._said[n] = value
            self._say(frame(kind, n, struct.pack(form, value)))

    def _sample(self) -> None:
        """The fans' line's share of high: 25 kHz are too fast to time pulses, not to sample."""
        for _ in range(DUTY_SAMPLES):
            self._high += self._duty.value()
        self._sampled += DUTY_SAMPLES
        if time.ticks_diff(time.ticks_ms(), self._duty_ms) >= DUTY_MS:
            self._tell(frames.DUTY, pins.DUTY, self._high * 65_535 // self._sampled, "<H")
            self._duty_ms = time.ticks_ms()
            self._high = self._sampled = 0

    def _tach(self, pin: int, hertz: int) -> None:
        if hertz and pin in self._tachs:
            self._tachs[pin].freq(hertz)
        elif hertz:
            self._tachs[pin] = PWM(Pin(pin), freq=hertz, duty_u16=32_768)
        elif pin in self._tachs:
            self._tachs.pop(pin).deinit()

    def _become(self, n: int, address: int) -> None:
        if n in self.targets:
            self.targets.pop(n).close()
        for bus, scl, sda in pins.BUSES:
            if bus == n and address:
                self.targets[bus] = Target(bus, scl, sda, address)


class Console:
    """The line to the bench: our own USB, where people have their prompt."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self.write = sys.stdout.buffer.write

    def read(self, wait_ms: int) -> bytes:
        """What has come in; waits for the first byte only."""
        data = bytearray()
        while len(data) < READ_MAX and self._poll.poll(0 if data else wait_ms):
            data += sys.stdin.buffer.read(1)
        return bytes(data)


def run(line=None) -> None:
    """For ever: wait for a bench, be its hands, let go when it is silent."""
    line = line or Console()
    receiver = frames.Receiver()
    print(WAITING)
    while True:
        heard = receiver.feed(line.read(100))
        if heard:
            micropython.kbd_intr(-1)  # a byte of a frame must not stop us
            try:
                play(line, receiver, heard)
            finally:
                micropython.kbd_intr(3)
            print(WAITING)


def play(line, receiver: frames.Receiver, heard: list) -> None:
    """Until the bench has been silent for too long."""
    line.write(frame(frames.HELLO, 0, bytes((frames.VERSION,))))
    probe, heard_ms = Probe(line.write), time.ticks_ms()
    try:
        while time.ticks_diff(time.ticks_ms(), heard_ms) < SILENT_MS:
            for kind, n, payload in heard:
                heard_ms = time.ticks_ms()
                probe.obey(kind, n, payload)
                if kind == frames.BEAT:
                    probe.again()
            probe.look()
            heard = receiver.feed(line.read(1))
    finally:
        probe.close()
