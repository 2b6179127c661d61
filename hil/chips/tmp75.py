"""A TMP75 or an LM75A: a pointer, a temperature, and the ways it fails.

A TMP75 has 9 to 12 bits, as CONFIG says, and a DIE_ID; an LM75A has 9 and an id of
its own at register 7, and what it does not know reads as ones.
"""

from protocols import tmp75

SPIKE_EVERY = 4  # readings: one bad, the rest good
SPIKE = b"\x7f\xf0"  # 127.94 C, the top of the range: seen in the field
# what broken ones were heard saying, by the end of their fault's name
SAYS = {
    "high": b"\x7f\xe0",
    "zero": b"\0\0",
    "minus_one": b"\xff\0",
    "ones": b"\xff\xff",
}
_TEMPERATURE = bytes((tmp75.TEMPERATURE,))
_LM75A_BITS, _LM75A_ID, _ID_REGISTER = 9, b"\xa1", 7


class Tmp75:
    def __init__(self, lm75a: bool = False) -> None:
        self.celsius = 25.0
        self.lost = self.stuck = self.spike = False
        self.says = b""  # what it says whatever the temperature is
        self._lm75a = lm75a
        self._pointer = tmp75.TEMPERATURE
        self._held = b""  # what a stuck sensor, or one that is shut down, goes on saying
        self._reads = 0
        self._config = 0 if lm75a else tmp75.config()
        self._words = {
            tmp75.LOW_LIMIT: tmp75.register(750),
            tmp75.HIGH_LIMIT: tmp75.register(800),
        }
        if lm75a:
            self._words[_ID_REGISTER] = _LM75A_ID
        else:
            self._words[tmp75.DIE_ID] = tmp75.DIE_ID_TMP1075.to_bytes(2, "big")

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        """False when nobody acknowledges."""
        if self.lost:
            return False
        if data:
            self._pointer = data[0]
        if len(data) >= 2 and self._pointer == tmp75.CONFIG:
            self._config = data[1]
        if len(data) >= 3 and self._pointer in (tmp75.LOW_LIMIT, tmp75.HIGH_LIMIT):
            self._words[self._pointer] = data[1:3]
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        if self.lost:
            return None
        if self._pointer == tmp75.TEMPERATURE:
            word = self._temperature()
        elif self._pointer == tmp75.CONFIG:
            word = bytes((self._config,))
        else:
            word = self._words.get(self._pointer, b"")
        return (word + b"\xff" * size)[:size]

    def kept(self, out: bytes, size: int) -> bytes | None:
        """What writing out and reading would answer, changing nothing; None: ask."""
        broken = self.lost or self.stuck or self.spike or tmp75.is_shut_down(self._config)
        if broken or out != _TEMPERATURE:
            return None
        return ((self.says or self._measured()) + b"\xff" * size)[:size]

    def _measured(self) -> bytes:
        """To the bits it has, the rest 0."""
        bits = _LM75A_BITS if self._lm75a else tmp75.resolution_bits(self._config)
        steps = int(self.celsius * 16 // 1)
        steps = max(-2048, min(2047, steps)) & 0xFFF & ~((1 << 12 - bits) - 1)
        return (steps << 4).to_bytes(2, "big")

    def _temperature(self) -> bytes:
        self._reads += 1
        if self.says:
            return self.says
        word = self._measured()
        keeps = self.stuck or tmp75.is_shut_down(self._config)
        self._held = (self._held or word) if keeps else b""
        if self._held:
            return self._held
        return SPIKE if self.spike and self._reads % SPIKE_EVERY == 0 else word
