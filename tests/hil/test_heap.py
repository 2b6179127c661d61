"""A day of a rig with the chip's heap: what it holds after an hour is what it holds after 24."""

import pytest

from hil.benches.firmware import grown, weighed


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_day_leaves_nothing_on_the_heap(tmp_path):
    weights = weighed(tmp_path, hours=24)
    told = grown(weights, 24)
    print(told, f"in use after an hour {weights[6][0]}, most {max(weights)[0]} bytes")
    assert told["heap_growth_bytes_24h"] <= 1024, weights


def test_growth_is_from_the_first_hour_to_the_end():
    day = [(100_000 + (n if n >= 6 else 5_000), 50_000 - n) for n in range(145)]
    told = grown(day, 24)
    assert told["heap_growth_bytes_24h"] == 144 - 29
    assert told["heap_free_kb_min"] == (50_000 - 144) // 1024


def test_less_than_a_day_is_stretched_and_says_so():
    hours = [(100, 900)] * 12 + [(110, 890)]
    assert grown(hours, 2)["heap_growth_bytes_24h_extrapolated"] == 120
    assert "heap_growth_bytes_24h" not in grown(hours, 2)
