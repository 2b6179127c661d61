"""The serial line of a chain: bytes take their time, the wrong rate is noise, and so is noise."""

import random

DEAF_PART = 0.05  # rates further apart than this make noise of each other
WAITING_MAX = 4096  # frames not yet out: more than any chain has to say at once
BURST_EVERY_S, BURST_S = 1.0, 0.1  # of a noisy line
BURST_HIT = 0.3  # bytes of a burst that are changed


class Line:
    def __init__(self, baud: int, random_: random.Random) -> None:
        self.baud = baud
        self.noisy = False  # bursts of changed bytes, both ways
        self.garbled = 0  # bytes heard at the wrong rate
        self._random = random_
        self._out: list[tuple[float, bytes]] = []  # (when its last bit is out, frame)
        self._free_s = 0.0

    def clear(self) -> None:
        self._out.clear()

    def deaf(self, baud: int) -> bool:
        """Whether a host at this rate is not understood, nor understands."""
        return abs(baud - self.baud) > DEAF_PART * self.baud

    def hear(self, data: bytes, now_s: float) -> bytes:
        """What arrives of the host's bytes."""
        return self._noise(data, now_s) if self.noisy else data

    def say(self, frame: bytes, now_s: float) -> None:
        """After what is already waiting; lost when too much is."""
        if len(self._out) < WAITING_MAX:
            self._free_s = max(self._free_s, now_s) + len(frame) * 10 / self.baud
            self._out.append((self._free_s, frame))

    def due_s(self) -> float | None:
        """When the first waiting frame is out."""
        return self._out[0][0] if self._out else None

    def read(self, baud: int, now_s: float) -> bytes:
        """What has come out by now, as a host at this rate hears it."""
        ready = 0
        while ready < len(self._out) and self._out[ready][0] <= now_s:
            ready += 1
        data = b"".join([frame for _, frame in self._out[:ready]])
        del self._out[:ready]
        if data and self.deaf(baud):
            return self._random.randbytes(max(1, len(data) * baud // self.baud))
        return self._noise(data, now_s) if self.noisy else data

    def _noise(self, data: bytes, now_s: float) -> bytes:
        if now_s % BURST_EVERY_S >= BURST_S:
            return data
        random_ = self._random
        return bytes(
            byte ^ random_.randrange(1, 256) if random_.random() < BURST_HIT else byte
            for byte in data
        )
