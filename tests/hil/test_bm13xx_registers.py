"""Registers of chains: cores behind their mailbox, thermometer, counters."""

import pytest

from hil.chips import bm13xx_facts
from protocols import bm13xx, pll
from protocols import hashboard as wire
from tests.hil.chains import MHZ, SLOW, run, started, working


@pytest.mark.parametrize("model", [1366, 1368, 1370])
def test_core_registers_are_read_through_the_mailbox(model):
    chain = started(model, 2)
    facts = bm13xx_facts.FACTS[model]
    for core, value in facts.core_reset.items():
        chain.write(wire.write_register(wire.CORE_CONTROL, core << 8), SLOW, 0)
        assert chain.register(1, 0x40) == value
        assert chain.register(1, wire.CORE_CONTROL) & 1 << 14, "done"
    chain.write(wire.write_register(wire.CORE_CONTROL, wire.core_write(7, 0x5A)), SLOW, 0)
    chain.write(wire.write_register(wire.CORE_CONTROL, 7 << 8), SLOW, 0)
    assert chain.register(0, 0x40) == 0x5A


def to_core(core: int, register: int, value: int, chip: int | None = None) -> bytes:
    word = core << 16 | 1 << 15 | register << 8 | value
    return wire.write_register(wire.CORE_CONTROL, word, chip)


def of_core(core: int, register: int) -> bytes:
    return wire.write_register(wire.CORE_CONTROL, core << 16 | register << 8)


def test_a_single_core_has_values_of_its_own_until_all_are_written():
    chain = started(1370, 2)
    all_cores = wire.write_register(wire.CORE_CONTROL, wire.core_write(7, 0x5A))
    chain.write(all_cores + to_core(100, 7, 0xA5), SLOW, 0)
    for core, wanted in ((100, 0xA5), (99, 0x5A)):
        chain.write(of_core(core, 7), SLOW, 0)
        assert chain.register(1, 0x40) == wanted
    chain.write(all_cores + of_core(100, 7), SLOW, 0)
    assert chain.register(1, 0x40) == 0x5A


def test_a_core_that_is_not_there_is_heard_by_nobody():
    chain = working(1366)
    chain.write(of_core(0, 5) + to_core(112, 2, 0) + of_core(112, 2), SLOW, 0)
    assert chain.register(0, 0x40) == 0x40, "what the last one that is there has said"
    assert not chain.register(0, wire.CORE_CONTROL) & 1 << 14 and chain.working() == 1


@pytest.mark.parametrize("model", [1362, 1366, 1368, 1370])
def test_cores_are_switched_on_and_off_one_by_one(model):
    chain, cores = working(model, 4), bm13xx.CHIPS[model].cores
    chain.write(wire.write_register(wire.CORE_CONTROL, wire.core_write(2, 0), 2), SLOW, 0)
    assert chain.working() == 0.75
    mine = range(cores // 2 - 5, cores // 2 + 5)
    for core in mine:
        chain.write(to_core(core, 2, 0xAA, 2), SLOW, 0)
    assert chain.working() == pytest.approx((3 + len(mine) / cores) / 4)
    for chip in (0, 4, 6):
        chain.write(wire.write_register(wire.CORE_CONTROL, wire.core_write(2, 0), chip), SLOW, 0)
    chain.write(wire.write_register(wire.TICKET_MASK, wire.ticket_mask(8)), SLOW, 0)
    replies = run(chain, 60)
    wanted = 60 * MHZ[model] * 1e6 * bm13xx.CHIPS[model].small_cores * 10 / cores / 8 / 2**32
    assert abs(len(replies) - wanted) < 4 * wanted**0.5 + 1
    told = {wire.place(reply, bm13xx.CHIPS[model].per_core)[1] for reply in replies}
    assert len(told) > 1 and told <= set(mine)


def test_cores_of_a_closed_quarter_hash_and_are_not_heard():
    chain = working(1370)
    chain.write(wire.write_register(wire.CORE_CONTROL, wire.core_write(2, 0)), SLOW, 0)
    for core in (10, 20, 30, 40):  # one of them in the second quarter
        chain.write(to_core(core, 2, 0xAA), SLOW, 0)
    chain.write(wire.write_register(wire.MISC_CONTROL, 0x2000_C100), SLOW, 0)
    assert chain.working() == 4 / 128
    chain.write(wire.write_register(wire.TICKET_MASK, wire.ticket_mask(1)), SLOW, 0)
    replies = run(chain, 60)
    wanted = 60 * 525e6 * 2040 / 128 / 2**32
    assert abs(len(replies) - wanted) < 4 * wanted**0.5
    assert {wire.place(reply, 16)[1] for reply in replies} == {40}


@pytest.mark.parametrize("model", [1362, 1366, 1368, 1370])
def test_the_cores_of_a_fresh_chip_read_the_captured_values(model):
    chain = started(model)
    wanted = {1362: 65, 1366: 112, 1368: 80, 1370: 128}[model]
    assert chain.register(0, 0x30) == wanted == bm13xx.CHIPS[model].cores


def test_a_bm1368_measures_its_own_temperature_once_started():
    chain = started(1368)
    chain.celsius = 45.0
    assert chain.register(0, 0xB4) == 0
    for value in (0x0002_0000, 0x0102_0000, 0x1002_0000):
        chain.write(wire.write_register(0xB0, value), SLOW, 0)
    word = chain.register(0, 0xB4)
    assert word >> 31 and abs((word & 0xFFFF) - 2011) <= 1
    other = started(1370)
    other.write(wire.write_register(0xB0, 0x1002_0000), SLOW, 0)
    assert other.register(0, 0xB4) == 0


def test_a_bm1397_tells_its_rate():
    chain = working(1397)
    chain.step(1.0, 1.0)
    assert chain.register(0, 0x04) * 2**20 == pytest.approx(425e6 * 672, rel=0.001)
    assert started(1397).register(0, 0x04) == 0x8000_0000, "nothing to tell"


def test_counters_wrap_and_keep_what_was_counted_at_another_clock():
    chain = working(1366)
    run(chain, 100, dt_s=1.0)
    before = chain.register(0, wire.TOTAL_HASHES)
    chain.write(wire.write_register(wire.PLL0, pll.word(1366, 400_000)), SLOW, 100)
    run(chain, 100, 100, 1.0)
    gained = chain.register(0, wire.TOTAL_HASHES) - before
    assert gained == pytest.approx(100 * 400e6 * 894 / 2**32, abs=2)
    assert before == pytest.approx(100 * 485e6 * 894 / 2**32, abs=2)


def test_wrong_hashes_are_counted_apart_chip_by_chip():
    chain = working(1370, 2)
    for n in range(1, 101):
        chain.step(1.0, n, (1.0, 0.75))
    good = [chain.register(n, wire.TOTAL_HASHES) for n in (0, 1)]
    bad = [chain.register(n, wire.NONCE_ERRORS) for n in (0, 1)]
    assert bad[0] == 0 and bad[1] / (good[1] + bad[1]) == pytest.approx(0.25, abs=0.001)
    assert good[0] == pytest.approx(good[1] + bad[1], abs=2)
    for n in range(101, 201):
        chain.step(1.0, n, (0.5, 0.75))
    halved, same = (chain.register(n, wire.TOTAL_HASHES) for n in (0, 1))
    assert halved / good[0] == pytest.approx(1.5, abs=0.001), "what was counted stays counted"
    assert same / good[1] == pytest.approx(2.0, abs=0.001)
    assert chain.register(0, wire.NONCE_ERRORS) == pytest.approx(good[0] / 2, abs=2)
    for domain in range(4):
        assert chain.register(0, wire.DOMAIN_HASHES + domain) == halved // 4
