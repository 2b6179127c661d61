"""machine.UART of the virtual ESP32: bytes that take their time on the wire.

Writing blocks only when the transmit buffer is full, done when the last bit is
out; what comes in beyond rxbuf between two reads is lost, as on the chip.
"""

import io
import struct
import time

import pipe
import wire

_POLL, _POLL_IN, _POLL_OUT = 3, 1, 4  # MP_STREAM_POLL and its two flags
_FIFO = 128  # the chip's own transmit FIFO, behind the driver's buffer


class UART(io.IOBase):
    INV_TX, INV_RX, RTS, CTS = 32, 4, 1, 2
    IRQ_RX, IRQ_BREAK, IRQ_RXIDLE = 1, 2, 4096

    def __init__(self, id, baudrate=115200, bits=8, parity=None, stop=1, **pins) -> None:
        self._id, self._heard = id, b""
        self._txbuf, self._rxbuf, self._timeout_ms, self._timeout_char_ms = 256, 256, 0, 2
        self._baud, self._sent_at_us = baudrate, time.ticks_us()
        self.lost = 0  # bytes that found rxbuf full
        pipe.listen(id, self._hear)
        self.init(baudrate, bits, parity, stop, **pins)

    def init(self, baudrate=None, bits=8, parity=None, stop=1, *, tx=None, rx=None, txbuf=None,
             rxbuf=None, timeout=None, timeout_char=None, rts=None, cts=None, invert=None,
             flow=None) -> None:  # fmt: skip
        """Changing the rate while bytes are on the wire garbles them: flush() first."""
        unsent = self._backlog()
        self._baud = baudrate or self._baud
        self._txbuf = txbuf or self._txbuf
        self._rxbuf = rxbuf or self._rxbuf
        self._timeout_ms = self._timeout_ms if timeout is None else timeout
        self._timeout_char_ms = self._timeout_char_ms if timeout_char is None else timeout_char
        self._sent_at_us = time.ticks_us()
        pipe.send(wire.UART_SETUP, self._id, struct.pack("<II", self._baud, unsent))
        pipe.drain()
        self._heard = b""

    def deinit(self) -> None:
        pass

    def any(self) -> int:
        pipe.drain()
        return len(self._heard)

    def read(self, nbytes=None):
        """What is there, at most nbytes; None when nothing came within the timeout."""
        if not self._wait():
            return None
        nbytes = len(self._heard) if nbytes is None else nbytes
        data, self._heard = self._heard[:nbytes], self._heard[nbytes:]
        return data

    def readinto(self, buf, nbytes=None):
        data = self.read(len(buf) if nbytes is None else min(nbytes, len(buf)))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        data = self._heard if self._wait() else b""
        end = data.find(b"\n") + 1
        return self.read(end or None)

    def write(self, buf) -> int:
        buf = bytes(buf)
        over = self._backlog() + len(buf) - self._txbuf - _FIFO
        if over > 0:
            time.sleep_us(self._us(over))
        now_us = time.ticks_us()
        if time.ticks_diff(self._sent_at_us, now_us) < 0:
            self._sent_at_us = now_us
        self._sent_at_us = time.ticks_add(self._sent_at_us, self._us(len(buf)))
        for at in range(0, len(buf), wire.PAYLOAD_MAX):
            pipe.send(wire.UART_WRITE, self._id, buf[at : at + wire.PAYLOAD_MAX])
        return len(buf)

    def txdone(self) -> bool:
        return time.ticks_diff(self._sent_at_us, time.ticks_us()) <= 0

    def flush(self) -> None:
        left_us = time.ticks_diff(self._sent_at_us, time.ticks_us())
        if left_us > 0:
            time.sleep_us(left_us)

    def irq(self, *args, **kwargs):
        raise NotImplementedError("the bench has no UART interrupts")

    def ioctl(self, request, arg):
        """select.poll and asyncio streams ask through here."""
        if request != _POLL:
            return -22  # EINVAL; 0 to "which file" would be the host's stdin
        ready = arg & _POLL_OUT
        if arg & _POLL_IN and self.any():
            ready |= _POLL_IN
        return ready

    def _wait(self) -> bool:
        until_ms = time.ticks_add(time.ticks_ms(), self._timeout_ms)
        while not self.any():
            if time.ticks_diff(until_ms, time.ticks_ms()) <= 0:
                return False
            time.sleep_us(200)
        return True

    def _hear(self, data: bytes) -> None:
        room = self._rxbuf - len(self._heard)
        self.lost += max(0, len(data) - room)
        self._heard += data[:room]

    def _backlog(self) -> int:
        """Bytes written and not yet on the wire."""
        left_us = time.ticks_diff(self._sent_at_us, time.ticks_us())
        return max(0, left_us * self._baud // 10_000_000)

    def _us(self, count: int) -> int:
        return count * 10_000_000 // self._baud
