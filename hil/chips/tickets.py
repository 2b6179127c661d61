"""What a chain of BM13xx chips reports: replies to the ticket mask, where and when.

As many as the hash rate makes, at random like the real ones, each with the core, chip and
small core in its place; but no solutions of the job, which nobody can make at this rate.
Only what Chain.solve finds is one.  After an epoch on one job the chips find the same again.
"""

import random
from functools import lru_cache

from hil.chips.bm13xx_facts import Facts
from hil.chips.chip_registers import Cores
from protocols import hashboard_chip as far
from protocols.hashboard import Nonce

REMEMBERED = 64  # nonces of a job, to be said again
CARRY_S = 0.003  # the old job is finished before the new one begins
_ODD_SLOT = 0.08  # of 8 small cores' replies have a version 4 off: captured on BM1362


class Tickets:
    def __init__(self, facts: Facts, random_: random.Random) -> None:
        self._facts, self._random = facts, random_
        self.job: int | None = None  # the id worked on
        self._before, self._since_s = 0, 0.0
        self._found: list[Nonce] = []
        self._left = self._random.expovariate(1.0)  # tickets until the next one

    def take(self, job: int, now_s: float) -> None:
        """New work: nonces of the old one still come for a moment."""
        self._before = self.job if self.job is not None else job
        self.job, self._since_s = job, now_s
        self._found.clear()

    def due(self, expected: float, most: int) -> int:
        """How many of the tickets expected in a step have come; never more than `most`."""
        count = 0
        self._left -= expected
        while self._left <= 0:
            self._left += self._random.expovariate(1.0)
            count += 1
            if count >= most:  # the rest does not fit the wire
                self._left = self._random.expovariate(1.0)
                break
        return count

    def solution(self, found: Nonce, at_s: float) -> Nonce:
        """One that somebody worked out; its own `job` is the small core, or the midstate."""
        echo = self._echo(self._job_at(at_s), found.job)
        return Nonce(found.nonce, found.excess, echo, found.version)

    def moment(self, dt_s: float, now_s: float) -> float:
        """When within the step that ends now."""
        return now_s - dt_s * self._random.random()

    def nonce(self, at_s: float, epoch_s: float, place: int, rolling: bool) -> Nonce:
        """One found at this time, at this place of the chain."""
        if self._found and at_s - self._since_s > epoch_s:
            return self._random.choice(self._found)
        random_, per_core = self._random, self._facts.chip.per_core
        slot = random_.randrange(per_core)
        job = self._job_at(at_s)
        if self._facts.chip.midstates:
            found = Nonce(_turned(place), 0, self._echo(job, slot), 0)
        else:
            version = random_.getrandbits(16) // per_core * per_core
            odd = per_core == 8 and random_.random() < _ODD_SLOT
            version |= slot ^ 4 if odd else slot
            echo, rolled = self._echo(job, slot), version if rolling else 0
            found = Nonce(_turned(place), self._excess(), echo, rolled)
        if len(self._found) < REMEMBERED and job == self.job:
            self._found.append(found)
        return found

    def settled_s(self) -> float:
        """From when on all that is found is of the present job."""
        return self._since_s + CARRY_S

    def _job_at(self, at_s: float) -> int:
        assert self.job is not None
        return self.job if at_s >= self.settled_s() else self._before

    def _echo(self, job: int, slot: int) -> int:
        """The id byte of a reply; slot: the small core, or the midstate."""
        chip = self._facts.chip
        return job & 0xFC | slot & 3 if chip.midstates else far.job_echo(job, slot, chip.per_core)

    def _excess(self) -> int:
        """Twice the whole powers of two by which a share beats its ticket."""
        tail = self._random.getrandbits(16) | 1 << 16
        return 2 * ((tail & -tail).bit_length() - 1)


def place(facts: Facts, random_: random.Random, address: int, core: int, begin: int) -> int:
    """A nonce as its place says it, first byte highest.

    address: the chip's; begin: where its share of a core's 25-bit counter begins.
    """
    if facts.chip.midstates:
        return core << 24 | address << 16 | random_.getrandbits(16)
    if facts.quarters:
        return core << 25 | (begin + random_.getrandbits(18)) & 0x1FF_FFFF
    return core << 25 | (address & 0xFE) << 17 | random_.getrandbits(18)


def open_cores(facts: Facts, misc: int, cores: Cores) -> Cores:
    """Of these cores, those that MISC_CONTROL lets report."""
    if facts.reports_at_once:
        return cores
    if not facts.quarters:
        return cores if misc >> 28 else ()
    return _in_quarters(facts.chip.cores, misc >> 28, cores)


@lru_cache(maxsize=256)
def _in_quarters(count: int, opened: int, cores: Cores) -> tuple[int, ...]:
    return tuple(core for core in cores if opened >> core * 4 // count & 1)


def _turned(nonce: int) -> int:
    """First byte highest, as the header's number."""
    return int.from_bytes(nonce.to_bytes(4, "big"), "little")
