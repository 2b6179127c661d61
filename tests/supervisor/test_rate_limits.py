"""Buckets: so many at once, then so many a second."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor import limits
from supervisor.limits import Buckets, Limit


def test_a_burst_and_then_a_trickle():
    buckets = Buckets(Limit(per_s=2.0, burst=3.0))
    assert [buckets.wait_s("ann", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.wait_s("bob", 0.0) == 0.0
    assert buckets.wait_s("ann", 0.4) > 0 and buckets.wait_s("ann", 0.6) == 0.0
    assert [buckets.wait_s("ann", 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_the_burst_and_the_rate(gaps):
    buckets, now_s, taken = Buckets(Limit(per_s=2.0, burst=5.0)), 0.0, 0
    for gap_s in gaps:
        now_s += gap_s
        taken += buckets.wait_s("ann", now_s) == 0.0
        assert taken <= 5.0 + 2.0 * now_s + 1e-6


def test_it_remembers_only_so_many(monkeypatch):
    monkeypatch.setattr(limits, "NAMES_MAX", 10)
    buckets = Buckets(Limit(per_s=0.001, burst=1.0))
    for n in range(50):
        buckets.wait_s(f"n{n}", 0.0)
    assert len(buckets._left) == 10 and buckets.wait_s("n49", 0.0) > 0
