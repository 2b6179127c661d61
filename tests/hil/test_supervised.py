"""The real supervisor and real firmware on one virtual clock."""

import pytest

from hil.bench import Bench
from hil.supervised import Supervised

RIGS = 3


@pytest.fixture
def site(tmp_path):
    """Three rigs under a supervisor that has room for all of them."""
    with Bench(tmp_path, seed=4) as bench:
        supervised = Supervised(bench, limit_w=20_000)
        for n in range(RIGS):
            bench.rig(f"rig-{n}")
        bench.run_until(lambda: supervised.drawn_w > 10_000, 90, "all at their top")
        yield bench, supervised


def test_a_limit_is_kept_and_given_back(site):
    bench, supervised = site
    supervised.limit(5_000)
    down_s = bench.run_until(lambda: supervised.drawn_w < 5_000, 10, "below the limit")
    bench.run(20)
    over = []
    bench.every(0.5, lambda: over.append(supervised.drawn_w))
    bench.run(60)
    print(f"down in {down_s:.2f} s; then {min(over):.0f} to {max(over):.0f} W of 5000")
    assert max(over) < 5_000 * 1.01 and min(over) > 4_700
    supervised.limit(20_000)
    bench.run_until(lambda: supervised.drawn_w > 10_000, 60, "all at their top again")


def test_a_dead_supervisor_is_a_site_asleep_and_its_successor_goes_on(site):
    bench, supervised = site
    term = supervised.site.term
    supervised.kill()
    asleep_s = bench.run_until(lambda: supervised.drawn_w < 500, 8, "asleep")
    assert asleep_s > 3.5
    supervised.start()
    assert supervised.site.term > term
    bench.run_until(lambda: supervised.drawn_w > 10_000, 90, "all at their top again")
