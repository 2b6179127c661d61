"""What chains report: nonces of every kind, at their rate, where each has core and chip."""

import pytest

from hil.chips import tickets
from protocols import bm13xx, midstates
from protocols import hashboard as wire
from tests.hil.chains import MODELS, SLOW, job_of, run, working


@pytest.mark.parametrize("model", MODELS)
def test_a_reply_tells_job_core_and_chip(model):
    """Where each kind has them, read by the decoder of the firmware or by hand."""
    chain, chip = working(model, 4), bm13xx.CHIPS[model]
    chain.write(wire.write_register(wire.TICKET_MASK, wire.ticket_mask(8)), SLOW, 0)
    replies = []
    for n in range(1000):  # new work all the time: a BM1397's lasts 10 ms
        chain.write(job_of(model), SLOW, n * 0.005)
        replies += run(chain, 0.005, n * 0.005, 0.005)
    assert len(replies) > 50
    places = set()
    for reply in replies:
        shown = int.from_bytes(reply.nonce.to_bytes(4, "little"), "big")
        if chip.midstates:
            assert midstates.place(reply.job)[0] == 0x48
            core, address = shown >> 24, shown >> 16 & 0xFF
        else:
            job, core, small_core = wire.place(reply, chip.per_core)
            assert job == 0x48 and core == shown >> 25
            assert (reply.version & 3) == (small_core & 3)
            address = shown >> 17 & 0xFE
        assert core < chip.cores
        places.add(address)
    if model != 1370:
        assert places == {0, 2, 4, 6}


def test_a_bm1370s_chip_is_where_its_counter_began():
    chain = working(1370, 4)
    for number in range(4):
        word = 0x8000_0000 | number * 65536 // 4
        chain.write(wire.write_register(wire.NONCE_OFFSET, word, 2 * number), SLOW, 0)
    shown = [int.from_bytes(r.nonce.to_bytes(4, "little"), "big") for r in run(chain, 100)]
    assert {(nonce & 0x1FF_FFFF) * 4 >> 25 for nonce in shown} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "bits, quarters", [(0x1, {0}), (0x8, {3}), (0x5, {0, 2}), (0xF, {0, 1, 2, 3})]
)
def test_a_bm1370_reports_from_the_quarters_that_are_open(bits, quarters):
    chain = working(1370)
    chain.write(wire.write_register(wire.MISC_CONTROL, bits << 28 | 0xC100), SLOW, 0)
    replies = run(chain, 300)
    assert {wire.place(reply, 16)[1] // 32 for reply in replies} == quarters
    wanted = 300 * len(quarters) / 4 * 525e6 * 2040 / 256 / 2**32
    assert abs(len(replies) - wanted) < 4 * wanted**0.5
    assert chain.working() == 1, "closed quarters go on hashing"


def test_a_ticket_asked_for_later_counts_from_then():
    chain = working(1370, 4)
    wanted = 10 * 4 * 525e6 * 2040 / 2**32
    for difficulty in (256, 16, 1024):
        mask = wire.ticket_mask(difficulty)
        chain.write(wire.write_register(wire.TICKET_MASK, mask), SLOW, 0)
        found = len(run(chain, 10))
        assert abs(found - wanted / difficulty) < 4 * (wanted / difficulty) ** 0.5 + 1


def test_a_bm1397_needs_no_sweep_and_no_permission_to_report():
    chain = working(1397)
    assert chain.register(0, wire.HASH_COUNTING) == 0 and run(chain, 60)


def test_shares_beat_their_ticket_by_powers_of_two():
    replies = run(working(1370, 8), 60)
    excess = [reply.excess for reply in replies]
    assert all(e % 2 == 0 for e in excess)
    at_least = [sum(e >= 2 * n for e in excess) / len(excess) for n in (1, 2, 3)]
    assert at_least == pytest.approx([0.5, 0.25, 0.125], abs=0.08)


def test_an_old_job_is_finished_before_the_new_one_begins():
    chain = working(1370, 8)
    chain.write(bytes.fromhex("55AA51090014000000001C"), SLOW, 0)  # report all there is
    chain.line.baud = 10**9
    run(chain, 1, dt_s=0.001)
    chain.write(job_of(1370, 0x60), chain.baud, 1.0)
    before = {wire.place(r, 16)[0] for r in run(chain, tickets.CARRY_S, 1.0, 0.001)}
    after = {wire.place(r, 16)[0] for r in run(chain, 0.1, 1.0 + tickets.CARRY_S, 0.001)}
    assert before == {0x48} and after == {0x60}


def test_past_its_epoch_a_job_gives_the_same_nonces_again():
    chain = working(1370)
    chain.write(wire.write_register(wire.HASH_COUNTING, 0x1EB5), SLOW, 0)  # 1.29 s
    chain.write(wire.write_register(wire.TICKET_MASK, wire.ticket_mask(8)), SLOW, 0)
    fresh = [reply.nonce for reply in run(chain, 1.2)]
    assert len(set(fresh)) == len(fresh) > 10
    assert {reply.nonce for reply in run(chain, 3, 1.4)} <= set(fresh)
    chain.write(job_of(1370, 0x60), SLOW, 5.0)
    assert not {reply.nonce for reply in run(chain, 1, 5.0)} & set(fresh)


def test_a_solution_that_is_known_is_reported_as_the_captured_chip_did():
    """A Bitaxe Gamma's job and its share, which a pool took: difficulty 29588."""
    job = bytes.fromhex(
        "55AA2156680100000000043A0217D76854685519A7CB044F88726355919E61A98BCF71A0C28795EA54DB8C36"
        "414B06DDF5F00000000000000000965201001D3996BCA3F4670DFCD4F201C162B96DFD55646B00000020721C"
    )
    chain = working(1370)
    asked = []

    def solve(job):
        asked.append(job.ntime)
        return [wire.Nonce(0x7552034C, 12, 2, 0x05A2)]

    chain.solve = solve
    chain.write(wire.write_register(wire.TICKET_MASK, 0xFFFF_FFFF), SLOW, 0)
    chain.write(job, SLOW, 0)
    run_s = [chain.step(0.1, 0.1 + n / 10) for n in range(10)]
    assert len(run_s) == 10 and asked == [0x685468D7]
    assert chain.read(chain.baud, 1e9) == bytes.fromhex("AA554C0352750CD205A29C")


def test_the_same_seed_says_the_same():
    one, same, other = (run(working(1370, 3, seed), 30) for seed in (1, 1, 2))
    assert one == same != other
