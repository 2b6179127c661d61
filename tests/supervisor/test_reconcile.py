"""Who is taken from the count when nobody could be told anything."""

from protocols import topics
from tests.scenarios.world import SITE, UNIX_S
from tests.supervisor import small
from tests.supervisor.alone import Alone, joined


def deaf_tick(alone):
    """A second in which nothing goes out."""
    alone.now_s += 1.0
    return alone.site.tick(alone.now_s, UNIX_S + alone.now_s, lambda topic, payload: False)


def test_a_site_that_could_say_nothing_for_a_lease_counts_nobody_it_does_not_hear(tmp_path):
    alone = Alone(tmp_path)
    joined(alone)
    alone.tick()
    assert any(topic == topics.budget(SITE) for topic, _ in alone.said)
    counted = alone.site.fleet.counted
    for _ in range(12):
        deaf_tick(alone)
        assert counted.all(), "they may be on lease"
    alone.inbox.put_rig("r1", "state", small.state())  # by another way: it may be running
    deaf_tick(alone)
    assert [bool(one) for one in counted] == [False, True]
    alone.tick()
    assert counted[1] and not counted[0]
    alone.site.ledger.close()
