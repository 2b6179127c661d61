"""A chain of BM13xx chips at register level, as its UART sees it.

Behaviour by hardware.md 1.17 of the reference: 9-byte replies until version rolling is on,
no reports until MISC_CONTROL opens them, no hashing without clock, cores, a job and a sweep.
What differs from chip to chip is in bm13xx_facts.py.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hil.chips import bm13xx_facts, temperature_1368
from hil.chips.chip_registers import Registers
from hil.chips.hashing import Hashing
from hil.chips.line import Line
from protocols import hashboard as wire
from protocols import hashboard_chip as far
from protocols.hashboard import Job, Nonce
from protocols.hashboard_chip import (
    ChainInactive,
    CommandReceiver,
    ReadRegister,
    SetAddress,
    WriteRegister,
)
from protocols.midstates import MidstateJob

LOCK_S = 0.002  # of the PLL; nobody has published it
BAUD_REGISTERS = (wire.UART_BAUD, wire.MISC_CONTROL, wire.PLL3)


class Chain:
    """chips of one model.  answering and lost may be changed at any time: see reachable()."""

    def __init__(self, model: int = 1370, chips: int = 65, seed: int = 0) -> None:
        self.model, self.chips = model, chips
        self.facts = bm13xx_facts.FACTS[model]
        self.answering = chips  # the ones nearest the host, up to a broken one
        self.lost: frozenset[int] = frozenset()  # pass everything on, and are dead themselves
        self.celsius = 25.0
        # from a job to true solutions of it, whose `job` is the small core that found them
        self.solve: Callable[[Job | MidstateJob], Sequence[Nonce]] = lambda job: ()
        self.on = False
        self._random = random.Random(seed)
        self.line = Line(self._baud_of(self.facts.reset), self._random)
        self.reset()

    def reset(self) -> None:
        facts = self.facts
        self._registers = Registers(self.chips, facts.chip.cores, facts.reset, facts.core_reset)
        self._address = [0] * self.chips
        self._inactive: list[int] = []
        self._other_rate = self.chips  # from this chip on another baud: nobody is heard
        self._ear = CommandReceiver(bool(facts.chip.midstates))
        self._locked_s = 0.0
        self._hashing = Hashing(self.model, self.chips, self._registers, self._random)
        self.line.baud = self._baud_of(facts.reset)

    def power(self, on: bool) -> None:
        """On: supplied and out of reset.  Off, and the chips forget everything."""
        if self.on and not on:
            self.reset()
            self.line.clear()
        self.on = on

    @property
    def baud(self) -> int:
        return self.line.baud

    @property
    def garbled(self) -> int:
        """Bytes heard at the wrong rate."""
        return self.line.garbled

    @property
    def refused(self) -> int:
        """Frames whose checksum was wrong."""
        return self._ear.bad

    def reachable(self) -> list[int]:
        """The chips that hear and answer: up to a broken one, and without the lost ones."""
        end = min(self.answering, self._other_rate)
        return [chip for chip in range(end) if chip not in self.lost]

    def write(self, data: bytes, baud: int, now_s: float) -> None:
        """Bytes from the host at its own rate."""
        if not self.on:
            return
        if self.line.deaf(baud):
            self.line.garbled += len(data)
            return
        for event in self._ear.feed(self.line.hear(data, now_s)):
            if self.line.deaf(baud):
                self.line.garbled += 11  # what follows a new rate in one breath is not heard
            else:
                self._obey(event, now_s)

    def due_s(self) -> float | None:
        return self.line.due_s()

    def read(self, baud: int, now_s: float) -> bytes:
        """What has come out by now, as a host at this rate hears it."""
        return self.line.read(baud, now_s)

    def step(self, dt_s: float, now_s: float, right: float | Sequence[float] = 1.0) -> None:
        """Hash for dt; right is the part of the hashes that come out well, of all or of each."""
        if not self.on or self._hashing.job is None:
            return
        dt_s = min(dt_s, max(0.0, now_s - self._locked_s))
        self._hashing.set_right(right, self.lost)
        most = int(dt_s * self.line.baud / 110) + 1
        for chip, nonce in self._hashing.step(dt_s, now_s, most, self._address):
            if chip < min(self.answering, self._other_rate):
                self.line.say(far.nonce_reply(nonce, self._reply_size(chip)), now_s)

    def working(self) -> float:
        """Part of the cores that hash."""
        return self._hashing.working(self.lost) if self.on else 0.0

    def mhz(self) -> float:
        """The mean clock of the chips."""
        return self._hashing.mhz() if self.on else 0.0

    def clocks(self) -> Sequence[float]:
        """Each chip's megahertz; the same object until one changes."""
        return self._hashing.clocks()

    def register(self, chip: int, register: int, now_s: float = 0.0) -> int:
        """What a chip, counted from the host, would answer."""
        value = self._registers.held(chip, register)
        if register == wire.CHIP_ID:
            return int(self.facts.chip.chip_id | self._address[chip])
        if register == wire.PLL0:
            return value & ~wire.LOCKED | (wire.LOCKED if now_s >= self._locked_s else 0)
        if self.model == 1368 and register == temperature_1368.VALUE:
            started = self._registers.held(chip, temperature_1368.CONTROL)
            return temperature_1368.value(started, self.celsius)
        counted = self._hashing.counter(chip, register)
        return value if counted is None else counted

    def _obey(self, event: Any, now_s: float) -> None:
        if isinstance(event, WriteRegister):
            self._write(event, now_s)
        elif isinstance(event, ReadRegister):
            for chip in self._meant(event.chip):
                value = self.register(chip, event.register, now_s)
                self._say(chip, event.register, value, now_s)
        elif isinstance(event, SetAddress):
            if self._inactive:  # surplus ones fall off the chain's end
                self._address[self._inactive.pop(0)] = event.chip
        elif isinstance(event, ChainInactive):
            self._inactive = self.reachable()
            for chip in self._inactive:
                self._address[chip] = 0
        else:
            self._hashing.take(event.job, self.solve(event), now_s)

    def _meant(self, address: int | None) -> list[int]:
        """The chips, of those that can be reached, that a command is for."""
        reachable = self.reachable()
        if address is None:
            return reachable
        return [chip for chip in reachable if self._address[chip] == address]

    def _write(self, event: WriteRegister, now_s: float) -> None:
        register, broadcast = event.register, event.chip is None
        chips = self._meant(event.chip)
        self._registers.write(chips, register, event.value, broadcast)
        self._hashing.changed(register)
        if register == wire.PLL0:
            self._locked_s = now_s + LOCK_S
        elif register in BAUD_REGISTERS:
            self._set_baud(chips, broadcast)

    def _set_baud(self, chips: list[int], broadcast: bool) -> None:
        """A chip that alone changes its rate cuts off itself and all behind it."""
        held = {name: self._registers.of_all(name) for name in BAUD_REGISTERS}
        if broadcast:
            self.line.baud = self._baud_of(held)
            return
        for chip in chips:
            own = {name: self._registers.held(chip, name) for name in BAUD_REGISTERS}
            if self.line.deaf(self._baud_of(own)):
                self._other_rate = min(self._other_rate, chip)

    def _baud_of(self, held: dict[int, int]) -> int:
        if self.facts.chip.midstates:
            misc, fast = held[wire.MISC_CONTROL], held[wire.UART_BAUD]
            return max(1, far.baud_1397(misc, fast, held[wire.PLL3]))
        return far.baud(held[wire.UART_BAUD])

    def _say(self, chip: int, register: int, value: int, now_s: float) -> None:
        frame = far.register_reply(self._address[chip], register, value, self._reply_size(chip))
        self.line.say(frame, now_s)

    def _reply_size(self, chip: int) -> int:
        if self.facts.chip.midstates:
            return 9
        return 11 if self._registers.held(chip, wire.VERSION_ROLLING) >> 31 else 9
