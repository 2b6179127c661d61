"""Chains of every kind, from the captured frames of their start sequences to any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.chips import bm13xx_facts, line, tickets
from hil.chips.bm13xx import LOCK_S, Chain
from hil.chips.line import WAITING_MAX
from protocols import bm13xx, midstates, pll
from protocols import hashboard as wire

SLOW, FAST = 115_200, 3_125_000
MODELS = sorted(bm13xx.CHIPS)
READ_ID = bytes.fromhex("55AA520500000A")
ROLLING = bytes.fromhex("55AA510900A49000FFFF1C")
INACTIVE = bytes.fromhex("55AA5305000003")
# captured answers to READ_ID, unaddressed and after ROLLING, which a BM1397 does not know
IDS = {
    1362: "AA551362030000000000 1E",
    1366: "AA551366000000000000 05",
    1368: "AA551368000000000000 0F",
    1370: "AA551370000000000000 10",
    1397: "AA5513971800000006",
}
# the start of each, as captured or as a running host sends it, once addresses are dealt:
# all CRCs as recorded
STARTS = {
    1362: """51 09 00 3C 80 00 85 40 0C|51 09 00 3C 80 00 80 08 05|51 09 00 14 00 00 00 FF 08|
        51 09 00 54 00 00 00 03 1D|51 09 00 58 00 01 11 11 0D|51 09 00 08 40 A8 02 30 03|
        41 09 00 A8 00 00 00 02 03|41 09 00 18 B0 00 C1 00 1C|41 09 00 3C 80 00 85 40 04|
        41 09 00 3C 80 00 80 08 0D|41 09 00 3C 80 00 82 AA 05|51 09 00 10 00 00 13 81 08""",
    1366: """51 09 00 3C 80 00 85 40 0C|51 09 00 3C 80 00 80 20 19|51 09 00 14 00 00 00 FF 08|
        51 09 00 54 00 00 00 03 1D|51 09 00 58 02 11 11 11 06|41 09 00 2C 00 7C 00 03 03|
        41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|41 09 00 3C 80 00 85 40 04|
        41 09 00 3C 80 00 80 20 11|41 09 00 3C 80 00 82 AA 05|51 09 00 08 50 C2 02 40 1C|
        51 09 00 10 00 0D 32 24 10""",
    1368: """51 09 00 3C 80 00 8B 00 12|51 09 00 3C 80 00 80 18 1F|51 09 00 14 00 00 00 FF 08|
        41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|41 09 00 3C 80 00 8B 00 1A|
        41 09 00 3C 80 00 80 18 17|41 09 00 3C 80 00 82 AA 05|51 09 00 08 50 C4 02 40 06|
        51 09 00 10 00 0D 0F AC 1B""",
    1370: """51 09 00 3C 80 00 8B 00 12|51 09 00 3C 80 00 80 0C 11|51 09 00 14 00 00 00 FF 08|
        51 09 00 58 00 01 11 11 0D|41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|
        41 09 00 3C 80 00 8B 00 1A|41 09 00 3C 80 00 80 0C 19|41 09 00 3C 80 00 82 AA 05|
        51 09 00 B9 00 00 44 80 0D|51 09 00 54 00 00 00 02 18|51 09 00 3C 80 00 8D EE 1B|
        51 09 00 08 40 A8 02 30 03|51 09 00 10 00 0C 2F B7 18""",
    1397: """51 09 00 80 00 00 00 00 1C|51 09 00 84 00 00 00 00 11|51 09 00 20 00 00 00 01 02|
        51 09 00 3C 80 00 80 74 10|51 09 00 14 00 00 00 FF 08|51 09 00 68 C0 70 01 11 00|
        51 09 00 28 06 00 00 0F 18|51 09 00 18 00 00 7A 31 15|51 09 00 70 0F 0F 0F 00 19|
        51 09 00 08 40 44 02 21 07""",
}
MHZ = {1362: 525, 1366: 485, 1368: 490, 1370: 525, 1397: 425}
HEADER_JOB = wire.Job(0x48, 0, 0x17023A04, 0x685468D7, bytes(32), bytes(32), 0x2000_0000)
MIDSTATE_JOB = midstates.MidstateJob(0x48, 0, 0x1705DD01, 0x64658BD8, bytes(4), (bytes(32),) * 4)


def job_of(model: int, job: int = 0x48) -> bytes:
    if bm13xx.CHIPS[model].midstates:
        return midstates.midstate_frame(
            midstates.MidstateJob(job, 0, 1, 2, bytes(4), (bytes(32),) * 4)
        )
    return wire.job_frame(wire.Job(job, 0, 1, 2, bytes(32), bytes(32), 0x2000_0000))


def started(model: int, chips: int = 1, seed: int = 7) -> Chain:
    chain = Chain(model, chips, seed)
    chain.power(True)
    if model != 1397:
        chain.write(ROLLING, SLOW, 0)
    return chain


def working(model: int, chips: int = 1, seed: int = 7) -> Chain:
    """By the captured frames; those for chip 0 repeated for each."""
    chain = started(model, chips, seed)
    chain.write(INACTIVE, SLOW, 0)
    for chip in range(chips):
        chain.write(wire.set_address(2 * chip), SLOW, 0)
    for text in STARTS[model].split("|"):
        frame = bytes.fromhex("55AA" + text)
        chain.write(frame, SLOW, 0)
        (event,) = wire.CommandReceiver().feed(frame)
        for chip in range(1, chips if event.chip is not None else 0):
            again = wire.write_register(event.register, event.value, 2 * chip)
            chain.write(again, SLOW, 0)
    chain.write(job_of(model), SLOW, 0)
    assert chain.refused == 0
    return chain


def heard(chain: Chain) -> list[wire.Nonce]:
    size = 9 if chain.model == 1397 else 11
    return [
        event
        for event in wire.Receiver(size).feed(chain.read(chain.baud, 1e9))
        if isinstance(event, wire.Nonce)
    ]


def run(chain: Chain, seconds: float, start_s: float = 0.0, dt_s: float = 0.1) -> list[wire.Nonce]:
    found = []
    for n in range(1, round(seconds / dt_s) + 1):
        chain.step(dt_s, start_s + n * dt_s)
        found += heard(chain)
    return found


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


def test_a_chip_that_alone_changes_its_rate_cuts_off_what_is_behind():
    chain = started(1370, 5)
    chain.write(INACTIVE, SLOW, 0)
    for chip in range(5):
        chain.write(wire.set_address(2 * chip), SLOW, 0)
    chain.write(wire.write_register(wire.UART_BAUD, 0x0130_0000, 4), SLOW, 0)
    chain.write(READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 2 * 11
    chain.power(False)
    chain.power(True)
    chain.write(READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 5 * 9


def test_a_bm1397_changes_its_rate_by_other_registers():
    chain = working(1397)
    chain.write(wire.write_register(wire.MISC_CONTROL, 0x0000_6031), SLOW, 0)
    assert chain.baud == FAST
    chain.write(READ_ID, FAST, 0)
    assert chain.read(FAST, 1e9) == bytes.fromhex(IDS[1397])


def test_a_frame_in_noise_is_found_again():
    chain = started(1366)
    for noise in (b"\x55", b"\x55\xaa", b"\x00\xff" * 20, READ_ID[:5]):
        chain.write(noise, SLOW, 0)
        chain.write(bytes(100), SLOW, 0)  # as much as any frame that may have begun can want
        chain.write(READ_ID, SLOW, 0)
        assert chain.read(SLOW, 1e9) == bytes.fromhex(IDS[1366]), noise


def test_noise_on_the_line_comes_in_bursts():
    chain = started(1366, 20)
    chain.line.noisy = True
    chain.write(READ_ID, SLOW, 10.5)
    assert len(wire.Receiver().feed(chain.read(SLOW, 10.8))) == 20
    hit = []
    for second in range(20):
        chain.write(READ_ID, SLOW, second + 0.05)
        hit.append(len(wire.Receiver().feed(chain.read(SLOW, second + 0.09))))
    assert min(hit) == 0 and max(hit) < 20
    assert chain.refused > 0


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


@st.composite
def conversations(draw):
    frames = st.one_of(
        st.binary(max_size=20),
        st.builds(wire.read_register, st.integers(0, 255), st.none() | st.integers(0, 255)),
        st.builds(
            wire.write_register,
            st.integers(0, 255),
            st.integers(0, 2**32 - 1),
            st.none() | st.integers(0, 255),
        ),
        st.builds(wire.set_address, st.integers(0, 255)),
        st.sampled_from((INACTIVE, ROLLING, READ_ID, job_of(1397), job_of(1370), job_of(1370, 0))),
    )
    return draw(st.lists(frames, max_size=30))


@pytest.mark.parametrize("model", MODELS)
@given(said=conversations(), baud=st.sampled_from((SLOW, FAST, 1, 6_250_000)))
def test_any_bytes_do_no_harm(model, said, baud):
    chain = Chain(model, 5)
    chain.power(True)
    for n, data in enumerate(said):
        chain.write(data, SLOW if n % 3 else baud, n)
        chain.step(1.0, n + 1)
        chain.read(chain.baud if n % 2 else baud, n + 1)
        assert 0 <= chain.working() <= 1 and chain.mhz() >= 0 and chain.baud > 0
    registers, found = chain._registers, chain._hashing._tickets._found
    assert len(chain.line._out) <= WAITING_MAX and len(found) <= tickets.REMEMBERED
    assert len(registers._all) <= 256 + 32
    assert all(len(own) <= 5 for own in registers._own.values())
    assert len(chain._ear._tail) < 152


def test_a_host_that_never_listens_costs_nothing():
    chain = started(1370, 65)
    for _ in range(200):
        chain.write(READ_ID, SLOW, 0)
    assert len(chain.line._out) == line.WAITING_MAX
