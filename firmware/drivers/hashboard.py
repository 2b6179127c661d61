"""A hash board: a chain of BM1370 chips on a UART, with its power and reset lines.

Codec: protocols/hashboard.py.  Whether the board may have power is decided elsewhere.
Order and values: protocols/hashboard.md.  Everything that takes time sleeps, so that
the other loops keep their beat.
"""

from firmware import clock
from protocols import hashboard as codec

RESET_BAUD, FAST_BAUD = 115_200, 3_125_000
FAST_WORD = 0x0130_0000  # UART_BAUD of FAST_BAUD, as a stock S21 Pro writes it
INTERVAL = 2  # between chip addresses; the factory addresses 128 chips whatever is there
PACE_MS = 10  # between configuration writes, as in stock captures
ATTEMPTS = 3
FACTORY_SWEEP = 0x1EB5  # HASH_COUNTING of a stock S21 Pro at any of its clocks
NONCE_SPACE = 65_536

# There is no pool yet: the tickets would go nowhere, so ask for few.
TICKET_DIFFICULTY = 65_536
# A header of zeros keeps the chips at work; what they find is thrown away.
IDLE_JOB = codec.Job(0, 0, 0x1D00_FFFF, 0, bytes(32), bytes(32), 0x2000_0000)
ROLL = (codec.VERSION_ROLLING, 0x9000_FFFF)

# written to all chips once they have their addresses; BM1370 list of hashboard.md
ALL_CHIPS = (
    (codec.CORE_CONTROL, 0x8000_8B00),
    (codec.CORE_CONTROL, 0x8000_800C),
    (codec.TICKET_MASK, codec.ticket_mask(TICKET_DIFFICULTY)),
    (codec.IO_DRIVER, 0x0001_1111),
)
# written to each chip
EACH_CHIP = (
    (codec.SOFT_RESET, 0x0007_01F0),
    (codec.MISC_CONTROL, 0xF000_C100),
    (codec.CORE_CONTROL, 0x8000_8B00),
    (codec.CORE_CONTROL, 0x8000_800C),
    (codec.CORE_CONTROL, 0x8000_82AA),
)
# and to all at the end
LAST = (
    (0xB9, 0x0000_4480),
    (codec.ANALOG_MUX, 2),
    (0xB9, 0x0000_4480),
    (codec.CORE_CONTROL, 0x8000_8DEE),
)


class BoardError(Exception):
    """The board does not do what it must; the text is for a person."""


class Hashboard:
    """uart is a machine.UART; enable and reset are machine.Pin outputs."""

    def __init__(self, number: int, uart, enable, reset, chip: int, domains: int, size: int):
        self.number = number
        self.chips = domains * size
        self.found = 0
        self.dropped = 0  # bytes that were no reply
        self.khz = 0
        self._uart, self._enable, self._reset = uart, enable, reset
        self._chip, self._domains, self._size = chip, domains, size
        self._receiver = codec.Receiver()

    def off(self) -> None:
        """At once: no power, chips in reset."""
        self._enable.value(0)
        self._reset.value(0)
        self.khz = 0

    async def start(self) -> None:
        """From power to chips that hash slowly; about 3 s.  Raises BoardError.

        The rail must already stand.
        """
        await self._power_up()
        await self._count()
        await self._address()
        await self._configure()
        self._write(codec.job_frame(IDLE_JOB))
        await self._set_all(((codec.HASH_COUNTING, FACTORY_SWEEP), ROLL))

    def set_clock(self, khz: int, word: int) -> None:
        """The hash clock of all chips; word is the PLL0 value that makes khz."""
        self._write(codec.write_register(codec.PLL0, word))
        self.khz = khz

    async def read_all(self, register: int, wait_ms: int = 20) -> dict[int, int]:
        """The register of every chip that answers, by address."""
        await self._replies(0)
        self._write(codec.read_register(register))
        replies = await self._replies(wait_ms, register)
        return {reply.chip: reply.value for reply in replies}

    def renew_work(self) -> None:
        self._write(codec.job_frame(IDLE_JOB))

    async def _power_up(self) -> None:
        self._uart.init(baudrate=RESET_BAUD)
        self._reset.value(0)
        self._enable.value(1)
        await clock.sleep_ms(100)
        self._reset.value(1)
        await clock.sleep_ms(100)
        self._receiver = codec.Receiver()

    async def _count(self) -> None:
        """Ask all chips who they are; a chain that is cut answers only up to the cut."""
        for _ in range(ATTEMPTS):
            await self._set_all((ROLL, ROLL, ROLL))
            await self._replies(0)
            self._write(codec.read_register(codec.CHIP_ID))
            # 65 replies take 62 ms at this rate
            replies = await self._replies(150, codec.CHIP_ID)
            self.found = sum(1 for reply in replies if reply.value >> 16 == self._id())
            if self.found == self.chips:
                return
        raise BoardError(f"board {self.number}: {self.found} of {self.chips} chips answer")

    async def _address(self) -> None:
        await self._set_all(
            (ROLL, (codec.SOFT_RESET, 0x0007_0000), (codec.MISC_CONTROL, 0xF000_C100))
        )
        self._write(codec.chain_inactive())
        await clock.sleep_ms(PACE_MS)
        for address in range(0, 256, INTERVAL):
            self._write(codec.set_address(address))
            if address % 16 == 0:
                await self._drain()
        await self._drain()

    async def _configure(self) -> None:
        await self._set_all(ALL_CHIPS)
        await self._domain_ends()
        self._write(codec.write_register(codec.UART_BAUD, FAST_WORD))
        await self._drain()
        await clock.sleep_ms(PACE_MS)
        self._uart.init(baudrate=FAST_BAUD)
        await clock.sleep_ms(60)
        for index in range(self.chips):
            address = index * INTERVAL
            await self._set_chip(address, EACH_CHIP)
        await self._set_all(LAST)
        for index in range(self.chips):
            # each chip begins elsewhere in the nonce space
            offset = (index * NONCE_SPACE + self.chips - 1) // self.chips
            await self._set_chip(
                index * INTERVAL, ((codec.NONCE_OFFSET, 0x8000_0000 | offset),), index % 8 == 7
            )
        answers = await self.read_all(codec.CHIP_ID)
        if len(answers) != self.chips:
            raise BoardError(
                f"board {self.number}: {len(answers)} of {self.chips} chips at the fast rate"
            )

    async def _domain_ends(self) -> None:
        """Stronger drivers at the end of each domain, relays at both ends."""
        reach = (self._size - 1) * INTERVAL  # from a domain's first chip to its last
        firsts = [domain * self._size * INTERVAL for domain in range(self._domains)]
        for first in firsts:
            await self._set_chip(first + reach, ((codec.IO_DRIVER, 0x0001_F111),))
        await self._set_all(((codec.PLL3, 0x5AA5_5AA5),))  # ring oscillator pads off
        for domain, first in enumerate(firsts):
            gap = self._size * (self._domains - domain) + 14
            relay = ((codec.UART_RELAY, gap << 16 | 3),)
            await self._set_chip(first, relay)
            await self._set_chip(first + reach, relay)

    def _id(self) -> int:
        return int(str(self._chip), 16)

    async def _set_all(self, writes) -> None:
        for register, value in writes:
            self._write(codec.write_register(register, value))
            await clock.sleep_ms(PACE_MS)

    async def _set_chip(self, chip: int, writes, pause: bool = True) -> None:
        frames = b"".join(codec.write_register(register, value, chip) for register, value in writes)
        self._write(frames)
        if pause:
            await clock.sleep_ms(PACE_MS)

    async def _drain(self) -> None:
        """Until the last bit has left: the next write must not block, nor a new rate garble."""
        while not self._uart.txdone():
            await clock.sleep_ms(2)

    async def _replies(self, wait_ms: int, register: int = -1) -> list:
        """Register replies heard within this time, or until the chain is complete."""
        begun_ms, replies = clock.now_ms(), []
        while True:
            data = self._uart.read(256) if self._uart.any() else b""
            for event in self._receiver.feed(data or b""):
                if isinstance(event, codec.Register) and event.register == register:
                    replies.append(event)
            if len(replies) >= self.chips or (not data and clock.since_ms(begun_ms) >= wait_ms):
                break
            await clock.sleep_ms(2 if data else 5)
        self.dropped = self._receiver.dropped
        return replies

    def _write(self, frames: bytes) -> None:
        self._uart.write(frames)
