"""What the site tells the grid: the same numbers for every protocol, and none that are old."""

import msgspec
import pytest
from test_people import Seen

from supervisor.grid.told import Board, told_of, view
from supervisor.grid.told_mqtt import ToldMqtt, teller_of
from supervisor.sections.signal import MqttConfig, SignalConfig
from supervisor.view import ToldView
from tests.supervisor.test_sunspec import MW, Shown, told


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    yield made
    made.world.site.ledger.close()


def test_a_program_is_told_what_the_beat_knows(seen):
    metered_w = seen.world.admitted_w + 40
    seen.world.inbox.put_meter(metered_w, seen.world.now_s + 1)
    seen.tick()
    shown = seen.people.told()
    assert (shown.limit_w, shown.metered_w, shown.quality) == (7_000, metered_w, "ok")
    assert shown.deviation_w == metered_w - shown.asked_w
    assert shown.within_s == (5, 60, 600) and len(shown.down_w) == 3 and shown.rigs == 4
    seen.tick(7)
    stale = seen.people.told()
    assert (stale.metered_w, stale.quality, stale.deviation_w) == (None, "stale", None)


def test_before_the_first_beat_there_is_nothing_to_tell(tmp_path):
    from tests.scenarios.world import World

    world = World(tmp_path, [], 7_000)
    assert told_of(world.site, 0.0) is None
    board = Board(world.site)
    board.look(0.0)
    assert board.told is None
    world.site.ledger.close()


def test_a_deviation_is_more_than_three_per_cent_of_capacity():
    assert view(told(metered_w=57 * MW)).deviates is False
    assert view(told(metered_w=56 * MW)).deviates is True


class Link:
    def __init__(self):
        self.sent = []

    def publish(self, topic, payload, retain=False):
        self.sent.append((topic, payload, retain))
        return True


def test_over_mqtt_it_goes_to_every_broker_and_keeps_for_who_connects():
    board, links = Shown(), [Link(), Link()]
    teller = ToldMqtt(board, "grid/told", links)
    teller.tell()
    assert links[0].sent == []
    board.told = told()
    teller.tell()
    for link in links:
        ((topic, payload, retain),) = link.sent
        assert (topic, retain) == ("grid/told", True)
        assert msgspec.json.decode(payload, type=ToldView) == view(told())


def test_it_tells_where_it_listens():
    def links(**keys):
        signal = SignalConfig(mqtt=MqttConfig(topic="t", **keys))
        config = msgspec.defstruct("C", [("signal", SignalConfig)])(signal)
        teller = teller_of(config, Shown(), "site", ["own"])
        return teller and teller._links

    assert links() is None
    assert links(told_topic="x") == ["site", "own"]
    assert links(told_topic="x", host="there") == ["own"]
