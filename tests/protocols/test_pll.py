"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import pll

# chip: kHz -> PLL0 word
WORDS = {
    1397: "400 40400221 425 40440221 450 40480221 500 40500221 600 40600221 50 403C0253",
    1366: "50 40A80265 56.25 40BD0265 62.5 40960254 400 40A00240 485 50C20240 490 50C40240 "
    "525 40A80230 575 40B80230",
    1370: "50 40A80265 56.25 40BD0265 62.5 40AF0264 400 40A00240 490 50C40240 525 40A80230 "
    "550 40B00230 600 50C00230 625 50C80230",
}
WORDS[1368] = WORDS[1366]

# words seen on the wire, and the resets; any valid word is a good one
SEEN = (
    (1370, 0x50D20265, 62_500),
    (1370, 0x50D20240, 525_000),
    (1370, 0x40A20255, 56_250),
    (1370, 0x50C00230, 600_000),
    (1362, 0x40A80230, 525_000),
    (1370, 0xC0540165, 50_000),
    (1366, 0xC0540165, 50_000),
)


def examples():
    for model, line in WORDS.items():
        parts = line.split()
        for at in range(0, len(parts), 2):
            yield model, int(float(parts[at]) * 1000), int(parts[at + 1], 16)


def test_words_as_other_hosts_choose_them():
    for model, khz, word in examples():
        assert pll.word(model, khz) == word, (model, khz)
        assert pll.khz(model, word) == khz


def test_words_seen_on_the_wire():
    for model, word, khz in SEEN:
        assert pll.khz(model, word) == khz


def test_the_reset_clock_of_a_bm1397_has_an_output_divider():
    assert pll.khz(1397, 0xC0600161, out=7) == 50_000


def test_an_unset_pll_makes_no_clock():
    assert pll.khz(1397, 0) == 0
    assert pll.khz(1370, 0) == 0


def test_every_step_of_a_ramp_is_exact():
    for model in (1362, 1366, 1368, 1370):
        for khz in range(56_250, 700_000, 6_250):
            assert pll.khz(model, pll.word(model, khz)) == khz, (model, khz)


def test_no_other_divider_comes_nearer():
    for model, chip in pll.CHIPS.items():
        for khz in (50_001, 63_211, 333_333, 487_654, 511_119, 598_765):
            word = pll.word(model, khz)
            ref = word >> 8 & 0x3F
            post1 = (word >> 4 & 7) + chip.post_offset
            post2 = (word & 7) + chip.post_offset
            made = 25_000 * (word >> 16 & 0xFFF) / (ref * post1 * post2)
            assert post1 > post2
            for posts in {p1 * p2 for p1 in range(1, 8) for p2 in range(1, p1)}:
                fb = int(khz * 2 * posts / 25_000 + 0.5)
                if chip.fb_low <= fb <= chip.fb_high and fb * 12_500 >= chip.vco_khz_min:
                    other = 25_000 * fb / (2 * posts)
                    assert abs(made - khz) <= abs(other - khz) + 0.01, (model, khz, posts)


def test_ranges_of_each_chip():
    for model, fb_low, fb_high, vco_mhz in (
        (1362, 16, 250, 2000),
        (1366, 144, 235, 1800),
        (1368, 144, 235, 1800),
        (1370, 160, 239, 1600),
        (1397, 60, 200, 750),
    ):
        chip = pll.CHIPS[model]
        assert (chip.fb_low, chip.fb_high, chip.vco_khz_min) == (fb_low, fb_high, vco_mhz * 1000)


def test_no_vco_beyond_its_range():
    for model in pll.CHIPS:
        for khz in range(60_000, 900_000, 7_321):
            word = pll.word(model, khz)
            fb, ref = word >> 16 & 0xFFF, word >> 8 & 0x3F
            vco_khz = 25_000 * fb // ref
            chip = pll.CHIPS[model]
            assert chip.fb_low <= fb <= chip.fb_high
            assert vco_khz <= pll.VCO_KHZ_MAX
            if model == 1362:
                assert vco_khz >= 2_000_000 and (ref == 2 or vco_khz <= 3_125_000)
            assert (word >> 28 == 5) == (model != 1397 and vco_khz >= 2_400_000)
            assert abs(pll.khz(model, word) - khz) <= khz // 100


def test_a_clock_out_of_reach_is_refused():
    for khz in (0, -1, 1_000, 10_000, 5_000_000):
        try:
            word = pll.word(1370, khz)
        except pll.PllError as error:
            assert str(khz) in str(error)
        else:
            raise AssertionError(f"{khz} kHz gave {word:08x}")


def test_hash_counting_numbers():
    for model, khz, chips, number in (
        (1366, 485_000, 1, 0xD3224),
        (1366, 485_000, 6, 0x1A644),
        (1368, 490_000, 1, 0xD0FAC),
        (1370, 525_000, 1, 0xC2FB7),
        (1370, 525_000, 2, 0x61755),
        (1362, 525_000, 126, 6241),
        (1397, 425_000, 1, 0x78787),
    ):
        assert pll.hash_counting_number(model, khz, chips) == number
    assert pll.hash_counting_number(1370, 10_000_000, 65_536) == 1
