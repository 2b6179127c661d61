"""An I2C bus that frees itself.

A part that was interrupted in the middle of a byte goes on holding the data line, and
with it everybody, until it has been given the clocks it waits for (I2C specification
UM10204, 3.1.16).
"""

from firmware import clock

HELD = 116  # ETIMEDOUT: how machine.I2C says that the bus does not come free
CLOCKS = 9
AGAIN_MS = 1_000  # a bus that is really held is not clocked all the time


class I2cBus:
    """make() gives a fresh machine.I2C; scl() its clock line as an output of our own."""

    def __init__(self, make, scl) -> None:
        self._make, self._scl = make, scl
        self._i2c = make()
        self._freed_ms: int | None = None
        self.freed = 0  # how often it was tried

    def readfrom_mem(self, address: int, register: int, size: int) -> bytes:
        try:
            return self._i2c.readfrom_mem(address, register, size)
        except OSError as error:
            self._free_if_held(error)
            raise

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        try:
            self._i2c.writeto_mem(address, register, data)
        except OSError as error:
            self._free_if_held(error)
            raise

    def _free_if_held(self, error: OSError) -> None:
        """This transfer is lost; the next one may find the bus free."""
        if error.args[:1] != (HELD,):
            return
        if self._freed_ms is not None and clock.since_ms(self._freed_ms) < AGAIN_MS:
            return
        self._freed_ms = clock.now_ms()
        self.freed += 1
        scl = self._scl()
        for _ in range(CLOCKS):  # at the pace of an interpreter, below 100 kHz
            scl.value(0)
            scl.value(1)
        self._i2c = self._make()
