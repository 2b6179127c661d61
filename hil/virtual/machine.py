"""The ESP32's machine module, with its buses going to a bench instead of to pins.

Signatures are the ESP32 port's.  What the bench cannot do (interrupts, sleep
modes) raises instead of pretending.
"""

import struct
import time

import pipe
import wire
from uart import UART  # noqa: F401

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

_clock = {"hz": 160_000_000}


class Pin:
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3
    _driven = {}  # pin -> level, of those we drive

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None) -> None:
        self._id = id._id if isinstance(id, Pin) else id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None) -> None:
        if mode in (Pin.OUT, Pin.OPEN_DRAIN):
            level = Pin._driven.get(self._id, 0) if value is None else value
            Pin._driven.pop(self._id, None)
            self._drive(level)
        elif mode == Pin.IN and Pin._driven.pop(self._id, None) is not None:
            pipe.send(wire.PIN_FLOAT, self._id)

    def value(self, x=None):
        if x is not None:
            return self._drive(x)
        if self._id in Pin._driven:
            return Pin._driven[self._id]
        return pipe.ask_kept(wire.PIN_READ, self._id)[0]

    __call__ = value

    def on(self) -> None:
        self._drive(1)

    def off(self) -> None:
        self._drive(0)

    def toggle(self) -> None:
        self._drive(not self.value())

    def irq(self, *args, **kwargs):
        raise NotImplementedError("the bench has no pin interrupts")

    def _drive(self, level) -> None:
        """A level already there needs no frame: GPIOs are idempotent."""
        level = 1 if level else 0
        if Pin._driven.get(self._id) != level:
            Pin._driven[self._id] = level
            pipe.send(wire.PIN_WRITE, self._id, bytes((level,)))


class PWM:
    def __init__(self, dest, *, freq=5000, duty_u16=None, duty=None, duty_ns=None, invert=False):
        self._pin = dest._id if isinstance(dest, Pin) else dest
        self._freq, self._duty, self._invert = freq, 32768, invert
        self.init(freq=freq, duty_u16=duty_u16, duty=duty, duty_ns=duty_ns)

    def init(self, *, freq=None, duty_u16=None, duty=None, duty_ns=None, invert=None) -> None:
        self._freq = self._freq if freq is None else freq
        self._invert = self._invert if invert is None else invert
        if duty is not None:
            duty_u16 = duty * 64
        if duty_ns is not None:
            duty_u16 = duty_ns * self._freq * 65535 // 1_000_000_000
        if duty_u16 is not None:
            self._duty = max(0, min(65535, duty_u16))
        level = 65535 - self._duty if self._invert else self._duty
        pipe.send(wire.PWM, self._pin, struct.pack("<IH", self._freq, level))

    def freq(self, value=None):
        if value is None:
            return self._freq
        self.init(freq=value)

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        if value != self._duty:
            self.init(duty_u16=value)

    def duty(self, value=None):
        return self._duty // 64 if value is None else self.init(duty=value)

    def duty_ns(self, value=None):
        return (
            self._duty * 1_000_000_000 // 65535 // self._freq
            if value is None
            else self.init(duty_ns=value)
        )

    def deinit(self) -> None:
        pipe.send(wire.PIN_FLOAT, self._pin)


class I2C:
    def __init__(self, id, *, scl=None, sda=None, freq=400_000, timeout=50_000) -> None:
        self._id, self._timeout_us = id, timeout
        self._held = b""  # written without a stop: leads the next transfer

    def init(self, *, scl=None, sda=None, freq=400_000, timeout=50_000) -> None:
        self._timeout_us = timeout

    def scan(self) -> list:
        return [a for a in range(0x08, 0x78) if self._status(a, b"", 0)[0] == wire.I2C_OK]

    def writeto(self, addr, buf, stop=True) -> int:
        if stop:
            self._transfer(addr, bytes(buf), 0)
        else:
            self._held = bytes(buf)
        return len(buf)

    def writevto(self, addr, vector, stop=True) -> int:
        return self.writeto(addr, b"".join(bytes(part) for part in vector), stop)

    def readfrom(self, addr, nbytes, stop=True) -> bytes:
        return self._transfer(addr, b"", nbytes)

    def readfrom_into(self, addr, buf, stop=True) -> None:
        buf[:] = self._transfer(addr, b"", len(buf))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8) -> bytes:
        return self._transfer(addr, memaddr.to_bytes(addrsize // 8, "big"), nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8) -> None:
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8) -> None:
        self._transfer(addr, memaddr.to_bytes(addrsize // 8, "big") + bytes(buf), 0)

    def _transfer(self, addr, out: bytes, nbytes: int) -> bytes:
        """OSError as on the chip: ENODEV nobody acknowledged, ETIMEDOUT a held bus."""
        status, data = self._status(addr, out, nbytes)
        if status == wire.I2C_NACK:
            raise OSError(19)
        if status == wire.I2C_STUCK:
            time.sleep_us(self._timeout_us)
            raise OSError(116)
        return data

    def _status(self, addr, out: bytes, nbytes: int) -> tuple:
        out, self._held = self._held + out, b""
        answer = pipe.ask_kept(wire.I2C, self._id, struct.pack(wire.I2C_HEAD, addr, nbytes) + out)
        return answer[0], answer[1:]


class Counter:
    """Rising edges on a pin; one object per id, like the chip's PCNT units."""

    RISING, FALLING = 1, 2
    UP, DOWN = 1, 2

    def __init__(self, id, src=None, *, edge=RISING, direction=UP, filter_ns=0) -> None:
        self._id = id
        self.init(src)

    def init(self, src=None, *, edge=RISING, direction=UP, filter_ns=0) -> None:
        if src is not None:
            self._payload = bytes((src._id if isinstance(src, Pin) else src,))
        self._zero = self._edges()

    def value(self, value=None):
        now = self._edges()
        count = now - self._zero
        if value is not None:
            self._zero = now - value
        return count

    def deinit(self) -> None:
        pass

    def _edges(self) -> int:
        return struct.unpack("<I", pipe.ask_kept(wire.COUNTER, self._id, self._payload))[0]


class WDT:
    def __init__(self, id=0, timeout=5000) -> None:
        self._frame = struct.pack("<I", timeout)
        self.feed()

    def feed(self) -> None:
        pipe.send(wire.WDT_FEED, 0, self._frame)


def bitstream(pin, encoding, timing, data) -> None:
    """What a WS2812 takes."""
    pipe.send(wire.PIXELS, pin._id, bytes(data))


def reset() -> None:
    """The bench ends this process and starts another; nothing runs after this."""
    pipe.send(wire.RESET, 0)
    while True:
        time.sleep_ms(1000)


soft_reset = reset


def reset_cause() -> int:
    return pipe.ask(wire.INFO, 0)[0]


def unique_id() -> bytes:
    return pipe.ask(wire.INFO, 0)[1:]


def freq(hz=None):
    if hz is None:
        return _clock["hz"]
    _clock["hz"] = hz


def idle() -> None:
    time.sleep_us(100)


def disable_irq() -> int:
    return 0


def enable_irq(state) -> None:
    pass


def __getattr__(name):
    """What few rigs use costs the heap of the others nothing."""
    if name == "I2CTarget":
        from i2c_target import I2CTarget as found
    elif name == "SPI":
        from spi import SPI as found
    elif name == "RTC":
        from rtc import RTC as found
    else:
        raise AttributeError(name)
    return found
