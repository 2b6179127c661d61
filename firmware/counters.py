"""What a board's chips do, from their own counters: hash rate, errors, and who is silent.

Pure.  Counters wrap at 32 bits; what one count is worth differs from chip to chip.
"""

from array import array
from collections import namedtuple

STEADY_POLLS = 3  # so many in a row, before a chip counts as silent, or as back

# chips: of the board, that answer; ghs: they make; expected_ghs: the clock's, of these chips;
# wrong_pm: of all their hashes; odd: chips whose clock is not the one written
Chain = namedtuple("Chain", ("chips", "ghs", "expected_ghs", "wrong_pm", "odd"))
NOTHING = Chain(0, 0, 0, 0, 0)


class Counts:
    """One counter of every chip, read again and again."""

    def __init__(self, chips: int) -> None:
        self._last = array("I", bytes(4 * chips))
        self._heard = bytearray(chips)  # 1 once its counter is known

    def reset(self) -> None:
        """The chips start at 0 again."""
        for chip in range(len(self._heard)):
            self._heard[chip] = 0

    def since(self, counts: dict) -> int | None:
        """What all chips counted since the last time; None when nothing was known of any."""
        known, total = False, 0
        for chip, count in counts.items():
            if self._heard[chip]:
                known, total = True, total + ((count - self._last[chip]) & 0xFFFF_FFFF)
            self._heard[chip], self._last[chip] = 1, count
        return total if known else None


class HashCounter:
    """unit: millionths of a GH a count is worth, or of a GH/s when the chips tell a rate."""

    def __init__(self, chips: int, unit: int = 4_294_967, is_rate: bool = False) -> None:
        self._fitted, self._unit, self._is_rate = chips, unit, is_rate
        self._hashes = Counts(chips)
        self.reset()

    def reset(self, found: int = 0) -> None:
        """The board has been off, and starts with so many chips."""
        self._hashes.reset()
        self._errors = (0, 0)  # chips that answered, and what all of them counted wrong
        self._age_ms = 0
        self._recent = [found]  # how many answered of late
        self.chips = found
        self.silent: list[int] = []  # places of those that do not answer
        self.ghs = self.expected_ghs = self.wrong_pm = 0
        self.odd = self._odd = 0

    def poll(self, counts: dict, wrong: dict, elapsed_ms: int, expected_ghs: int) -> None:
        """counts, wrong: by place.  expected_ghs: the least the clock since the last poll makes
        with all chips fitted."""
        self._age_ms += elapsed_ms
        self._hear(counts)
        self.expected_ghs = 0
        right, failed = self._hashes.since(counts), self._failed(wrong)
        if self._is_rate:
            right = sum(rate for rate in counts.values() if not rate >> 31)
            self.ghs = right * self._unit // 1_000_000
        elif right is not None and self._age_ms:
            self.ghs = right * self._unit // (self._age_ms * 1000)
            self.wrong_pm = failed * 1000 // (right + failed) if right + failed else 0
        if right is not None:
            self.expected_ghs = expected_ghs * len(counts) // self._fitted
        self._age_ms = 0

    def _failed(self, wrong: dict) -> int:
        """Wrong hashes since the last time; 0 when other chips answer now."""
        before, self._errors = self._errors, (len(wrong), sum(wrong.values()))
        return max(0, self._errors[1] - before[1]) if before[0] == len(wrong) else 0

    def _hear(self, counts: dict) -> None:
        """A chip that was missed once was drowned in noise; one missed thrice is silent."""
        recent = self._recent
        recent.append(len(counts))
        if len(recent) > STEADY_POLLS:
            recent.pop(0)
        if len(recent) == STEADY_POLLS or len(counts) > self.chips:
            self.chips = max(recent)
            self.silent = [chip for chip in range(self._fitted) if chip not in counts]

    def clocks(self, odd: int) -> None:
        """So many chips run at another clock; counts when it is said twice in a row."""
        self.odd, self._odd = min(odd, self._odd), odd

    def told(self) -> str:
        """Who answers, in words."""
        silent = ", ".join(str(chip) for chip in self.silent[:5])
        dots = " ..." if len(self.silent) > 5 else ""
        return f"{self.chips} of {self._fitted} chips answer" + (
            f", not {silent}{dots}" if silent else ""
        )

    def chain(self) -> Chain:
        return Chain(self.chips, self.ghs, self.expected_ghs, self.wrong_pm, self.odd)
