import asyncio
import json
import math
import time

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.broker import Broker
from supervisor.config import load
from supervisor.envelope import FOREVER
from supervisor.inbox import Inbox
from supervisor.link import Link
from supervisor.sources.signal_mqtt import (
    AHEAD_MAX_S,
    Heard,
    MqttSignal,
    Rules,
    SignalError,
    decode,
    signal_of,
)

NOW = 1_800_000_000.0
NOTHING = Heard()
RULES = Rules(limit_w=100_000_001, silence_s=240.0, default_w=5)


def take(text, heard=NOTHING, now_s=NOW):
    payload = text if isinstance(text, bytes) else json.dumps(text).encode()
    return decode(payload, heard, now_s, RULES)


def refusal(text, heard=NOTHING):
    with pytest.raises(SignalError) as error:
        take(text, heard)
    return str(error.value)


def test_a_target_is_percent_of_the_site_until_silence():
    entry, heard = take({"target": 40, "timestamp": NOW - 30})
    assert heard == Heard(NOW - 30, 40.0)
    assert (entry.source, entry.because) == ("mqtt", "target 40 %")
    said = [entry.limit_w(NOW + t) for t in (0, 209.9, 210)]
    assert said == [40_000_000, 40_000_000, 5], "trust runs from the timestamp"


@pytest.mark.parametrize(
    "target, w", [(0, 0), (100, 100_000_001), (100.0, 100_000_001), (33.3, 33_300_000)]
)
def test_targets_are_rounded_down(target, w):
    assert take({"target": target, "timestamp": NOW})[0].limit_w(NOW) == w


def test_a_clock_ahead_of_ours_is_trusted_no_longer():
    entry, _ = take({"target": 40, "timestamp": NOW + 100})
    assert entry.limit_w(NOW) == 40_000_000 and entry.limit_w(NOW + 240) == 5


def test_the_same_again_is_a_heartbeat_and_an_older_one_is_refused():
    _, heard = take({"target": 40, "timestamp": NOW - 30})
    assert take({"target": 40, "timestamp": NOW - 30}, heard)[1] == heard
    assert take({"target": 0, "timestamp": NOW}, heard)[1] == Heard(NOW, 0.0)
    assert refusal({"target": 50, "timestamp": NOW - 30}, heard).startswith("timestamp is the last")
    older = refusal({"target": 100, "timestamp": NOW - 31}, heard)
    assert older == "timestamp is 1 s before the last one"


def test_a_target_too_old_or_too_far_ahead():
    assert "240 s old; at most 240 s" in refusal({"target": 1, "timestamp": NOW - 240})
    assert "240 s ahead; at most 240 s" in refusal({"target": 1, "timestamp": NOW + 240})
    assert "ahead" in refusal({"target": 1, "timestamp": NOW * 1000})
    take({"target": 1, "timestamp": NOW - 239.9})


def test_megawatts_hold_until_their_end():
    entry, heard = take({"mw": 12.5, "valid_until": NOW + 60, "seq": 7})
    assert heard == Heard(seq=7)
    assert [entry.limit_w(NOW + t) for t in (0, 59.9, 60)] == [12_500_000, 12_500_000, 5]
    assert (entry.seq, entry.silent_from_s, entry.because) == (7, FOREVER, "12.5 MW, number 7")


def test_numbers_must_rise():
    _, heard = take({"mw": 1, "valid_until": NOW + 60, "seq": 7})
    for seq in (7, 6, 0):
        again = refusal({"mw": 2, "valid_until": NOW + 60, "seq": seq}, heard)
        assert again == f"seq is {seq}, not above the last one, 7; count on from there"
    assert take({"mw": 2, "valid_until": NOW + 60, "seq": 8}, heard)[1].seq == 8


def test_the_end_must_be_ahead_and_near():
    assert "has passed 0 s ago" in refusal({"mw": 1, "valid_until": NOW, "seq": 1})
    late = refusal({"mw": 1, "valid_until": NOW + AHEAD_MAX_S + 1, "seq": 1})
    assert late == "valid_until is over a week ahead; it is in Unix seconds"
    take({"mw": 1, "valid_until": NOW + AHEAD_MAX_S, "seq": 1})


REFUSED = {
    b"": "the message is not JSON",
    b"{": "the message is not JSON",
    b"\xff": "the message is not JSON",
    b'{"target":NaN,"timestamp":1}': "the message is not JSON",
    b'{"target":1e999,"timestamp":1}': "the message is not JSON",
    b"[" * 1000: "the message is not JSON",
    b" " * 1025: "the message has 1025 bytes; the most is 1024",
    b"[]": "the message is not an object in braces",
    b"40": "the message is not an object in braces",
    b"{}": "target is missing; a message has target and timestamp",
    b'{"target":1}': "timestamp is missing; a message has target and timestamp",
    b'{"mw":1,"seq":1}': "valid_until is missing; a message has mw and seq and valid_until",
    b'{"target":1,"timestamp":1,"x":1}': '"x" is not known; a message has target and timestamp',
    b'{"target":1,"timestamp":1,"mw":1}': "seq is missing; a message has mw",
    b'{"target":true,"timestamp":1}': "target is true, not a number",
    b'{"target":"1","timestamp":1}': 'target is "1", not a number',
    b'{"target":null,"timestamp":1}': "target is null, not a number",
    b'{"target":-1,"timestamp":1}': "target is -1; it must be 0 to 100",
    b'{"target":101,"timestamp":1}': "target is 101; it must be 0 to 100",
    b'{"target":1,"timestamp":true}': "timestamp is true, not a number",
    b'{"mw":-0.1,"valid_until":1,"seq":1}': "mw is -0.1; it must be 0 to 10000",
    b'{"mw":10001,"valid_until":1,"seq":1}': "mw is 10001; it must be 0 to 10000",
    b'{"mw":true,"valid_until":1,"seq":1}': "mw is true, not a number",
    b'{"mw":1,"valid_until":1,"seq":1.0}': "seq is 1.0; it must be a whole number",
    b'{"mw":1,"valid_until":1,"seq":true}': "seq is true; it must be a whole number",
    b'{"mw":1,"valid_until":1,"seq":-1}': "seq is -1; it must be a whole number",
    b'{"mw":1,"valid_until":1,"seq":99999999999999999999}': "seq is 99999999999999999999; it",
    b'{"mw":1,"valid_until":"x","seq":1}': 'valid_until is "x", not a number',
}


@pytest.mark.parametrize("payload", REFUSED, ids=REFUSED.values())
def test_what_is_refused_and_why(payload):
    assert refusal(payload).startswith(REFUSED[payload])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
keys = st.sampled_from(["target", "timestamp", "mw", "valid_until", "seq", "x"])
near = st.floats(NOW - 500, NOW + 500) | st.integers(0, 200) | anything
payloads = st.binary(max_size=60) | st.dictionaries(keys, near).map(
    lambda values: json.dumps(values).encode()
)


@given(payloads, st.builds(Heard, st.floats(NOW - 500, NOW), st.floats(0, 100), st.integers(0, 50)))
def test_any_bytes_are_an_entry_within_the_limits_or_a_signal_error(payload, heard):
    try:
        entry, after = decode(payload, heard, NOW, RULES)
    except SignalError:
        return
    w = entry.limit_w(NOW)
    assert type(w) is int and 0 <= w <= 10_000_000_000
    assert min(entry.until_s, entry.silent_from_s) <= NOW + AHEAD_MAX_S
    assert after.timestamp_s >= heard.timestamp_s and after.seq >= heard.seq


@given(st.lists(st.tuples(st.floats(NOW - 200, NOW), st.integers(0, 100)), max_size=8))
def test_whatever_comes_again_the_newest_target_stands(messages):
    heard, taken = Heard(), []
    for stamp_s, target in messages:
        try:
            _, heard = take({"target": target, "timestamp": stamp_s}, heard)
            taken.append(stamp_s)
        except SignalError:
            pass
    assert taken == sorted(taken)
    assert heard.timestamp_s == max((m[0] for m in messages), default=-math.inf)


def test_a_refused_message_changes_nothing():
    inbox = Inbox()
    link = Link(inbox, "ridge", "127.0.0.1", 1)
    signal = MqttSignal(inbox, link, "grid/target", RULES, clock=lambda: NOW)
    signal.hear(b'{"target":40,"timestamp":1800000000}')
    entry = inbox.entries["mqtt"]
    inbox.take_news()
    inbox.wake.clear()
    signal.hear(b'{"target":90,"timestamp":1799999999}')
    assert inbox.entries == {"mqtt": entry} and not inbox.wake.is_set()
    (refused,) = inbox.take_refusals()
    assert refused.source == "mqtt" and "before the last one" in refused.because
    assert inbox.take_news() == [] and (signal.taken, signal.refused) == (1, 1)


SITE = '[site]\nname = "ridge"\nlimit_mw = 100\n[signal.mqtt]\ntopic = "grid/target"\n'


@pytest.mark.asyncio
@pytest.mark.real_time
@pytest.mark.parametrize("own", [False, True], ids=["the site's broker", "a broker of its own"])
async def test_a_target_published_by_somebody_else_arrives(tmp_path, until, own):
    broker, inbox = Broker(tmp_path), Inbox()
    port = await broker.start()
    where = f'host = "127.0.0.1"\nport = {port}\n' if own else ""
    (tmp_path / "site.toml").write_text(SITE + where)
    link = Link(inbox, "ridge", "127.0.0.1", port)
    others = signal_of(load(tmp_path / "site.toml"), inbox, link)
    assert len(others) == own
    runs = [asyncio.create_task(each.run()) for each in (link, *others)]
    await asyncio.wait_for((others or [link])[0].until_connected(), 5)
    async with aiomqtt.Client("127.0.0.1", port) as grid:
        message = {"target": 25, "timestamp": int(time.time())}
        await grid.publish("grid/target", json.dumps(message))
        await until(lambda: inbox.entries)
    assert inbox.entries["mqtt"].limit_w(time.time()) == 25_000_000
    for run in runs:
        run.cancel()
    await asyncio.wait(runs)
    await broker.stop()


class Ears:
    """Stands in for a link: what was asked to be heard, said at will."""

    def __init__(self):
        self.says = None

    def listen(self, topic, hear):
        self.says = lambda **message: hear(json.dumps(message).encode())


def test_of_two_brokers_the_fresher_word_holds_whichever_it_came_by():
    inbox, one, two = Inbox(), Ears(), Ears()
    MqttSignal(inbox, one, "grid/target", RULES, two, clock=lambda: NOW)

    def mw():
        return inbox.entries["mqtt"].limit_w(NOW) / 1e6

    one.says(mw=5, valid_until=NOW + 600, seq=7)
    two.says(mw=5, valid_until=NOW + 600, seq=7)  # the same again, by the other
    assert mw() == 5 and len(inbox.take_refusals()) == 1
    two.says(mw=3, valid_until=NOW + 600, seq=8)
    assert mw() == 3
    one.says(mw=9, valid_until=NOW + 600, seq=6)  # a broker that lives in the past
    assert mw() == 3 and "not above the last one" in inbox.take_refusals()[0].because
    one.says(mw=9, valid_until=NOW + 600, seq=9)
    assert mw() == 9
