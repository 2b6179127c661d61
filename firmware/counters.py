"""Hash rate of a board from its chips' own counters, and when to stop believing in it.

Pure.  The counters count 2^32 hashes and wrap at 32 bits.
"""

BAD_POLLS = 3  # so many in a row, and the board is in trouble


class HashCounter:
    def __init__(self, chips: int) -> None:
        self._chips = chips
        self.reset()

    def reset(self) -> None:
        """The chips start at 0 again."""
        self._last: dict[int, int] = {}
        self._age_ms = 0
        self._bad = 0
        self.ghs = 0
        self.trouble = ""

    def poll(self, counts: dict, elapsed_ms: int, expected_ghs: int) -> None:
        """counts by chip; expected_ghs: the least the clock since the last poll can make."""
        self._age_ms += elapsed_ms
        if self._last and self._age_ms:
            total = 0
            for chip, count in counts.items():
                total += (count - self._last.get(chip, count)) & 0xFFFF_FFFF
            # 2^32 hashes a millisecond are 4,294,967.296 GH/s / 1000
            self.ghs = total * 4_294_967 // (self._age_ms * 1000)
        self._judge(len(counts), expected_ghs if self._last else 0)
        self._last.update(counts)
        self._age_ms = 0

    def _judge(self, heard: int, expected_ghs: int) -> None:
        why = ""
        if heard < self._chips:
            why = f"{heard} of {self._chips} chips answer"
        elif self.ghs * 2 < expected_ghs:
            why = f"makes {self.ghs} of {expected_ghs} GH/s"
        self._bad = self._bad + 1 if why else 0
        self.trouble = why if self._bad >= BAD_POLLS else ""
