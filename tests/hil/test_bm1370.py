"""A virtual chain says what a real one was captured saying."""

from hil.chips.bm13xx import Chain
from protocols import hashboard as wire
from protocols import hashboard_chip, pll

SLOW, FAST = 115_200, 3_125_000
ROLLING = bytes.fromhex("55AA5109 00A49000FFFF1C")
READ_ID = bytes.fromhex("55AA5205 00000A")
INACTIVE = bytes.fromhex("55AA5305 000003")
# frames of the captured S21 Pro start that the chain must act on
TICKET_256 = bytes.fromhex("55AA5109 0014000000FF08")
MISC = bytes.fromhex("55AA5109 0018F000C10004")
FAST_BAUD = bytes.fromhex("55AA5109 0028013000001A")
PLL_600 = wire.write_register(wire.PLL0, 0x50C0_0230)
HCN = bytes.fromhex("55AA5109 001000001EB50F")
JOB = bytes.fromhex(
    "55AA2156680100000000043A0217D76854685519A7CB044F88726355919E61A98BCF71A0C28795EA54DB8C36414B"
    "06DDF5F00000000000000000965201001D3996BCA3F4670DFCD4F201C162B96DFD55646B00000020721C"
)


def started(chips: int = 65) -> Chain:
    chain = Chain(1370, chips)
    chain.power(True)
    return chain


def said(chain: Chain, baud: int = SLOW) -> bytes:
    return chain.read(baud, 1e9)


def addressed(chips: int = 65) -> Chain:
    chain = started(chips)
    chain.write(ROLLING + INACTIVE, SLOW, 0)
    for n in range(128):
        chain.write(wire.set_address(2 * n), SLOW, 0)
    return chain


def working(chips: int = 65) -> Chain:
    chain = addressed(chips)
    for n in range(chips):
        chain.write(wire.write_register(wire.CORE_CONTROL, 0x8000_82AA, 2 * n), SLOW, 0)
    chain.write(TICKET_256 + MISC + PLL_600 + JOB + HCN, SLOW, 0)
    return chain


def test_a_chip_fresh_from_reset_answers_with_nine_bytes():
    chain = started(1)
    chain.write(READ_ID, SLOW, 0)
    assert said(chain) == bytes.fromhex("AA55 1370000000 00 06")
    chain.write(wire.read_register(wire.MISC_CONTROL), SLOW, 0)
    assert said(chain) == bytes.fromhex("AA55 0000C100 00 18 02")


def test_version_rolling_makes_it_eleven():
    chain = started(3)
    chain.write(ROLLING + READ_ID, SLOW, 0)
    assert said(chain) == bytes.fromhex("AA55 13700000 00 00 0000 10") * 3


def test_addresses_go_down_the_chain_and_surplus_ones_off_its_end():
    chain = addressed()
    chain.write(READ_ID, SLOW, 0)
    replies = wire.Receiver().feed(said(chain))
    assert [reply.chip for reply in replies] == list(range(0, 130, 2))
    assert replies[64].value == 0x1370_0080
    chain.write(wire.read_register(wire.CHIP_ID, 0x80), SLOW, 0)
    assert len(said(chain)) == 11


def test_an_address_nobody_is_inactive_for_is_not_taken():
    chain = started(2)
    chain.write(wire.set_address(8), SLOW, 0)
    assert chain.register(0, wire.CHIP_ID) == 0x1370_0000


def test_a_single_chip_differs_until_the_next_broadcast():
    chain = addressed()
    chain.write(wire.write_register(wire.IO_DRIVER, 0x0001_F111, 8), SLOW, 0)
    assert [chain.register(n, wire.IO_DRIVER) for n in (3, 4, 5)] == [0x12111, 0x1F111, 0x12111]
    chain.write(wire.write_register(wire.IO_DRIVER, 0x0001_1111), SLOW, 0)
    assert chain.register(4, wire.IO_DRIVER) == 0x0001_1111


def test_replies_take_their_time_on_the_wire():
    chain = started()
    chain.write(READ_ID, SLOW, 10.0)
    byte_s = 10 / chain.baud
    assert chain.read(SLOW, 10.0) == b""
    assert len(chain.read(SLOW, 10.0 + 9.5 * 9 * byte_s)) == 9 * 9
    assert len(chain.read(SLOW, 10.0 + 65.5 * 9 * byte_s)) == 56 * 9


def test_the_wrong_rate_is_noise_both_ways():
    chain = started(4)
    chain.write(ROLLING + FAST_BAUD + READ_ID, SLOW, 0)
    assert chain.baud == FAST and said(chain, FAST) == b""  # asked in the same breath: too slow
    chain.write(READ_ID, SLOW, 0)
    assert chain.garbled > 0 and said(chain, FAST) == b""
    chain.write(READ_ID, FAST, 0)
    heard = said(chain, SLOW)
    assert heard and wire.Receiver().feed(heard) == []
    chain.write(READ_ID, FAST, 0)
    assert len(wire.Receiver().feed(said(chain, FAST))) == 4


def test_the_clock_locks_a_moment_after_it_is_set():
    chain = started(1)
    assert chain.register(0, wire.PLL0, 0.0) == 0xC054_0165 and chain.mhz() == 50
    chain.write(PLL_600, SLOW, 5.0)
    assert chain.register(0, wire.PLL0, 5.0) == 0x50C0_0230
    assert chain.register(0, wire.PLL0, 5.1) == 0xD0C0_0230 and chain.mhz() == 600


def test_nothing_hashes_until_cores_job_and_sweep_are_there():
    chain = addressed(2)
    for frame in (MISC, PLL_600, HCN, JOB):
        chain.write(frame, SLOW, 0)
        assert chain.working() == 0
    chain.write(wire.write_register(wire.CORE_CONTROL, 0x8000_82AA, 0), SLOW, 0)
    assert chain.working() == 0.5
    assert chain.refused == 0


def test_counters_advance_with_the_hash_rate():
    chain = working()
    for second in range(1, 11):
        chain.step(1.0, second, 0.9)
    hashes = 600e6 * 2040 * 10 / 2**32
    assert abs(chain.register(7, wire.TOTAL_HASHES) - 0.9 * hashes) < 2
    assert abs(chain.register(7, wire.NONCE_ERRORS) - 0.1 * hashes) < 2


def test_ticket_replies_come_as_often_as_the_mask_allows():
    chain = working()
    for tenth in range(100):
        chain.step(0.1, tenth / 10, 1.0)
    replies = wire.Receiver().feed(said(chain))
    wanted = 10 * 65 * 600e6 * 2040 / 256 / 2**32
    assert abs(len(replies) - wanted) < 0.1 * wanted
    assert {wire.place(reply, 16)[0] for reply in replies} == {0x68}


def test_no_reports_while_misc_keeps_them_closed():
    chain = working()
    chain.write(wire.write_register(wire.MISC_CONTROL, 0xC100), SLOW, 0)
    chain.step(1.0, 1.0, 1.0)
    assert said(chain) == b""


def test_reset_makes_it_forget_everything():
    chain = working()
    chain.power(False)
    chain.write(READ_ID, SLOW, 0)
    assert said(chain) == b"" and chain.mhz() == 0
    chain.power(True)
    chain.write(READ_ID, SLOW, 0)
    assert said(chain) == bytes.fromhex("AA55 13700000 00 00 06") * 65


def test_nobody_answers_from_behind_a_broken_chip():
    chain = started()
    chain.answering = 40
    chain.write(ROLLING + READ_ID, SLOW, 0)
    assert len(said(chain)) == 40 * 11


def test_a_bad_checksum_is_refused_and_counted():
    chain = started(1)
    chain.write(READ_ID[:-1] + b"\x0b", SLOW, 0)
    assert said(chain) == b"" and chain.refused == 1


def test_captured_words_mean_what_was_captured():
    assert pll.khz(1370, 0x50C0_0230) == 600_000 and hashboard_chip.baud(0x0130_0000) == FAST
