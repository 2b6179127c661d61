"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

The frames were sent by running hosts of BM1397 chips: hashboard.md.
"""

from protocols import bm13xx, hashboard, hashboard_chip, midstates
from protocols.hashboard_chip import CommandReceiver
from protocols.midstates import MidstateJob, midstate_frame

ONE = bytes.fromhex(
    "55AA2136000100000000159E071775328E63A2B36A70"
    "DE604A09E9301DE1256D7EB80EA1E64382DF61141503966C185F502F5574D4BAD3DC"
)
# state after the first 64 bytes of a header of version 20000004, words 0 to 7
STATE = bytes.fromhex("52eadf9168739f8a5d490d3d1574ddd6cb21cae1e35917415f7d5de04d3185f2")
FOUR = (
    bytes.fromhex(
        "55AA2196040400000000 01DD0517 D88B6564 C604A846"
        "4D3185F25F7D5DE0E3591741CB21CAE11574DDD65D490D3D68739F8A52EADF91".replace(" ", "")
    )
    + bytes(96)
    + bytes.fromhex("6B1D")
)
THIRD = (
    bytes.fromhex("55AA219618049B044C0A3AAE0517A084736450E37161")
    + bytes(64)
    + bytes.fromhex("7E027035B1ACBAF23EA01A527344FAF76AB476D328216118B7760F7B1B22D229")
    + bytes(32)
    + bytes.fromhex("76F9")
)


def heard(frame, takes_midstates=True):
    return CommandReceiver(takes_midstates).feed(frame)


def test_jobs_match_the_captures():
    job = MidstateJob(
        4, 0, 0x1705DD01, 0x64658BD8, bytes.fromhex("C604A846"), (STATE,) + (bytes(32),) * 3
    )
    assert midstate_frame(job) == FOUR and len(FOUR) == 152
    assert heard(FOUR) == [job]


def test_every_captured_job_is_heard_and_can_be_said_again():
    for frame, count in ((ONE, 1), (FOUR, 4), (THIRD, 4)):
        (job,) = heard(frame)
        assert len(job.midstates) == count
        assert midstate_frame(job) == frame


def test_the_third_of_four_is_where_the_capture_has_it():
    (job,) = heard(THIRD)
    assert job.job == 0x18 and job.nonce == 0x0A4C049B
    assert [state != bytes(32) for state in job.midstates] == [False, False, True, False]


def test_a_job_is_cut_by_its_length_byte_and_what_follows_is_heard():
    events = heard(ONE + hashboard.read_register(0) + FOUR)
    assert [type(event).__name__ for event in events] == [
        "MidstateJob",
        "ReadRegister",
        "MidstateJob",
    ]
    assert [midstates.frame_size(n) for n in (0x36, 0x56, 0x76, 0x96)] == [56, 88, 120, 152]
    assert not any(midstates.frame_size(n) for n in (0, 0x16, 0x35, 0x37, 0xB6, 0xFF))


def test_any_flipped_bit_of_a_job_is_refused():
    for at in range(4, len(ONE)):
        wrong = ONE[:at] + bytes((ONE[at] ^ 0x10,)) + ONE[at + 1 :]
        assert heard(wrong) == [], at


def test_a_chip_of_the_other_kind_hears_no_job():
    assert heard(ONE + b"\x01" * 40, takes_midstates=False) == []


def test_a_reply_tells_its_job_and_midstate():
    assert midstates.place(0x63) == (0x60, 3)


def test_bauds_of_a_bm1397():
    baud = hashboard_chip.baud_1397
    pll3 = 0xC070_0111  # 2800 MHz
    assert baud(0x0000_3A01, 0x0600_000F, 0x0070_0111) == 115_741
    assert baud(0x0000_7A31, 0x0600_000F, pll3) == 115_741
    assert baud(0x0000_6031, 0x0600_000F, pll3) == 3_125_000
    assert baud(0x0000_6131, 0x0600_000F, pll3) == 1_562_500
    assert baud(0x0001_2701, 0x0600_000F, pll3) == 6_250_000
    assert baud(0x0F01_3F01, 0x0600_000F, pll3) == 97_656  # all nine bits of the divider
    assert baud(0x0001_2701, 0x0600_000F, 0) == 0


def test_chips_are_told_by_their_ids():
    for model, chip in bm13xx.CHIPS.items():
        assert bm13xx.identified(chip.chip_id | 0x42) == model
    assert bm13xx.identified(0x1398_0000) is None


def test_job_ids_come_again_only_after_all_others():
    for model, ids in ((1370, 16), (1368, 16), (1366, 16), (1362, 16), (1397, 32)):
        seen, job = [], 0
        while job not in seen:
            seen.append(job)
            job = bm13xx.next_job(model, job)
        assert job == 0 and len(seen) == ids, model
    assert [bm13xx.next_job(1370, job) for job in (0, 0x18, 0x78)] == [0x18, 0x30, 0x10]


def test_rated_machines_hash_what_they_are_sold_for():
    # S21 Pro, S19j Pro, S19 XP, S19k Pro, Bitaxe Max; GH/s
    for model, khz, chips, ghs in (
        (1370, 590_000, 195, 234_700),
        (1362, 545_000, 378, 105_900),
        (1366, 482_900, 330, 142_880),
        (1366, 590_000, 231, 121_800),
        (1397, 425_000, 1, 285),
    ):
        assert abs(bm13xx.hash_ghs(model, khz, chips) - ghs) <= ghs // 300, model
