"""Counters of the chips, on both runtimes."""

from firmware.counters import STEADY_POLLS, Counts, HashCounter


def counts(value, chips=4):
    return {n: (value + n) & 0xFFFF_FFFF for n in range(chips)}


def test_rate_is_the_difference_over_time():
    counter = HashCounter(4)
    counter.reset(4)
    counter.poll(counts(1000), {}, 5_000, 0)
    assert counter.ghs == 0
    counter.poll(counts(2000), {}, 5_000, 0)
    # 4 chips x 1000 x 2^32 hashes in 5 s
    assert counter.ghs == 4_000 * 4_294_967 // 5_000_000 == 3435


def test_counters_wrap():
    counter = HashCounter(4)
    counter.poll(counts(0xFFFF_FFF0), {}, 1_000, 0)
    counter.poll(counts(0x10), {}, 1_000, 0)
    assert counter.ghs == 4 * 32 * 4_294_967 // 1_000_000


def test_a_chip_that_missed_a_poll_is_made_up_for():
    counter = HashCounter(4)
    counter.poll(counts(0), {}, 1_000, 0)
    some = counts(1000)
    del some[2]
    counter.poll(some, {}, 1_000, 0)
    counter.poll(counts(2000), {}, 1_000, 0)
    assert counter.ghs == (3 * 1000 + 2000) * 4_294_967 // 1_000_000


def test_a_chip_is_silent_when_it_was_missed_several_times_in_a_row():
    counter = HashCounter(4)
    counter.reset(4)
    some = counts(0)
    del some[2]
    for _ in range(STEADY_POLLS - 1):
        counter.poll(some, {}, 1_000, 0)
        assert counter.chips == 4
    counter.poll(some, {}, 1_000, 0)
    assert (counter.chips, counter.silent) == (3, [2])
    assert counter.told() == "3 of 4 chips answer, not 2"
    counter.poll(counts(0), {}, 1_000, 0)
    assert (counter.chips, counter.silent) == (4, [])
    assert counter.told() == "4 of 4 chips answer"


def test_noise_that_hides_another_chip_each_time_hides_none():
    counter = HashCounter(4)
    counter.reset(4)
    for turn in range(12):
        some = counts(0)
        if turn % STEADY_POLLS:
            del some[turn % 4]
        counter.poll(some, {}, 1_000, 0)
        assert counter.chips == 4


def test_many_silent_chips_are_not_all_named():
    counter = HashCounter(65)
    for _ in range(STEADY_POLLS):
        counter.poll(counts(0, 40), {}, 1_000, 0)
    assert counter.told() == "40 of 65 chips answer, not 40, 41, 42, 43, 44 ..."


def test_what_the_chips_that_answer_should_make():
    counter = HashCounter(4)
    counter.poll(counts(0), {}, 1_000, 1000)
    assert counter.chain().expected_ghs == 0, "nothing is known yet"
    counter.poll(counts(10, 3), {}, 1_000, 1000)
    assert counter.chain().expected_ghs == 750


def test_the_share_of_hashes_that_are_wrong():
    counter = HashCounter(4)
    counter.poll(counts(0), counts(0), 1_000, 0)
    counter.poll(counts(90), counts(10), 1_000, 0)
    assert counter.chain().wrong_pm == 100
    counter.poll(counts(90), counts(10), 1_000, 0)
    assert counter.chain().wrong_pm == 0, "nothing counted, nothing wrong"


def test_a_chip_that_tells_a_rate():
    """BM1397: 2^20 hashes a second each; bit 31 says that it is no number yet."""
    counter = HashCounter(3, 1_049, True)
    counter.poll({0: 272_000, 1: 272_000, 2: 1 << 31}, {}, 5_000, 850)
    assert counter.ghs == 544_000 * 1_049 // 1_000_000 == 570


def test_a_clock_is_odd_when_it_was_seen_twice():
    counter = HashCounter(4)
    for odd, counted in ((3, 0), (2, 2), (0, 0), (1, 0), (4, 1)):
        counter.clocks(odd)
        assert counter.chain().odd == counted


def test_who_has_been_off_begins_anew():
    counter = HashCounter(4)
    counter.poll(counts(0), counts(0), 1_000, 0)
    counter.poll(counts(5), counts(5), 1_000, 100)
    counter.clocks(1)
    counter.clocks(1)
    counter.reset(3)
    assert counter.chain() == (3, 0, 0, 0, 0) and counter.silent == []
    counter.poll(counts(0, 3), counts(0, 3), 1_000, 100)
    assert counter.ghs == 0 and counter.wrong_pm == 0


def test_counts_of_the_first_time_are_no_difference():
    counted = Counts(4)
    assert counted.since({0: 7}) is None and counted.since({0: 9}) == 2
    counted.reset()
    assert counted.since({0: 9}) is None
