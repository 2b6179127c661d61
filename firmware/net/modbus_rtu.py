"""Modbus RTU over RS-485: a UART and the pin that turns its driver round.

A frame ends with a silence of three and a half characters.  Its true length is in no way
measured by a loop that shares the chip, so the loop only makes sure that there was one:
nothing came from one look to the next, at least that long.
"""

from firmware import clock
from protocols import modbus

LOOK_MS = 5
FAST_BAUD, FAST_MS = 19_200, 2  # above it 1.75 ms, whatever the rate
HEARD_MAX = 2 * modbus.RTU_MAX
CHARACTER_BITS = 11


def silence_ms(baud: int) -> int:
    """Three and a half characters, rounded up."""
    if baud > FAST_BAUD:
        return FAST_MS
    return -(-35 * CHARACTER_BITS * 100 // baud)


class Line:
    """uart and direction as of machine; device as of protocols.modbus.answer."""

    def __init__(self, uart, direction, baud: int, unit: int, device) -> None:
        self._uart, self._direction = uart, direction
        self._baud, self._unit, self._device = baud, unit, device
        self._silence_ms = silence_ms(baud)
        self._heard = b""
        self._quiet_ms = 0
        self.garbled = 0  # silences after which there was no request for us

    async def run(self) -> None:
        """For ever."""
        self._direction.value(0)
        beat = clock.Beat(LOOK_MS)
        while True:
            reply = self.turn(await beat.wait())
            if reply:
                await self._say(reply)

    def turn(self, elapsed_ms: int) -> bytes:
        """A look at the line; the frame to send now, if any."""
        data = self._uart.read() if self._uart.any() else None
        if data:
            self._heard, self._quiet_ms = (self._heard + data)[-HEARD_MAX:], 0
            return b""
        self._quiet_ms += elapsed_ms
        if not self._heard or self._quiet_ms < self._silence_ms:
            return b""
        heard, self._heard = self._heard, b""
        return self._answer(heard)

    def _answer(self, heard: bytes) -> bytes:
        request = modbus.rtu_request(heard, self._unit)
        if request is None:
            self.garbled += 1
            return b""
        unit, pdu = request
        reply = modbus.answer(pdu, self._device)
        return b"" if unit == modbus.EVERYBODY else modbus.rtu(unit, reply)

    async def _say(self, frame: bytes) -> None:
        """Drive the line for as long as the frame takes, and not longer than we must."""
        self._direction.value(1)
        try:
            self._uart.write(frame)
            await clock.sleep_ms(len(frame) * CHARACTER_BITS * 1000 // self._baud)
            self._uart.flush()  # the last bits, which a rounded wait leaves
        finally:
            self._direction.value(0)
        self._uart.read()  # a transceiver that hears itself
