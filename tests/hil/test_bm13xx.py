"""Chains of every kind, by the captured frames of their start: who hashes, and how fast."""

import pytest

from hil.chips.bm13xx import LOCK_S
from protocols import bm13xx
from protocols import hashboard as wire
from tests.hil.chains import IDS, INACTIVE, MHZ, MODELS, READ_ID, SLOW, run, started, working


@pytest.mark.parametrize("model", MODELS)
def test_each_says_who_it_is_as_captured(model):
    chain = started(model, 2)
    chain.write(READ_ID, SLOW, 0)
    assert chain.read(SLOW, 1e9) == bytes.fromhex(IDS[model]) * 2


def test_the_captured_answer_of_an_addressed_chip():
    chain = started(1362, 126)
    chain.write(INACTIVE, SLOW, 0)
    for address in range(0, 256, 2):
        chain.write(wire.set_address(address), SLOW, 0)
    for address, reply in ((0xCA, "AA55136203CACA00000008"), (0xFA, "AA55136203FAFA00000006")):
        chain.write(wire.read_register(0, address), SLOW, 0)
        assert chain.read(SLOW, 1e9) == bytes.fromhex(reply)
    chain.write(wire.read_register(0, 0xFC), SLOW, 0)
    assert chain.read(SLOW, 1e9) == b"", "126 chips: the last two addresses fell off"


@pytest.mark.parametrize("model", MODELS)
def test_after_its_start_it_hashes_at_the_clock_that_was_set(model):
    chain = working(model, 3)
    assert chain.working() == 1 and chain.mhz() == pytest.approx(MHZ[model], abs=0.5)
    replies = run(chain, 60)
    wanted = 60 * 3 * MHZ[model] * 1e6 * bm13xx.CHIPS[model].small_cores / 256 / 2**32
    assert abs(len(replies) - wanted) < 4 * wanted**0.5 + 1


@pytest.mark.parametrize("model", MODELS)
def test_at_reset_it_runs_at_fifty_megahertz_and_hashes_nothing(model):
    chain = started(model)
    assert chain.mhz() == pytest.approx(50, abs=0.1) and chain.working() == 0
    assert chain.baud == pytest.approx(115_740, abs=2)
    assert chain.register(0, wire.PLL0, 0.0) >> 24 == 0xC0


@pytest.mark.parametrize("model", [1362, 1366, 1368, 1370])
def test_a_sweep_of_nothing_stops_it(model):
    chain = working(model)
    chain.write(wire.write_register(wire.HASH_COUNTING, 0), SLOW, 0)
    assert chain.working() == 0 and run(chain, 5) == []


def test_one_chip_can_be_stopped_and_another_answer_shorter():
    chain = working(1370, 4)
    chain.write(wire.write_register(wire.HASH_COUNTING, 0, 2), SLOW, 0)
    assert chain.working() == 0.75
    run(chain, 10)
    assert chain.register(1, wire.TOTAL_HASHES) == 0 < chain.register(2, wire.TOTAL_HASHES)
    chain.write(wire.write_register(wire.VERSION_ROLLING, 0xFFFF, 4), SLOW, 0)
    chain.write(wire.write_register(wire.TICKET_MASK, 0xFFFF_FFFF) + READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 3 * 11 + 9


def test_one_dead_chip_is_missing_and_the_others_are_not():
    chain = started(1362, 126)
    chain.lost = frozenset((19,))
    chain.write(READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 125 * 11
    chain = working(1362, 126)
    chain.lost = frozenset((19,))
    assert chain.working() == pytest.approx(125 / 126)
    chain.write(wire.read_register(0, 2 * 19), SLOW, 0)
    assert chain.read(SLOW, 1e9) == b""


def test_what_is_behind_a_break_keeps_what_it_had():
    chain = working(1370, 65)
    chain.answering = 40
    chain.write(wire.write_register(wire.PLL0, 0x40A2_0255), SLOW, 1)
    clocks = chain.clocks()
    assert set(clocks[:40]) == {56.25} and set(clocks[40:]) == {525.0}
    assert chain.mhz() == pytest.approx((40 * 56.25 + 25 * 525) / 65)


def test_what_is_behind_a_break_hashes_and_is_not_heard():
    chain = working(1366, 10)
    whole = len(run(chain, 100))
    chain.answering = 5
    part = run(chain, 100, 100)
    assert chain.working() == 1
    assert {int.from_bytes(r.nonce.to_bytes(4, "little"), "big") >> 17 & 0xFE for r in part} <= {
        0, 2, 4, 6, 8
    }  # fmt: skip
    assert whole / 3 < len(part) < whole * 2 / 3


def test_nothing_is_hashed_while_the_clock_is_not_locked():
    chain = working(1370)
    run(chain, 10, dt_s=1.0)
    before = chain.register(0, wire.TOTAL_HASHES)
    rate = 525e6 * 2040 / 2**32
    for n in range(1000):  # set anew every 2 ms, it never locks
        chain.write(wire.write_register(wire.PLL0, 0x40A8_0230), SLOW, 10 + n * LOCK_S)
        chain.step(LOCK_S, 10 + (n + 1) * LOCK_S)
    assert chain.register(0, wire.TOTAL_HASHES) - before < 1
    run(chain, 10, 12 + LOCK_S, 1.0)
    assert chain.register(0, wire.TOTAL_HASHES) - before == pytest.approx(10 * rate, abs=2)
