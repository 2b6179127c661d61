"""Every kind of chip from power to hashes: the one driver, with each chip's list, on the
virtual chain of that chip."""

import asyncio

import pytest
from exchange import Pin

from firmware import chips, clock
from firmware.counters import HashCounter
from firmware.drivers.hashboard import Hashboard, Switch
from hil.chips.bm13xx import Chain
from protocols import bm13xx, pll

# chip: chips of a domain, domains, between addresses, sweep: boards as they are built
BOARDS = {
    1362: (3, 42, 2, 0x1381),
    1366: (10, 11, 2, 0x151C),
    1368: (9, 12, 2, 0x15A4),
    1370: (5, 13, 2, 0x1EB5),
    1397: (1, 30, 8, 0),
}
KHZ = 400_000


class Facts:
    def __init__(self, chip):
        self.CHIP = chip
        self.CHIPS_PER_DOMAIN, self.DOMAINS, self.ADDRESS_STEP, self.SWEEP = BOARDS[chip]
        self.CHIPS_LEAST_PM = 900


class Uart:
    """The virtual chain's end of the wire, on the clock of the test."""

    def __init__(self, chain):
        self.chain, self.baud, self._heard = chain, 115_200, b""

    def init(self, baudrate):
        self.baud, self._heard = baudrate, b""

    def txdone(self):
        return True

    def write(self, data):
        self.chain.write(data, self.baud, clock.now_ms() / 1000)

    def any(self):
        self._heard += self.chain.read(self.baud, clock.now_ms() / 1000)
        return len(self._heard)

    def read(self, size):
        data, self._heard = self._heard[:size], self._heard[size:]
        return data


class Reset(Pin):
    def __init__(self, chain):
        super().__init__()
        self.chain = chain

    def value(self, level=None):
        super().value(level)
        self.chain.power(bool(level))


def made(chip):
    facts = Facts(chip)
    chain = Chain(chip, facts.CHIPS_PER_DOMAIN * facts.DOMAINS, seed=3)
    return chain, Hashboard(0, Uart(chain), Switch(Pin()), Reset(chain), facts)


async def polled(board, counter, chain, turns, elapsed_ms=5_000):
    for _ in range(turns):
        await clock.sleep_ms(elapsed_ms)
        chain.step(elapsed_ms / 1000, clock.now_ms() / 1000)
        chain.read(board._uart.baud, clock.now_ms() / 1000)  # what was found goes nowhere
        board._uart.init(board._uart.baud)
        errors = await board.read_all(board.list.ERRORS) if board.list.ERRORS else {}
        counter.poll(await board.read_all(board.list.COUNTER), errors, elapsed_ms, 0)


@pytest.mark.parametrize("chip", BOARDS)
def test_from_power_to_the_hash_rate_of_the_clock(chip):
    chain, board = made(chip)

    async def story():
        await board.start()
        assert board.found == chain.chips and chain.refused == 0
        assert chain.baud == pytest.approx(board.list.FAST, rel=0.05)
        word = pll.word(chip, KHZ)
        board.set_clock(KHZ, word)
        assert chain.mhz() == pytest.approx(KHZ / 1000, abs=1)
        assert chain.working() == 1.0
        counter = HashCounter(board.chips, board.list.UNIT, board.list.IS_RATE)
        await polled(board, counter, chain, 4)
        wanted = bm13xx.hash_ghs(chip, pll.khz(chip, word), board.chips)
        assert counter.ghs == pytest.approx(wanted, rel=0.01)
        assert await board.odd_clocks() == 0

    asyncio.run(story())


@pytest.mark.parametrize("chip", BOARDS)
def test_every_chip_has_an_address_of_its_own(chip):
    _, board = made(chip)

    async def story():
        await board.start()
        assert sorted(await board.read_all(0)) == list(range(board.chips))

    asyncio.run(story())


@pytest.mark.parametrize("chip", BOARDS)
def test_a_dead_chip_is_worked_around(chip):
    """The chips behind it move up by one address, and all that live hash."""
    chain, board = made(chip)
    chain.lost = frozenset((7,))

    async def story():
        await board.start()
        assert board.found == board.chips - 1
        board.set_clock(KHZ, pll.word(chip, KHZ))
        assert chain.working() == pytest.approx(1 - 1 / board.chips)

    asyncio.run(story())


def test_there_is_a_list_for_every_chip_and_all_have_the_same_names():
    names = [
        {name for name in dir(chips.chip(chip)) if name[0] != "_" and name.isupper()}
        for chip in bm13xx.CHIPS
    ]
    assert all(own == names[0] for own in names)
    for chip, facts in bm13xx.CHIPS.items():
        assert facts.small_cores == chips.chip(chip).SMALL_CORES
    for name in names[0]:
        assert name in chips.__doc__, name


def test_a_chip_nobody_has_written_is_an_error():
    with pytest.raises(ImportError):
        chips.chip(1387)
