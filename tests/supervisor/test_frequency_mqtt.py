"""The grid's frequency over MQTT: one shape, with the time it was measured."""

import pytest

from supervisor.inbox import Inbox, Sample
from supervisor.sources.frequency_mqtt import FrequencyError, MqttFrequency, decode

NOW_S = 1_800_000_000.0


def said(hz=49.9, timestamp=NOW_S):
    return b'{"hz": %r, "timestamp": %r}' % (hz, timestamp)


def test_a_sample_has_its_age():
    assert decode(said(timestamp=NOW_S - 2), NOW_S, 5.0) == (49.9, 2.0)
    assert decode(said(timestamp=NOW_S + 1), NOW_S, 5.0) == (49.9, 0.0)


@pytest.mark.parametrize(
    "payload, word",
    [
        (b"49.9", "object"),
        (b"", "hz"),
        (b"\xff\xfe", "hz"),
        (b'{"hz": 49.9}', "timestamp"),
        (b'{"hz": "x", "timestamp": 1}', "hz"),
        (b'{"hz": 49.9, "timestamp": 1, "mw": 3}', "mw"),
        (said(hz=39.9), "40 to 70"),
        (said(timestamp=NOW_S - 6), "6 s old"),
        (said(timestamp=NOW_S + 60), "60 s ahead"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(payload, word):
    with pytest.raises(FrequencyError, match=word):
        decode(payload, NOW_S, 5.0)


class Ears:
    def listen(self, topic, hear):
        self.topic, self.hear = topic, hear


def test_it_writes_to_the_inbox_or_says_why_not():
    inbox, ears = Inbox(), Ears()
    MqttFrequency(inbox, ears, "grid/hz", 5.0, clock=lambda: NOW_S, monotonic=lambda: 70.0)
    ears.hear(said(timestamp=NOW_S - 1))
    assert ears.topic == "grid/hz" and inbox.frequency == Sample(49.9, 69.0)
    ears.hear(b"{}")
    assert [refusal.source for refusal in inbox.take_refusals()] == ["frequency"]
    assert inbox.frequency == Sample(49.9, 69.0)
