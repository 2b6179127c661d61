"""Hash counters of the chips, on both runtimes."""

from firmware.counters import BAD_POLLS, HashCounter


def counts(value, chips=4):
    return {2 * n: (value + n) & 0xFFFF_FFFF for n in range(chips)}


def test_rate_is_the_difference_over_time():
    counter = HashCounter(4)
    counter.poll(counts(1000), 5_000, 0)
    assert counter.ghs == 0
    counter.poll(counts(2000), 5_000, 0)
    # 4 chips x 1000 x 2^32 hashes in 5 s
    assert counter.ghs == 4_000 * 4_294_967 // 5_000_000 == 3435


def test_counters_wrap():
    counter = HashCounter(4)
    counter.poll(counts(0xFFFF_FFF0), 1_000, 0)
    counter.poll(counts(0x10), 1_000, 0)
    assert counter.ghs == 4 * 32 * 4_294_967 // 1_000_000


def test_a_chip_that_missed_a_poll_is_made_up_for():
    counter = HashCounter(4)
    counter.poll(counts(0), 1_000, 0)
    some = counts(1000)
    del some[2]
    counter.poll(some, 1_000, 0)
    counter.poll(counts(2000), 1_000, 0)
    assert counter.ghs == (3 * 1000 + 2000) * 4_294_967 // 1_000_000


def test_trouble_takes_several_bad_polls_in_a_row():
    for bad in (counts(1_000, 3), counts(0)):
        counter = HashCounter(4)
        counter.poll(counts(0), 1_000, 100)
        for _ in range(BAD_POLLS - 1):
            counter.poll(bad, 1_000, 100)
            assert counter.trouble == ""
        counter.poll(bad, 1_000, 100)
        assert counter.trouble
    assert counter.trouble == "makes 0 of 100 GH/s"


def test_one_good_poll_forgives():
    counter = HashCounter(4)
    counter.poll(counts(0), 1_000, 0)
    for turn in range(1, 10):
        for _ in range(BAD_POLLS - 1):
            counter.poll(counts(1000 * turn, 3), 1_000, 0)
        counter.poll(counts(1000 * turn + 500), 1_000, 0)
    assert counter.trouble == ""


def test_less_than_half_of_what_the_clock_makes_is_bad():
    for ghs, trouble in ((6870, False), (6871, True)):
        counter = HashCounter(4)
        for turn in range(BAD_POLLS + 1):
            counter.poll(counts(1000 * turn), 5_000, ghs)
        assert bool(counter.trouble) is trouble, ghs
