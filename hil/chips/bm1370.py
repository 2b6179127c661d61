"""A chain of BM1370 chips at register level, as its UART sees it.

What a broadcast writes is held once for the chain; a chip has a value of its
own only where one was written to it alone.  Behaviour by hardware.md 1.17 of
the reference: 9-byte replies until version rolling is on, no reports until
MISC_CONTROL opens them, no hashing without clock, cores, a job and a sweep.
"""

import random

from protocols import hashboard as wire
from protocols import pll
from protocols.hashboard import (
    ChainInactive,
    CommandReceiver,
    Job,
    Nonce,
    ReadRegister,
    SetAddress,
    WriteRegister,
)

SMALL_CORES = 2040
LOCK_S = 0.002  # of the PLL; nobody has published it
DEAF_PART = 0.05  # rates further apart than this make noise of each other
LOCKED = 0x8000_0000
_CORE_ENABLE, _ENABLED = 2, 0xAA

RESET = {
    wire.CHIP_ID: 0x1370_0000,
    wire.PLL0: 0x4054_0165,  # 50 MHz; reads C0540165 once locked
    wire.MISC_CONTROL: 0x0000_C100,
    0x20: 0x0000_0007,
    0x24: 0x0010_0000,
    wire.UART_BAUD: 0x0130_1A00,
    wire.UART_RELAY: 0x000F_0000,
    0x30: 0x0000_0080,
    0x40: 0x0802_0100,
    wire.IO_DRIVER: 0x0001_2111,
    0x5C: 0x0000_FFFF,
    0x60: 0x2050_0174,
    0x64: 0x2050_0174,
    0x6C: 0x0001_0200,
    0x9C: 0x00F7_0073,
    wire.VERSION_ROLLING: 0x0000_FFFF,
    wire.SOFT_RESET: 0x0007_0000,
    0xB8: 0x2000_0000,
    0xBC: 0x0000_3313,
    0xC0: 0x0000_2000,
    0xC4: 0x0000_B850,
}


class Chain:
    def __init__(self, chips: int = 65, seed: int = 0) -> None:
        self.chips = chips
        self.answering = chips  # the ones nearest the host, up to a broken one
        self.on = False
        self.garbled = 0  # bytes heard at the wrong rate
        self._random = random.Random(seed)
        self._out: list[tuple[float, bytes]] = []  # (when its last bit is out, frame)
        self._free_s = 0.0
        self.reset()

    def reset(self) -> None:
        self._all = dict(RESET)
        self._own: dict[int, dict[int, int]] = {}
        self._address = [0] * self.chips
        self._inactive_from = self.chips
        self._ear = CommandReceiver()
        self._job: Job | None = None
        self._locked_s = 0.0
        self._hashes = self._errors = self._due = 0.0  # of one chip, in 2^32; replies owed
        self._baud = wire.baud(RESET[wire.UART_BAUD])
        self._clocks()

    def power(self, on: bool) -> None:
        """On: supplied and out of reset.  Off, and the chips forget everything."""
        if self.on and not on:
            self.reset()
            self._out.clear()
        self.on = on

    @property
    def baud(self) -> int:
        return self._baud

    @property
    def refused(self) -> int:
        """Frames whose checksum was wrong."""
        return self._ear.bad

    def write(self, data: bytes, baud: int, now_s: float) -> None:
        """Bytes from the host at its own rate."""
        if not self.on:
            return
        if self._deaf(baud):
            self.garbled += len(data)
            return
        self._free_s = max(self._free_s, now_s)
        for event in self._ear.feed(data):
            if self._deaf(baud):
                self.garbled += 11  # what follows a new rate in one breath is not heard
            else:
                self._obey(event, now_s)

    def due_s(self) -> float | None:
        """When the first and, of what follows at once, the last waiting byte is out."""
        return self._out[0][0] if self._out else None

    def read(self, baud: int, now_s: float) -> bytes:
        """What has come out by now, as a host at this rate hears it."""
        ready = 0
        while ready < len(self._out) and self._out[ready][0] <= now_s:
            ready += 1
        data = b"".join(frame for _, frame in self._out[:ready])
        del self._out[:ready]
        if data and self._deaf(baud):
            return self._random.randbytes(max(1, len(data) * baud // self._baud))
        return data

    def step(self, dt_s: float, now_s: float, right: float) -> None:
        """Hash for dt; right is the part of the hashes that come out well."""
        hashes = self._mhz * 1e6 * SMALL_CORES * dt_s / 2**32 * self.working()
        self._hashes += hashes * right
        self._errors += hashes * (1 - right)
        self._report(dt_s, now_s, hashes * right * self.answering)

    def working(self) -> float:
        """Part of the cores that hash."""
        if not (self.on and self._job and self._all.get(wire.HASH_COUNTING)):
            return 0.0
        return self._enabled

    def mhz(self) -> float:
        """The mean clock of the chips."""
        return self._mhz if self.on else 0.0

    def register(self, chip: int, register: int, now_s: float = 0.0) -> int:
        """What a chip, counted from the host, would answer."""
        value = self._held(chip, register)
        if register == wire.CHIP_ID:
            return value | self._address[chip]
        if register == wire.PLL0:
            return value | (LOCKED if now_s >= self._locked_s else 0)
        if register == wire.TOTAL_HASHES:
            return int(self._hashes) & 0xFFFF_FFFF
        if wire.DOMAIN_HASHES <= register < wire.DOMAIN_HASHES + 4:
            return int(self._hashes / 4) & 0xFFFF_FFFF
        if register == wire.NONCE_ERRORS:
            return int(self._errors) & 0xFFFF_FFFF
        return value

    def _held(self, chip: int, register: int) -> int:
        own = self._own.get(register)
        if own and chip in own:
            return own[chip]
        return self._all.get(register, 0)

    def _deaf(self, baud: int) -> bool:
        return abs(baud - self._baud) > DEAF_PART * self._baud

    def _obey(self, event: tuple[int, ...], now_s: float) -> None:
        if isinstance(event, WriteRegister):
            self._write(event, now_s)
        elif isinstance(event, ReadRegister):
            for chip in self._meant(event.chip):
                value = self.register(chip, event.register, now_s)
                self._say(self._reply(chip, event.register, value))
        elif isinstance(event, SetAddress):
            if self._inactive_from < self.chips:  # surplus ones fall off the chain's end
                self._address[self._inactive_from] = event.chip
                self._inactive_from += 1
        elif isinstance(event, ChainInactive):
            self._address, self._inactive_from = [0] * self.chips, 0
        elif isinstance(event, Job):
            self._job = event

    def _meant(self, address: int | None) -> list[int]:
        """The chips, of those that can be reached, that a command is for."""
        if address is None:
            return list(range(self.answering))
        return [c for c in range(self.answering) if self._address[c] == address]

    def _write(self, event: WriteRegister, now_s: float) -> None:
        register, value = event.register, event.value
        self._store(event.chip, register, value)
        if register == wire.CORE_CONTROL and value & 0x8000:
            core_register = 0x100 | value >> 8 & 0x1F
            self._store(event.chip, core_register, value & 0xFF)
            self._clocks()
        elif register == wire.PLL0:
            self._locked_s = now_s + LOCK_S
            self._clocks()
        elif register == wire.UART_BAUD:
            self._baud = wire.baud(value)

    def _store(self, address: int | None, register: int, value: int) -> None:
        if address is None:
            self._all[register] = value
            self._own.pop(register, None)
        else:
            own = self._own.setdefault(register, {})
            own.update(dict.fromkeys(self._meant(address), value))

    def _clocks(self) -> None:
        """Mean clock and part of the cores that are enabled, kept for every step."""
        words = [self._held(chip, wire.PLL0) for chip in range(self.chips)]
        khz = {word: pll.khz(1370, word) for word in set(words)}
        self._mhz = sum(khz[word] for word in words) / self.chips / 1000
        core = 0x100 | _CORE_ENABLE
        enabled = sum(self._held(chip, core) == _ENABLED for chip in range(self.answering))
        self._enabled = enabled / self.chips

    def _reply(self, chip: int, register: int, value: int) -> bytes:
        return wire.register_reply(self._address[chip], register, value, self._reply_size())

    def _reply_size(self) -> int:
        return 11 if self._all[wire.VERSION_ROLLING] & LOCKED else 9

    def _say(self, frame: bytes) -> None:
        self._free_s += len(frame) * 10 / self._baud
        self._out.append((self._free_s, frame))

    def _report(self, dt_s: float, now_s: float, hashes: float) -> None:
        """Replies to the ticket mask: the right number of them, not real solutions."""
        opened = (self._all[wire.MISC_CONTROL] >> 28).bit_count() / 4
        ticket = wire.ticket_difficulty(self._all.get(wire.TICKET_MASK, 0))
        self._due += hashes * opened / ticket * self._random.uniform(0.5, 1.5)
        self._due = min(self._due, dt_s * self._baud / 110)  # more does not fit the wire
        self._free_s = max(self._free_s, now_s)
        while self._due >= 1 and self._job:
            self._due -= 1
            small_core = self._random.getrandbits(4)
            job = wire.job_echo(self._job.job, small_core, 16)
            found = Nonce(self._random.getrandbits(32), 0, job, self._random.getrandbits(16))
            self._say(wire.nonce_reply(found, self._reply_size()))
