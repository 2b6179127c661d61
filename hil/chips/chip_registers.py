"""The registers of a chain of BM13xx chips.

What a broadcast writes is held once for all; a chip has a value of its own only
where one was written to it alone, or where a broadcast did not reach it.  So has a core.
"""

from collections.abc import Sequence

from protocols import hashboard as wire

CORE_VALUE = 0x40
Cores = range | tuple[int, ...]  # numbers of some cores of a chip
_ALL_CORES, _WRITE, _DONE = 1 << 31, 1 << 15, 1 << 14


def of_cores(register: int) -> int:
    """Where a register of all cores of a chip is kept, beside the chip's own."""
    return 0x100 | register


class Registers:
    """chips: how many, of so many cores.  Numbers are places on the chain, from the host."""

    def __init__(
        self, chips: int, cores: int, reset: dict[int, int], core_reset: dict[int, int]
    ) -> None:
        self._chips, self._cores = chips, range(cores)
        self._all = reset | {of_cores(core): value for core, value in core_reset.items()}
        self._own: dict[int, dict[int, int]] = {}
        # of single cores, by (chip, register of its cores): what they hold unlike the others
        self._odd: dict[tuple[int, int], dict[int, int]] = {}

    def held(self, chip: int, register: int) -> int:
        own = self._own.get(register)
        if own and chip in own:
            return own[chip]
        return self._all.get(register, 0)

    def of_all(self, register: int) -> int:
        """What was last written to all."""
        return self._all.get(register, 0)

    def column(self, register: int) -> list[int]:
        """The value of every chip."""
        common, own = self._all.get(register, 0), self._own.get(register)
        if not own:
            return [common] * self._chips
        return [own.get(chip, common) for chip in range(self._chips)]

    def cores_at(self, chip: int, core_register: int, value: int) -> Cores:
        """The cores of a chip that hold this value."""
        key = of_cores(core_register)
        common, odd = self.held(chip, key), self._odd.get((chip, key))
        if not odd:
            return self._cores if common == value else ()
        return tuple(core for core in self._cores if odd.get(core, common) == value)

    def write(self, chips: Sequence[int], register: int, value: int, broadcast: bool) -> None:
        """To the chips a command reaches; CORE_CONTROL goes on to their cores."""
        self._put(chips, register, value, broadcast)
        if register != wire.CORE_CONTROL:
            return
        key, core = of_cores(value >> 8 & 0x1F), value >> 16 & 0xFF
        if not value & _WRITE:
            self._read_core(chips, core, key, value, broadcast)
        elif value & _ALL_CORES:
            self._put(chips, key, value & 0xFF, broadcast)
            for chip in chips:
                self._odd.pop((chip, key), None)
        elif core in self._cores:
            for chip in chips:
                self._odd.setdefault((chip, key), {})[core] = value & 0xFF

    def _read_core(
        self, chips: Sequence[int], core: int, key: int, value: int, broadcast: bool
    ) -> None:
        """A core's answer lands in CORE_VALUE, and CORE_CONTROL says that it is there."""
        if core not in self._cores:
            return  # nobody answers
        for chip in chips:
            held = self._odd.get((chip, key), {}).get(core, self.held(chip, key))
            self._put((chip,), CORE_VALUE, held, broadcast=False)
        self._put(chips, wire.CORE_CONTROL, value | _DONE, broadcast)

    def _put(self, chips: Sequence[int], register: int, value: int, broadcast: bool) -> None:
        if not broadcast:
            self._own.setdefault(register, {}).update(dict.fromkeys(chips, value))
            return
        kept = {}
        if len(chips) < self._chips:
            reached = set(chips)
            missed = (chip for chip in range(self._chips) if chip not in reached)
            kept = {chip: self.held(chip, register) for chip in missed}
        self._all[register] = value
        self._own.pop(register, None)
        if kept:
            self._own[register] = kept
