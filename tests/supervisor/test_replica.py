"""What a leader tells: it comes out whole, or not at all, and only from a leader."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import topics
from supervisor import replica
from supervisor.ledger import Draft
from supervisor.replica import PART, Here, Listener, News, ReplicaError, Teller, key_of

KEY, TOPIC = key_of(bytes(32)), topics.standby("tiny", "news")
ROW = Draft("decision", "dispatch", "evening peak", {"seq": 7, "admit_w": 12_000})
LADDERS = (3, random.Random(1).randbytes(3 * PART))


def news(seq=7, **more):
    return News(term=5, seq=seq, ladders_id="x", rows=[ROW], **more)


def hear(listener, frames):
    return [found for frame in frames if (found := listener.hear(frame)) is not None]


def test_news_come_out_as_they_went_in():
    teller, listener = Teller(KEY, TOPIC, 5), Listener(KEY, TOPIC)
    small, large = news(), news(8, answer="n", ladders=LADDERS)
    parts = teller.tell(small, 1.0), teller.tell(large, 1.0)
    assert len(parts[0]) == 1 and len(parts[1]) > 2
    assert all(len(part) < 65_536 for part in parts[1])
    assert hear(listener, parts[0] + parts[1]) == [small, large]
    assert listener.term == 5


@pytest.mark.parametrize("lost", range(5))
def test_news_with_a_part_missing_are_none_and_it_is_noticed(lost):
    teller, listener = Teller(KEY, TOPIC, 5), Listener(KEY, TOPIC)
    hear(listener, teller.tell(news(), 1.0))
    listener.whole = True
    frames = [*teller.tell(news(8, ladders=LADDERS), 1.0), *teller.tell(news(9), 1.0)]
    del frames[lost % len(frames)]
    heard = []
    for frame in frames:
        try:
            heard += hear(listener, [frame])
        except ReplicaError:
            pass
    assert [one.seq for one in heard] in ([9], [8])
    complete = heard[-1].seq == 8  # only the very last is missing, and that shows with the next
    assert listener.whole == complete


def test_a_part_after_a_missing_one_is_refused_at_once():
    first, _, third, *_ = Teller(KEY, TOPIC, 5).tell(news(8, ladders=LADDERS), 1.0)
    listener = Listener(KEY, TOPIC)
    listener.hear(first)
    with pytest.raises(ReplicaError, match="missing"):
        listener.hear(third)


def test_a_gap_is_noticed_and_a_new_term_too():
    teller, listener = Teller(KEY, TOPIC, 5), Listener(KEY, TOPIC)
    hear(listener, teller.tell(news(), 1.0))
    listener.whole = True
    hear(listener, teller.tell(news(), 1.0))
    assert listener.whole
    teller.tell(news(), 1.0)
    hear(listener, teller.tell(news(), 1.0))
    assert not listener.whole
    listener.whole = True
    hear(listener, Teller(KEY, TOPIC, 6).tell(news(), 1.0))
    assert not listener.whole


def test_a_replay_and_a_strangers_word_are_refused():
    teller, listener = Teller(KEY, TOPIC, 5), Listener(KEY, TOPIC)
    first, second = teller.tell(news(), 1.0), teller.tell(news(), 1.0)
    hear(listener, first + second)
    forged = Teller(bytes(32), TOPIC, 9).tell(news(), 1.0)
    for frames in (first, second, forged):
        with pytest.raises(ReplicaError):
            hear(listener, frames)


def test_a_follower_says_how_it_is_and_what_it_asks():
    ask = topics.standby("tiny", "ask")
    said = Here(rank=1, at_s=1.8e9, ready=False, nonce="n1")
    payload = replica.seal(KEY, ask, said)
    assert replica.here(KEY, ask, payload) == said
    with pytest.raises(ReplicaError):
        replica.here(key_of(b"other"), ask, payload)


@given(st.binary(max_size=60))
def test_any_bytes_under_the_seal_are_refused(data):
    listener = Listener(KEY, TOPIC)
    frame = msgspec.json.encode({"term": 1, "number": 1, "part": 0, "parts": 1, "data": data.hex()})
    with pytest.raises(ReplicaError):
        listener.hear(replica.mac.seal(KEY, TOPIC, frame))
    with pytest.raises(ReplicaError):
        Listener(KEY, TOPIC).hear(data)


def test_what_is_not_told_is_noticed():
    teller, listener = Teller(KEY, TOPIC, 5), Listener(KEY, TOPIC)
    hear(listener, teller.tell(news(), 1.0))
    listener.whole = True
    hear(listener, teller.tell(news(), 2.0))
    assert listener.whole and listener.said_s == 2.0
    teller.skip()
    hear(listener, teller.tell(news(), 3.0))
    assert not listener.whole
