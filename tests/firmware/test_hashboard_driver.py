"""The driver of a hash board: what it says to a chain, and when it gives up; both runtimes."""

import asyncio

from chain import Chain
from exchange import Pin

from firmware.chips import bm1370
from firmware.drivers import BoardError
from firmware.drivers.hashboard import Hashboard, Switch
from protocols import hashboard as codec
from protocols import hashboard_chip as far


class Facts:
    """20 chips in ten domains of two."""

    CHIP, DOMAINS, CHIPS_PER_DOMAIN = 1370, 10, 2
    CHIPS_LEAST_PM, ADDRESS_STEP, SWEEP = 900, 2, 0x1EB5


def made():
    chain, enable, reset = Chain(20), Pin(), Pin()
    return chain, enable, reset, Hashboard(1, chain, Switch(enable), reset, Facts)


def test_a_chain_is_started():
    chain, enable, reset, board = made()
    asyncio.run(board.start())
    assert (board.found, board.starts) == (20, 1) and chain.garbled == 0
    assert enable.history == [1] and reset.history == [0, 1]
    assert chain.baud == bm1370.FAST == chain.chip_baud
    # asked only after the long replies were switched on
    first_read = [isinstance(event, far.ReadRegister) for event in chain.heard].index(True)
    assert chain.heard[0] == far.WriteRegister(None, codec.VERSION_ROLLING, 0x9000_FFFF)
    assert first_read == 3
    assert chain.count(far.ChainInactive) == 1
    addresses = [event.chip for event in chain.heard if isinstance(event, far.SetAddress)]
    assert addresses == list(range(0, 256, 2))


def test_registers_of_the_capture():
    """As a stock S21 Pro was heard to write them; here with ten domains of two chips."""
    chain, _, _, board = made()
    asyncio.run(board.start())
    assert chain.written(codec.IO_DRIVER) == [0x0001_1111]
    assert chain.written(codec.IO_DRIVER, 2) == [0x0001_F111]
    assert chain.written(codec.IO_DRIVER, 38) == [0x0001_F111]
    # gap = chips of a domain x (domains - this one) + 14
    assert chain.written(codec.UART_RELAY, 0) == chain.written(codec.UART_RELAY, 2) == [0x0022_0003]
    assert (
        chain.written(codec.UART_RELAY, 36) == chain.written(codec.UART_RELAY, 38) == [0x0010_0003]
    )
    assert chain.written(codec.PLL3) == [0x5AA5_5AA5]
    offsets = [chain.written(codec.NONCE_OFFSET, chip) for chip in (0, 10, 20, 30)]
    assert offsets == [[0x8000_0000], [0x8000_4000], [0x8000_8000], [0x8000_C000]]
    assert chain.written(codec.SOFT_RESET) == [0x0007_0000]
    assert chain.written(codec.SOFT_RESET, 6) == [0x0007_01F0]
    assert (
        chain.written(codec.MISC_CONTROL) == chain.written(codec.MISC_CONTROL, 6) == [0xF000_C100]
    )
    assert chain.written(codec.CORE_CONTROL) == [0x8000_8B00, 0x8000_800C, 0x8000_8DEE]
    assert chain.written(codec.CORE_CONTROL, 4) == [0x8000_8B00, 0x8000_800C, 0x8000_82AA]
    assert chain.written(codec.HASH_COUNTING) == [0x1EB5]
    assert chain.written(codec.TICKET_MASK) == [0x0000_FFFF]
    assert chain.count(codec.Job) == 1


def test_the_nonce_offsets_of_65_chips():
    """Captured: chip 1 03F1, chip 2 07E1, chip 5 13B2, chip 64 FC10."""
    for index, offset in ((0, 0), (1, 0x03F1), (2, 0x07E1), (5, 0x13B2), (64, 0xFC10)):
        assert (index * 65_536 + 64) // 65 == offset


def test_a_short_chain_is_an_error_that_counts():
    chain, _, _, board = made()
    chain.answering = 17
    try:
        asyncio.run(board.start())
    except BoardError as error:
        assert str(error) == "17 of 20 chips answer"
        assert chain.count(far.ReadRegister) == 3  # it was asked again
        assert chain.count(far.SetAddress) == 0
        return
    raise AssertionError("a short chain was started")


def test_a_chain_with_nine_tenths_of_its_chips_is_started():
    """And every place is configured: one that was only drowned in noise hashes with the others."""
    chain, _, _, board = made()
    chain.answering = 18
    asyncio.run(board.start())
    assert board.found == 18 and chain.count(far.ReadRegister) == 3 + 1
    assert chain.written(codec.SOFT_RESET, 38) == [0x0007_01F0]


def test_chips_lost_at_the_fast_rate_are_an_error():
    chain, _, _, board = made()
    chain.init = lambda baudrate: None  # the host's rate never changes
    try:
        asyncio.run(board.start())
    except BoardError as error:
        assert str(error) == "0 of 20 chips at the fast rate"
        return
    raise AssertionError("a deaf chain was started")


def test_reading_and_the_clock():
    chain, enable, reset, board = made()
    asyncio.run(board.start())
    chain.hashes = 77
    chain._out = b"\xaa\x55noise"
    assert asyncio.run(board.read_all(codec.TOTAL_HASHES)) == dict.fromkeys(range(20), 77)
    board.set_clock(200_000, 0x40A0_0241)
    assert chain.written(codec.PLL0) == [0x40A0_0241] and board.khz == 200_000
    assert asyncio.run(board.odd_clocks()) == 0
    chain.slipped = (3, 4)
    assert asyncio.run(board.odd_clocks()) == 2
    board.off()
    assert (enable.level, reset.level, board.khz) == (0, 0, 0)


def test_a_clock_that_changes_while_it_is_read_is_not_judged():
    chain, _, _, board = made()
    asyncio.run(board.start())
    board.set_clock(200_000, 0x40A0_0241)
    chain.slipped = (3, 4)
    chain.on_read = lambda: board.set_clock(206_250, 0x40A5_0241)
    assert asyncio.run(board.odd_clocks()) == 0
