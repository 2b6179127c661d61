"""The newest of everything, until a tick takes it."""

from dataclasses import replace

import pytest

from supervisor import inbox as inboxes
from supervisor.envelope import Entry
from supervisor.inbox import Inbox, Meter, Reading, Refusal, Sample
from supervisor.loss import Loss


def test_a_signal_wakes_and_replaces_what_its_source_said_before():
    inbox = Inbox()
    first, other, second = (Entry(s, ((0.0, w),)) for s, w in (("a", 1), ("b", 2), ("a", 3)))
    inbox.put_signal(first)
    assert inbox.wake.is_set()
    inbox.put_signal(other)
    inbox.put_signal(second)
    assert inbox.entries == {"a": second, "b": other}
    assert inbox.take_news() == [first, other, second], "the ledger hears of every word"
    assert inbox.take_news() == []


@pytest.mark.parametrize(
    ("again", "news"),
    [
        ({"heard_s": 9.0}, False),
        ({"heard_s": 9.0, "schedule": ((0.0, 2),)}, True),
        ({"heard_s": 9.0, "until_s": 60.0}, True),
        ({"heard_s": 9.0, "kind": "emergency"}, True),
        ({"heard_s": 9.0, "default_w": 5}, True),
        ({"heard_s": 9.0, "loss": Loss(after_s=60.0)}, True),
    ],
    ids=["heard again", "other watts", "another end", "an emergency", "a default", "a loss"],
)
def test_a_word_said_again_is_heard_but_is_no_news(again, news):
    inbox = Inbox()
    first = Entry("a", ((0.0, 1),), heard_s=1.0)
    inbox.renew(first)
    assert inbox.take_news() == [first], "what was never said before is news"
    inbox.wake.clear()
    second = replace(first, **again)
    inbox.renew(second)
    assert inbox.entries == {"a": second}
    assert (inbox.take_news() == [second], inbox.wake.is_set()) == (news, news)


def test_withdrawing_tells_whether_there_was_something():
    inbox = Inbox()
    inbox.put_signal(Entry("a", ()))
    inbox.wake.clear()
    assert inbox.withdraw("a") and inbox.wake.is_set()
    assert not inbox.withdraw("a")
    assert inbox.entries == {}


def test_rig_messages_keep_their_order_and_are_taken_once():
    inbox = Inbox()
    inbox.put_rig("r1", "hello", b"1")
    inbox.put_rig("r1", "state", b"2")
    assert inbox.take_rigs() == [("r1", "hello", b"1"), ("r1", "state", b"2")]
    assert inbox.take_rigs() == []
    assert not inbox.wake.is_set(), "telemetry waits for the beat"


def test_a_flood_loses_the_oldest_and_counts_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inboxes, "BACKLOG_MAX", 10)
    inbox = Inbox()
    for number in range(11):
        inbox.put_rig(f"r{number}", "state", b"")
    assert [rig for rig, _, _ in inbox.take_rigs()] == [f"r{n}" for n in range(5, 11)]
    assert inbox.lost == 5


def test_refusals_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inboxes, "REFUSALS_MAX", 2)
    inbox = Inbox()
    for number in range(3):
        inbox.refuse("mqtt", f"reason {number}")
    assert inbox.take_refusals() == [Refusal("mqtt", "reason 0"), Refusal("mqtt", "reason 1")]
    assert inbox.take_refusals() == []


def test_the_meter_is_the_last_reading():
    inbox = Inbox()
    assert inbox.meter is None
    inbox.put_meter(5, 1.0)
    inbox.put_meter(6, 2.0)
    assert inbox.meter == Meter(6, 2.0)


def test_the_newest_reading_of_every_meter_is_kept_and_the_sites_own_closes_the_loop():
    inbox = Inbox()
    inbox.put_reading(Reading("feeder-1", 400, 1.0))
    assert inbox.meter is None
    inbox.put_reading(Reading("site", 900, 1.0))
    inbox.put_reading(Reading("site", 950, 2.0))
    assert inbox.meter == Meter(950, 2.0)
    assert {name: reading.w for name, reading in inbox.readings.items()} == {
        "feeder-1": 400,
        "site": 950,
    }


def test_a_frequency_in_the_quiet_wakes_nobody():
    inbox = Inbox()
    inbox.put_frequency(49.0, 1.0)
    assert not inbox.wake.is_set(), "nobody has said what is quiet"
    inbox.quiet_hz = (49.9, 50.1)
    inbox.put_frequency(49.9, 2.0)
    assert not inbox.wake.is_set()
    inbox.put_frequency(49.89, 3.0)
    assert inbox.wake.is_set() and inbox.frequency == Sample(49.89, 3.0)
