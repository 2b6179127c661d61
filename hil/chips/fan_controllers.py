"""Fan controllers on I2C: an EMC2305 with five fans, an EMC2101 with one and a diode."""

from hil.chips.fan import Fan
from protocols import emc2101, emc2305


class Emc2305:
    """fans: up to five; the product id says how many there can be."""

    def __init__(self, fans: list[Fan]) -> None:
        self.fans = fans
        products = {count: product for product, count in emc2305.FANS.items()}
        fitting = min(count for count in products if count >= len(fans))
        self._fixed = {
            emc2305.PRODUCT: products[fitting],
            emc2305.MANUFACTURER: emc2305.MANUFACTURER_MICROCHIP,
        }
        self._pointer = 0
        self._stored: dict[int, int] = {}
        for n in range(fitting):
            base = emc2305.fan_base(n)
            self._stored |= {base + emc2305.DRIVE: 0xFF, base + emc2305.CONFIG: 0x2B}

    def duty(self, fan: int) -> float:
        """What the fan's PWM line is driven with."""
        return self._stored[emc2305.fan_base(fan) + emc2305.DRIVE] / 255

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        if data:
            self._pointer = data[0]
        for n, byte in enumerate(data[1:]):
            if (self._pointer + n) & 0xFF in self._stored:
                self._stored[(self._pointer + n) & 0xFF] = byte
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        return bytes(self._register((self._pointer + n) & 0xFF) for n in range(size))

    def _register(self, register: int) -> int:
        fan, offset = divmod(register - 0x30, 0x10)
        if 0 <= fan < len(self.fans) and offset in (emc2305.TACH_HIGH, emc2305.TACH_LOW):
            config = self._stored[emc2305.fan_base(fan) + emc2305.CONFIG]
            rpm = round(self.fans[fan].tach_rpm())
            return emc2305.tach(rpm, emc2305.multiplier(config))[offset - emc2305.TACH_HIGH]
        return self._fixed.get(register, self._stored.get(register, 0))


class Emc2101:
    def __init__(self, fan: Fan) -> None:
        self.fan = fan
        self.celsius = self.outside_c = 25.0
        self._pointer = 0
        self._stored = {
            emc2101.CONFIG: 0,
            emc2101.FAN_CONFIG: 0x20,
            emc2101.FAN_DUTY: 0,
            emc2101.IDEALITY: 0x12,
            emc2101.BETA: 0x08,
        }

    def duty(self) -> float:
        return self._stored[emc2101.FAN_DUTY] / emc2101.DUTY_MAX

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        if data:
            self._pointer = data[0]
        if len(data) >= 2 and data[0] in self._stored:
            direct = self._stored[emc2101.FAN_CONFIG] & emc2101.DIRECT
            if data[0] != emc2101.FAN_DUTY or direct:
                self._stored[data[0]] = data[1] & (0x3F if data[0] == emc2101.FAN_DUTY else 0xFF)
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        """One register, said again and again: it does not count on."""
        return bytes((self._register(self._pointer),)) * size

    def _register(self, register: int) -> int:
        count = 0xFFFF
        if self._stored[emc2101.CONFIG] & emc2101.TACH_ON:
            count = emc2101.count(round(self.fan.tach_rpm()))
        high, low = emc2101.external(round(self.outside_c * 10))
        values = self._stored | {
            emc2101.INTERNAL: round(self.celsius) & 0xFF,
            emc2101.EXTERNAL_HIGH: high,
            emc2101.EXTERNAL_LOW: low,
            emc2101.TACH_LOW: count & 0xFF,
            emc2101.TACH_HIGH: count >> 8,
            emc2101.PRODUCT: emc2101.PRODUCTS[0],
            emc2101.MANUFACTURER: emc2101.MANUFACTURER_MICROCHIP,
        }
        return values.get(register, 0)
