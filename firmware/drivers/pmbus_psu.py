"""A PMBus power supply on I2C.

Codec: protocols/pmbus.py.  Limits: firmware/limits.py.  This file knows how to talk
to the supply and never whether it should.
"""

from firmware import clock
from firmware.drivers import SupplyError
from protocols import pmbus

ATTEMPTS = 3  # a busy supply answers 0xff...; the next read is good
# what this supply can truly say; beyond it the wire lied with a good checksum
MV_MAX, WATTS_MAX = 16_000, 6_000


class Psu:
    """i2c is anything with machine.I2C's readfrom_mem and writeto_mem."""

    def __init__(self, i2c, address: int) -> None:
        self._i2c = i2c
        self._address = address
        self._exponent: int | None = None
        self.bad_replies = 0

    def start(self, mv: int) -> None:
        """Forget old faults, take a voltage, switch the output on as far as I2C can."""
        self.clear_faults()
        self.set_mv(mv)
        self._write(pmbus.OPERATION, bytes((pmbus.OPERATION_ON,)))

    def clear_faults(self) -> None:
        """What is no longer so leaves the status; what still is comes back at once."""
        self._write(pmbus.CLEAR_FAULTS)

    def set_mv(self, mv: int) -> bool:
        """True: it has taken it."""
        word = pmbus.to_ulinear16(mv, self._vout_exponent())
        self._write(pmbus.VOUT_COMMAND, pmbus.word_bytes(word))
        return True

    async def read(self) -> tuple[int, int, int]:
        """STATUS_WORD, output in mV, input in W; other loops go on between them."""
        status = self.status()
        await clock.sleep_ms(0)
        millivolts = self.output_mv()
        await clock.sleep_ms(0)
        return status, millivolts, self.input_w()

    def status(self) -> int:
        """STATUS_WORD."""
        return self._word(pmbus.STATUS_WORD)

    def output_mv(self) -> int:
        word = self._word(pmbus.READ_VOUT)
        return _plausible("mV", pmbus.ulinear16(word, self._vout_exponent()), MV_MAX)

    def input_w(self) -> int:
        milliwatts = pmbus.linear11(self._word(pmbus.READ_PIN))
        return _plausible("W", (milliwatts + 500) // 1000, WATTS_MAX)

    def _vout_exponent(self) -> int:
        if self._exponent is None:
            try:
                self._exponent = pmbus.vout_exponent(self._read(pmbus.VOUT_MODE, 1)[0])
            except pmbus.PmbusError as error:
                raise SupplyError(str(error)) from None
        return self._exponent

    def _word(self, command: int) -> int:
        return pmbus.word_of(self._read(command, 2))

    def _read(self, command: int, size: int) -> bytes:
        last = None
        for _ in range(ATTEMPTS):
            try:
                reply = self._i2c.readfrom_mem(self._address, command, size + 1)
                return pmbus.checked(self._address, command, reply)
            except (OSError, pmbus.PmbusError) as error:
                self.bad_replies += 1
                last = error
                if _is_held(error):
                    break
        raise SupplyError(f"no good reply to command 0x{command:02x}: {last}")

    def _write(self, command: int, data: bytes = b"") -> None:
        framed = pmbus.written(self._address, command, data)
        last = None
        for _ in range(ATTEMPTS):
            try:
                self._i2c.writeto_mem(self._address, command, framed)
                return
            except OSError as error:
                self.bad_replies += 1
                last = error
                if _is_held(error):
                    break
        raise SupplyError(f"command 0x{command:02x} not taken: {last}")


def _is_held(error: Exception) -> bool:
    """A held bus costs its timeout every time: once is enough."""
    return isinstance(error, OSError) and error.args[:1] == (116,)


def _plausible(unit: str, value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise SupplyError(f"{value} {unit} cannot be")
    return value
