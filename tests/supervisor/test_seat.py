"""Two seats on a broker of a few lines, in virtual time: what the follower holds when it leads."""

import asyncio
from types import SimpleNamespace

import async_solipsism
import pytest

from protocols import mac, messages, topics
from supervisor import memory
from supervisor import seat as seats
from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.ledger import Ledger
from supervisor.seat import Deposed, Seat
from supervisor.sections.broker import BrokerConfig
from supervisor.sections.site import SiteConfig
from supervisor.sections.standby import StandbyConfig
from supervisor.tokens import Tokens

KEY, SITE = bytes(range(32)), "pair"
LADDERS = (7, b"dealt" * 20_000)
WISH = Entry("operator", ((1.0, 5),), 900.0, 1.0, because="a test")


class Bus:
    """Everybody connected hears everything; lose: how many of a leader's messages are dropped."""

    def __init__(self):
        self.links, self.lose, self.heard = [], 0, []

    def link(self):
        self.links.append(Wire(self))
        return self.links[-1]


class Wire:
    def __init__(self, bus):
        self._bus, self._hears, self.connected = bus, {}, True

    def listen(self, topic, hear):
        self._hears[topic] = hear

    def publish(self, topic, payload):
        if not self.connected:
            return False
        self._bus.heard.append(topic)
        for link in self._bus.links:
            if link is not self and self._bus.lose and topic != topics.standby(SITE, "ask"):
                self._bus.lose -= 1
            elif link.connected and topic in link._hears:
                link._hears[topic](payload)
        return True


class Supervisor:
    """A seat with its ledger, and a beat of ours."""

    def __init__(self, folder, bus, rank):
        broker = BrokerConfig(kind="external", port=1883)
        config = Config(
            site=SiteConfig(name=SITE, limit_mw=1.0),
            broker=broker,
            standby=StandbyConfig(rank=rank),
        )
        self.ledger = Ledger(folder / f"ledger-{rank}.db")
        self.link = bus.link()
        self.tokens = Tokens(folder / f"tokens-{rank}.json", f"of machine {rank}")
        self.seat, self.seq = Seat(config, self.ledger, KEY, self.link, self.tokens), 0

    async def lead(self):
        """Take the seat, and beat until it is lost."""
        await self.seat.until_ours()
        self.take_term()
        beat = asyncio.create_task(self.beat())
        try:
            await self.seat.until_lost(self.take_term)
        finally:
            beat.cancel()

    def take_term(self):
        """As the site does: the next after the last on record."""
        self.term, self.seq = self.ledger.last("term").body["term"] + 1, 0
        self.ledger.write("term", {"term": self.term})
        self.ledger.commit()

    async def beat(self):
        publish = self.seat.guard(self.link.publish)
        while True:
            self.seq += 1
            self.ledger.write("decision", {"term": self.term, "seq": self.seq, "admit_w": 9})
            self.ledger.commit()
            topic = topics.budget(SITE)
            values = {**dict.fromkeys(messages.BUDGET, 1), "ttl_ms": 10_000}
            body = messages.encode("budget", values | {"term": self.term, "seq": self.seq})
            publish(topic, mac.seal(mac.budget_key(KEY), topic, body))
            await asyncio.sleep(1.0)

    def rows(self, kind):
        return [row.body for row in self.ledger.newest(3, kind)]


@pytest.fixture
def play(tmp_path, monkeypatch):
    """play(story): story(bus, a, b) in virtual time; a leads, b has followed for a while."""
    opened = []

    def run(story, before=lambda a, b: None):
        async def main():
            loop = asyncio.get_running_loop()
            clock = SimpleNamespace(monotonic=loop.time, time=lambda: 1.8e9 + loop.time())
            monkeypatch.setattr(seats, "time", clock)
            bus = Bus()
            a, b = (Supervisor(tmp_path, bus, rank) for rank in (0, 1))
            opened.extend((a, b))
            a.ledger.write("signal", memory.entry_body(WISH), WISH.source, WISH.because)
            a.ledger.put_ladders(*LADDERS)
            a.ledger.commit()
            before(a, b)
            leading = asyncio.create_task(a.lead())
            await asyncio.sleep(3.5)
            following = asyncio.create_task(b.lead())
            await asyncio.sleep(5.0)
            try:
                await story(bus, a, b, leading)
            finally:
                for task in (leading, following):
                    task.cancel()
                await asyncio.gather(leading, following, return_exceptions=True)

        loop = async_solipsism.EventLoop()
        try:
            loop.run_until_complete(main())
        finally:
            loop.close()

    yield run
    for one in opened:
        one.ledger.close()


def test_the_follower_holds_what_the_leader_holds(play):
    async def story(bus, a, b, leading):
        assert b.seat.current and b.ledger.ladders() == LADDERS
        assert memory.standing_entries(b.ledger) == {"operator": WISH}
        assert b.rows("decision") == a.rows("decision")
        a.ledger.put_ladders(8, b"anew")
        await asyncio.sleep(3.0)
        assert b.ledger.ladders() == (8, b"anew"), "ladders dealt later come when asked for"
        assert b.seat.current and b.rows("decision") == a.rows("decision")

    play(story)


def test_it_takes_over_with_all_of_it_and_the_old_leader_stops(play):
    async def story(bus, a, b, leading):
        loop = asyncio.get_running_loop()
        a.link.connected, cut_s, term = False, loop.time(), a.term
        while not hasattr(b, "term"):
            await asyncio.sleep(0.05)
        assert loop.time() - cut_s < 5.0
        assert b.term > term and b.term % 2 == 1 and term % 2 == 0
        assert b.ledger.ladders() == LADDERS and "operator" in memory.standing_entries(b.ledger)
        said = len(bus.heard)
        assert not a.seat.guard(lambda *_: True)("x", b""), "it does not hear itself"
        assert a.seat.standby.unopposed, "and does not know that it is followed"
        a.link.connected = True
        with pytest.raises(Deposed, match=str(b.term)):
            await leading
        assert a.rows("decision")[-1]["seq"] > 1 and len(bus.heard) > said

    play(story)


def test_what_was_missed_is_asked_for_again(play):
    async def story(bus, a, b, leading):
        bus.lose = 1
        await asyncio.sleep(1.0)
        assert bus.lose == 0
        await asyncio.sleep(2.5)
        assert b.seat.current and b.rows("decision")[-1] == a.rows("decision")[-1]

    play(story)


def test_a_follower_that_lacks_something_when_it_takes_over_deals_anew(play):
    async def story(bus, a, b, leading):
        a.seat._answer = lambda nonce: None  # answers are lost from now on
        bus.lose = 1
        await asyncio.sleep(2.0)
        assert not b.seat.current
        a.link.connected = False
        while not hasattr(b, "term"):
            await asyncio.sleep(0.05)
        assert b.ledger.ladders() is None and b.term > a.term

    play(story)


def test_a_word_taken_back_while_it_was_away_stands_no_longer(play):
    """Its own ledger has a limit from long ago that the leader knows nothing of."""

    def before(a, b):
        old = Entry("grid", ((1.0, 9_000_000),), 1e12, 1.0)
        b.ledger.write("signal", memory.entry_body(old), "grid", "")
        b.ledger.commit()

    async def story(bus, a, b, leading):
        assert set(memory.standing_entries(b.ledger)) == {"operator"}

    play(story, before)


def test_questions_in_a_flood_are_answered_once_a_second(play):
    async def story(bus, a, b, leading):
        before = bus.heard.count(topics.standby(SITE, "news"))
        for _ in range(50):
            b.seat._listener.whole = False
            b.seat._say_here()
        await asyncio.sleep(0.5)
        assert bus.heard.count(topics.standby(SITE, "news")) - before < 8

    play(story)


def test_budgets_without_news_are_noticed_too(play):
    """Not a gap in the news, but none at all: what was dealt meanwhile is not known here."""

    async def story(bus, a, b, leading):
        del b.link._hears[topics.standby(SITE, "news")]
        await asyncio.sleep(8.0)
        assert not b.seat.current
        a.link.connected = False
        while not hasattr(b, "term"):
            await asyncio.sleep(0.05)
        assert b.ledger.ladders() is None

    play(story)


def test_who_takes_the_seat_says_so_before_its_first_beat(play):
    async def story(bus, a, b, leading):
        assert a.seat.guard(lambda *_: True)("x", b"")
        b.seat._claim()
        assert not a.seat.standby.unopposed and not a.seat.guard(lambda *_: True)("x", b"")
        assert not b.seat.leads(), "another one may have said so in the same moment"
        await asyncio.sleep(0.4)
        assert b.seat.leads()

    play(story)


async def cut(seconds, *links):
    for link in links:
        link.connected = False
    await asyncio.sleep(seconds)
    for link in links:
        link.connected = True


def test_a_leader_whose_broker_was_away_for_a_moment_goes_on_as_if_nothing_was(play):
    async def story(bus, a, b, leading):
        term = a.term
        await cut(1.1, a.link, b.link)
        await asyncio.sleep(0.2)
        assert a.seat.leads()
        await asyncio.sleep(3.0)
        assert a.term == term and a.seat.leads() and not b.seat.leads() and not leading.done()
        assert b.seat.current and b.rows("decision") == a.rows("decision"), "it asked for the rest"

    play(story)


def test_a_leader_whose_broker_was_away_leads_again_with_a_new_term_and_all_it_had(play):
    """Nobody has led meanwhile: nothing is begun anew, but the term."""

    async def story(bus, a, b, leading):
        term = a.term
        await cut(4.0, a.link, b.link)
        assert not a.seat.leads() and a.seat.standby.unopposed
        await asyncio.sleep(3.4)
        assert not leading.done() and a.seat.leads() and a.term > term
        assert a.ledger.ladders() == LADDERS and memory.standing_entries(a.ledger)
        await asyncio.sleep(3.0)
        assert b.seat.current and b.rows("decision") == a.rows("decision")
        assert b.ledger.ladders() == LADDERS

    play(story)


def test_a_leader_knows_whether_somebody_could_take_over(play):
    async def story(bus, a, b, leading):
        assert a.seat.unready_s() < 2.0
        del b.link._hears[topics.standby(SITE, "news")]
        await asyncio.sleep(20.0)
        assert a.seat.unready_s() > 10.0, "it is there and lacks what was put on record since"
        b.link.connected = False
        await asyncio.sleep(20.0)
        assert a.seat.unready_s() > 30.0

    play(story)


def test_what_a_follower_said_long_ago_does_not_count(play):
    async def story(bus, a, b, leading):
        kept = []
        publish, b.link.publish = b.link.publish, lambda topic, payload: kept.append(payload)
        await asyncio.sleep(1.5)
        await asyncio.sleep(40.0)
        b.link.publish = publish
        publish(topics.standby(SITE, "ask"), kept[0])
        assert a.seat.unready_s() > 40.0

    play(story)


def test_tokens_open_at_the_other_supervisor_too(play):
    """Those made before it came, those made since, and not those revoked while it was away."""

    def before(a, b):
        a.old, b.gone = a.tokens.add("old", "viewer", 1), b.tokens.add("gone", "viewer", 1)

    async def story(bus, a, b, leading):
        new = a.tokens.add("new", "operator", 1)
        assert b.tokens.caller(a.old) and b.tokens.caller(new) and not b.tokens.caller(b.gone)
        await cut(1.0, b.link)
        b.link.connected = False
        a.tokens.revoke("old")
        b.link.connected = True
        await asyncio.sleep(3.0)
        assert b.tokens.all() == a.tokens.all() and not b.tokens.caller(a.old)
        assert b.seat.current

    play(story, before)


def test_what_people_see_of_the_two(play):
    async def story(bus, a, b, leading):
        ours, theirs = a.seat.view(now := asyncio.get_running_loop().time()), b.seat.view(now)
        assert (ours.leads, theirs.leads) == (True, False) and ours.term == theirs.term == a.term
        assert ours.ready and theirs.ready and theirs.heard_s <= 1.1 and theirs.rank == 1
        b.link.connected = False
        await asyncio.sleep(8.0)
        now = asyncio.get_running_loop().time()
        assert not a.seat.view(now).ready and not b.seat.view(now).connected
        assert b.seat.view(now).heard_s > 7.0

    play(story)


def test_a_claim_that_nobody_hears_is_no_claim(play):
    async def story(bus, a, b, leading):
        said, news = b.link.publish, topics.standby(SITE, "news")
        b.link.publish = lambda topic, payload: topic == news or said(topic, payload)
        a.link.connected = False
        await asyncio.sleep(4.5)
        assert b.seat.standby.unopposed and not b.seat.leads(), "it may be cut off itself"
        b.link.publish = said
        await asyncio.sleep(4.0)
        assert b.seat.leads(), "it claims the site again"

    play(story)
