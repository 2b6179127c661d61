"""A hash board: a chain of BM13xx chips on a UART, with its power and reset lines.

Codec: protocols/hashboard.py.  Whether the board may have power is decided elsewhere.
What is written to each kind of chip is a list of firmware/chips; the order is one for
all: protocols/hashboard.md.  Everything that takes time sleeps, so that the other loops
keep their beat.
"""

from firmware import clock
from firmware.chips import chip as list_of
from firmware.drivers import BoardError
from protocols import hashboard as codec

RESET_BAUD = 115_200
PACE_MS = 10  # between configuration writes, as in stock captures
ATTEMPTS = 3
NONCE_SPACE = 65_536
FEW_DOMAINS = 9  # up to here the factory leaves drivers and relays as they are

# There is no pool yet: the tickets would go nowhere, so ask for few.
TICKET_DIFFICULTY = 65_536


class Switch:
    """A board's own power, where a pin gives it."""

    def __init__(self, pin) -> None:
        self._pin = pin

    async def on(self) -> None:
        self._pin.value(1)

    def off(self) -> None:
        self._pin.value(0)

    def beat(self) -> None:
        """Nobody waits for one."""


class Hashboard:
    """uart is a machine.UART; power a Switch or a BoardPic; reset a machine.Pin output."""

    def __init__(self, number: int, uart, power, reset, facts) -> None:
        self.number = number
        self.list = list_of(facts.CHIP)
        self.chips = facts.DOMAINS * facts.CHIPS_PER_DOMAIN
        self.least = self.chips * facts.CHIPS_LEAST_PM // 1000  # with fewer it is no good
        self.found = 0
        self.starts = 0
        self.dropped = 0  # bytes that were no reply
        self.khz = self._word = 0
        self._uart, self._power, self._reset = uart, power, reset
        self._facts = facts
        self._receiver = codec.Receiver(self.list.REPLY)
        self._work = _idle_work(bool(self.list.ROLL))

    def off(self) -> None:
        """At once: no power, chips in reset."""
        self._reset.value(0)
        self._power.off()
        self.khz = 0

    async def start(self) -> None:
        """From power to chips that hash slowly; about 3 s.  Raises BoardError.

        The rail must already stand.
        """
        self.starts += 1
        await self._power_up()
        await self._count()
        await self._address()
        await self._configure()
        self.renew_work()
        if self.list.SWEEPS:
            await self._set_all(((codec.HASH_COUNTING, self._facts.SWEEP),) + self.list.ROLL)

    def set_clock(self, khz: int, word: int) -> None:
        """The hash clock of all chips; word is the PLL0 value that makes khz."""
        for register, value in self.list.CLOCK:
            self._write(codec.write_register(register, value))
        self._write(codec.write_register(codec.PLL0, word))
        self.khz, self._word = khz, word

    async def read_all(self, register: int, wait_ms: int = 20) -> dict[int, int]:
        """The register of every chip that answers, by its place on the chain."""
        await self._replies(0)
        self._write(codec.read_register(register))
        replies, step = await self._replies(wait_ms, register), self._facts.ADDRESS_STEP
        return {
            reply.chip // step: reply.value
            for reply in replies
            if reply.chip < step * self.chips  # noise can look like a reply of nobody
        }

    async def odd_clocks(self) -> int:
        """How many chips have another clock than the one written, or are not locked to it."""
        word = self._word
        words = await self.read_all(codec.PLL0)
        if self._word != word:
            return 0  # it changed meanwhile
        return sum(1 for held in words.values() if held != word | codec.LOCKED)

    def renew_work(self) -> None:
        self._write(self._work)

    def beat(self) -> None:
        """Now and then while it has power."""
        self._power.beat()

    async def _power_up(self) -> None:
        self._uart.init(baudrate=RESET_BAUD)
        self._reset.value(0)
        await self._power.on()
        await clock.sleep_ms(100)
        self._reset.value(1)
        await clock.sleep_ms(100)
        self._receiver = codec.Receiver(self.list.REPLY)

    async def _count(self) -> None:
        """Ask all chips who they are; a chain that is cut answers only up to the cut.

        A few dead ones are no reason to stand still: the others take their addresses.
        """
        self.found = 0
        for _ in range(ATTEMPTS):
            await self._set_all(self.list.ROLL * 3)
            await self._replies(0)
            self._write(codec.read_register(codec.CHIP_ID))
            # a reply of 11 bytes takes 1 ms at this rate
            replies = await self._replies(20 + 2 * self.chips, codec.CHIP_ID)
            heard = sum(1 for reply in replies if reply.value >> 16 == self._id())
            self.found = max(self.found, heard)
            if self.found == self.chips:
                return
        self._need(self.found, "answer")

    def _need(self, heard: int, what: str) -> None:
        if heard < self.least:
            raise BoardError(f"{heard} of {self.chips} chips {what}")

    async def _address(self) -> None:
        await self._set_all(self.list.ROLL)
        await self._set_all(self.list.BEFORE)
        self._write(codec.chain_inactive())
        await clock.sleep_ms(PACE_MS)
        step = self._facts.ADDRESS_STEP
        for address in range(0, 256, step):  # surplus ones fall off the chain's end
            self._write(codec.set_address(address))
            if address % (8 * step) == 0:
                await self._drain()
        await self._drain()

    async def _configure(self) -> None:
        chip, step = self.list, self._facts.ADDRESS_STEP
        await self._set_all(chip.ALL)
        await self._set_all(((codec.TICKET_MASK, codec.ticket_mask(TICKET_DIFFICULTY)),))
        await self._domain_ends()
        for register, value in chip.BAUD:
            self._write(codec.write_register(register, value))
        await self._drain()
        await clock.sleep_ms(PACE_MS)
        self._uart.init(baudrate=chip.FAST)
        await clock.sleep_ms(60)
        if chip.EACH:
            for index in range(self.chips):
                await self._set_chip(index * step, chip.EACH)
        await self._set_all(chip.LAST)
        if chip.OFFSETS:
            for index in range(self.chips):
                # each chip begins elsewhere in the nonce space
                offset = (index * NONCE_SPACE + self.chips - 1) // self.chips
                offset |= 0x8000_0000
                pause = index % 8 == 7
                await self._set_chip(index * step, ((codec.NONCE_OFFSET, offset),), pause)
        self._need(len(await self.read_all(codec.CHIP_ID)), "at the fast rate")

    async def _domain_ends(self) -> None:
        """Stronger drivers at the end of each domain, relays at both ends."""
        domains, size = self._facts.DOMAINS, self._facts.CHIPS_PER_DOMAIN
        if not self.list.STRONG or domains <= FEW_DOMAINS:
            return
        step = self._facts.ADDRESS_STEP
        reach = (size - 1) * step  # from a domain's first chip to its last
        for domain in range(domains):
            last = domain * size * step + reach
            await self._set_chip(last, ((codec.IO_DRIVER, self.list.STRONG),))
        await self._set_all(self.list.PADS)
        for domain in range(domains):
            first = domain * size * step
            gap = size * (domains - domain) + 14
            relay = ((codec.UART_RELAY, gap << 16 | 3),)
            await self._set_chip(first, relay)
            await self._set_chip(first + reach, relay)

    def _id(self) -> int:
        return int(str(self._facts.CHIP), 16)

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


def _idle_work(whole_header: bool) -> bytes:
    """A header of zeros keeps the chips at work; what they find is thrown away."""
    if whole_header:
        return codec.job_frame(codec.Job(0, 0, 0x1D00_FFFF, 0, bytes(32), bytes(32), 0x2000_0000))
    from protocols import midstates  # which a rig of other chips need not carry

    return midstates.midstate_frame(
        midstates.MidstateJob(0, 0, 0x1D00_FFFF, 0, bytes(4), (bytes(32),) * 4)
    )
