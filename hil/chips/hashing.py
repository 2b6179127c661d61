"""How fast the chips of a chain hash: clocks, enabled cores, counters, and what they find.

Rates are worked out when something changes; a step only adds time to them.
"""

import random
from collections.abc import Sequence
from itertools import accumulate

from hil.chips import tickets
from hil.chips.bm13xx_facts import FACTS
from hil.chips.chip_registers import Cores, Registers
from hil.chips.tickets import Tickets
from protocols import hashboard as wire
from protocols import hashboard_chip as far
from protocols import pll
from protocols.hashboard import Nonce

COUNTED = 2**32  # hashes of one count of a counter
RATE_1397, RATE_UNIT = 0x04, 2**20
OUT_DIVIDER = 0x70
CRYSTAL_HZ = 25e6
# registers that change how fast it goes, or what is reported
_CLOCK = (wire.PLL0, OUT_DIVIDER)
_REPORTS = (wire.MISC_CONTROL, wire.TICKET_MASK)
_MATTERS = (*_CLOCK, *_REPORTS, wire.HASH_COUNTING, wire.CORE_CONTROL)


class Hashing:
    def __init__(
        self, model: int, chips: int, registers: Registers, random_: random.Random
    ) -> None:
        self._model, self._chips, self._facts = model, chips, FACTS[model]
        self._registers, self._random = registers, random_
        self._tickets = Tickets(self._facts, random_)
        self._solved: list[Nonce] = []
        self._hashes, self._errors = [0.0] * chips, [0.0] * chips  # in COUNTED, as last folded
        self._since = 0.0  # seconds at the present rates, not yet folded
        self._right: Sequence[float] = (1.0,) * chips
        self._right_given: float | Sequence[float] = 1.0
        self._lost: frozenset[int] = frozenset()
        self._clocks: list[float] = []
        self._stale_clocks = self._stale = True
        self._rates = [0.0] * chips

    @property
    def job(self) -> int | None:
        """The id of the work in hand."""
        return self._tickets.job

    def take(self, job: int, solutions: Sequence[Nonce], now_s: float) -> None:
        """New work by its id, and what is known to solve it."""
        self._stale = self._stale or self.job is None
        self._tickets.take(job, now_s)
        self._solved = list(solutions)

    def changed(self, register: int) -> None:
        """A register was written."""
        if register in _MATTERS:
            self._stale = True
            self._stale_clocks |= register in _CLOCK

    def set_right(self, right: float | Sequence[float], lost: frozenset[int]) -> None:
        same = right is self._right_given or right == self._right_given
        if same and lost == self._lost:
            return
        self._right_given, self._lost = right, lost
        self._fold()
        self._right = (right,) * self._chips if isinstance(right, float | int) else right
        self._stale = True

    def clocks(self) -> Sequence[float]:
        """Megahertz of each chip."""
        if self._stale_clocks:
            words = self._registers.column(wire.PLL0)
            outs = self._registers.column(OUT_DIVIDER)
            made = {pair: self._mhz_of(*pair) for pair in set(zip(words, outs, strict=True))}
            self._clocks = [made[pair] for pair in zip(words, outs, strict=True)]
            self._mean_mhz = sum(self._clocks) / self._chips
            self._stale_clocks = False
        return self._clocks

    def mhz(self) -> float:
        self.clocks()
        return self._mean_mhz

    def working(self, lost: frozenset[int]) -> float:
        """Part of the cores that hash."""
        if lost != self._lost:
            self.set_right(self._right_given, lost)
        if self._stale:
            self._pace()
        return self._working

    def step(
        self, dt_s: float, now_s: float, most: int, addresses: list[int]
    ) -> list[tuple[int, Nonce]]:
        """Hash for dt.  What was found, with the chip that found it; at most so many."""
        if self._stale:
            self._pace()
        self._since += dt_s
        if not self._ticket_rate:
            return []
        count = self._tickets.due(self._ticket_rate * dt_s, most)
        found = [self._find(dt_s, now_s, addresses) for _ in range(count)]
        if self._solved and now_s >= self._tickets.settled_s():
            found.append((0, self._tickets.solution(self._solved.pop(0), now_s)))
        return found

    def counter(self, chip: int, register: int) -> int | None:
        """A counter of a chip; None for a register that is none."""
        if self._facts.chip.midstates:
            rate = int(self._rates[chip] * self._right[chip] * COUNTED / RATE_UNIT)
            return (rate or 1 << 31) if register == RATE_1397 else None
        right = self._rates[chip] * self._right[chip] * self._since + self._hashes[chip]
        if register == wire.TOTAL_HASHES:
            return int(right) & 0xFFFF_FFFF
        if wire.DOMAIN_HASHES <= register < wire.TOTAL_HASHES:
            return int(right / 4) & 0xFFFF_FFFF
        if register == wire.NONCE_ERRORS:
            wrong = self._rates[chip] * (1 - self._right[chip]) * self._since
            return int(wrong + self._errors[chip]) & 0xFFFF_FFFF
        return None

    def _fold(self) -> None:
        for chip, rate in enumerate(self._rates):
            right = self._right[chip]
            self._hashes[chip] += rate * right * self._since
            self._errors[chip] += rate * (1 - right) * self._since
        self._since = 0.0

    def _pace(self) -> None:
        """The rates, from what the registers now hold."""
        self._fold()
        hashing = [self._enabled(chip) for chip in range(self._chips)]
        active = self._active(hashing)
        per_mhz = 1e6 * self._facts.chip.small_cores / COUNTED
        clocks = self.clocks()
        self._rates = [mhz * per_mhz * on for mhz, on in zip(clocks, active, strict=True)]
        self._working = sum(active) / self._chips
        opened = [self._open_part(chip, cores) for chip, cores in enumerate(hashing)]
        found = [r * w * o for r, w, o in zip(self._rates, self._right, opened, strict=True)]
        self._found = list(accumulate(found))
        difficulty = far.ticket_difficulty(self._registers.of_all(wire.TICKET_MASK))
        self._ticket_rate = self._found[-1] / difficulty
        self._stale = False

    def _active(self, hashing: Sequence[Sequence[int]]) -> list[float]:
        """Of each chip, the part that has all it needs to hash; hashing: its enabled cores."""
        if self.job is None:
            return [0.0] * self._chips
        cores = self._facts.chip.cores
        active = [len(on) / cores * (n not in self._lost) for n, on in enumerate(hashing)]
        if self._facts.needs_sweep:
            sweeps = self._registers.column(wire.HASH_COUNTING)
            active = [on if ticks else 0.0 for on, ticks in zip(active, sweeps, strict=True)]
        return active

    def _enabled(self, chip: int) -> Cores:
        """The cores of a chip that are switched on."""
        if not self._facts.enable:
            return range(self._facts.chip.cores)
        return self._registers.cores_at(chip, *self._facts.enable)

    def _heard(self, chip: int, cores: Cores) -> Cores:
        """Of these cores, those that may report."""
        return tickets.open_cores(self._facts, self._registers.held(chip, wire.MISC_CONTROL), cores)

    def _open_part(self, chip: int, cores: Cores) -> float:
        return len(self._heard(chip, cores)) / len(cores) if cores else 0.0

    def _find(self, dt_s: float, now_s: float, addresses: list[int]) -> tuple[int, Nonce]:
        facts, random_, held = self._facts, self._random, self._registers.held
        chip = random_.choices(range(self._chips), cum_weights=self._found)[0]
        core = random_.choice(self._heard(chip, self._enabled(chip)))
        offset = held(chip, wire.NONCE_OFFSET)
        begin = (offset & 0xFFFF) << 9 if offset >> 31 else 0
        at = tickets.place(facts, random_, addresses[chip], core, begin)
        rolling = bool(held(chip, wire.VERSION_ROLLING) >> 31)
        at_s = self._tickets.moment(dt_s, now_s)
        epoch_s = self._epoch_s(held(chip, wire.HASH_COUNTING))
        return chip, self._tickets.nonce(at_s, epoch_s, at, rolling)

    def _epoch_s(self, ticks: int) -> float:
        """How long one job lasts before the chips find the same again."""
        chip = self._facts.chip
        if chip.midstates:
            slots = 1 << (self._chips - 1).bit_length()
            return 2**32 / 256 / slots / (self.mhz() * 1e6)
        return float(65_536 / chip.per_core * ticks / CRYSTAL_HZ)

    def _mhz_of(self, word: int, out: int) -> float:
        return pll.khz(self._model, word, out & 0x0F) / 1000
