"""A TMP75-class thermometer on I2C."""

from firmware.drivers import SensorError
from protocols import tmp75


class Tmp75:
    """i2c is anything with machine.I2C's readfrom_mem and writeto_mem."""

    def __init__(self, i2c, address: int) -> None:
        self._i2c = i2c
        self._address = address
        self._fine = False

    def read_dc(self) -> int:
        """Tenths of a degree Celsius.  Raises SensorError."""
        try:
            if not self._fine:  # a TMP75 wakes with half degrees
                setting = bytes((tmp75.config(12),))
                self._i2c.writeto_mem(self._address, tmp75.CONFIG, setting)
                self._fine = True
            reply = self._i2c.readfrom_mem(self._address, tmp75.TEMPERATURE, 2)
            return tmp75.temperature_dc(reply)
        except (OSError, tmp75.Tmp75Error) as error:
            self._fine = False
            raise SensorError(f"0x{self._address:02x}: {error}") from None
