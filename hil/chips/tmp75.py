"""A TMP75: a pointer, a 12-bit temperature, and the ways it fails."""

from protocols import tmp75

SPIKE_EVERY = 4  # readings: one bad, the rest good
SPIKE = b"\x7f\xf0"  # 127.94 C, the top of the range: seen in the field
_TEMPERATURE = bytes((tmp75.TEMPERATURE,))


class Tmp75:
    def __init__(self) -> None:
        self.celsius = 25.0
        self.lost = self.stuck = self.spike = False
        self._pointer = tmp75.TEMPERATURE
        self._held = b""  # what a stuck sensor goes on saying
        self._reads = 0
        self._config = tmp75.config()
        self._words = {
            tmp75.LOW_LIMIT: tmp75.register(750),
            tmp75.HIGH_LIMIT: tmp75.register(800),
            tmp75.DIE_ID: tmp75.DIE_ID_TMP1075.to_bytes(2, "big"),
        }

    def write(self, data: bytes) -> bool:
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

    def read(self, size: int) -> bytes | None:
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
        broken = self.lost or self.stuck or self.spike
        if broken or out != _TEMPERATURE:
            return None
        return (self._measured() + b"\xff" * size)[:size]

    def _measured(self) -> bytes:
        limited_dc = max(tmp75.LOW_DC, min(tmp75.HIGH_DC, round(self.celsius * 10)))
        return tmp75.register(limited_dc)

    def _temperature(self) -> bytes:
        self._reads += 1
        word = self._measured()
        self._held = (self._held or word) if self.stuck else b""
        if self._held:
            return self._held
        return SPIKE if self.spike and self._reads % SPIKE_EVERY == 0 else word
