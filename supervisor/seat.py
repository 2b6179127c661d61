"""The leader's seat: listens, keeps a standby ready to go on, takes the seat, leaves it.

Decides nothing itself: who leads is supervisor/standby.py, what is told supervisor/replica.py.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from protocols import mac, messages, topics
from supervisor import keys, memory
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.ledger import Draft, Ledger
from supervisor.link import Link, link_of
from supervisor.replica import (
    LAG,
    Here,
    Listener,
    News,
    ReplicaError,
    Teller,
    here,
    id_of,
    key_of,
    seal,
)
from supervisor.standby import ECHO_S, Standby
from supervisor.tokens import Tokens
from supervisor.view import StandbyView

log = logging.getLogger(__name__)

LOOK_S = 0.1
HERE_S = 0.5  # how often who does not lead says how it is, and asks what it lacks
LATE_S = 5.0  # a follower not heard to be ready for so long is shown as none
FRESH_S = 30.0  # what it said is no older; clocks of the two hosts may differ by as much
ANSWER_S = 1.0  # between answers: asking is cheaper than answering

Publish = Callable[[str, bytes], bool]


class Deposed(Exception):
    """Somebody else leads this site now; the text says who."""


class Seat:
    """until_ours(), then lead with guard(publish) beside until_lost(); link.run() all the while."""

    def __init__(
        self, config: Config, ledger: Ledger, key: bytes, link: Link, tokens: Tokens
    ) -> None:
        assert config.standby is not None
        self._tokens, tokens.on_change = tokens, self._tell_tokens
        self._site = site = config.site.name
        self.link, self._ledger, self._budget_key = link, ledger, mac.budget_key(key)
        self._news_topic, self._ask_topic = (
            topics.standby(site, "news"),
            topics.standby(site, "ask"),
        )
        self._budget_topic, self._key = topics.budget(site), key_of(key)
        last = ledger.last("term")
        self.standby = Standby(
            config.standby.rank,
            config.standby.silence_s,
            time.monotonic(),
            last.body["term"] if last else 0,
        )
        self._listener = Listener(self._key, self._news_topic)
        self._teller: Teller | None = None
        self._ladders_id, self._seq = "", 0  # as told: of the ladders we hold, of the last news
        self._nonce, self._here_s, self._answered_s = "", 0.0, 0.0
        self._ready_s = 0.0  # when the other was last heard to be ready
        self._was_connected = False
        link.listen(self._budget_topic, self._hear_budget)
        link.listen(self._news_topic, self._hear_news)
        link.listen(self._ask_topic, self._hear_here)

    # ---- following

    async def until_ours(self) -> None:
        """Follow whoever leads; returns when nobody does, with everything ready to lead."""
        log.info("listening for a leader")
        self._ledger.on_commit = None
        while not self._look():
            await asyncio.sleep(LOOK_S)
        self._ready_s = time.monotonic()  # the other is given some time
        self._claim()

    def _look(self) -> bool:
        """Whether it is time to claim the site.  A leader that is connected again says so at once:
        the sooner that comes back, the sooner it is sure to lead still."""
        now_s, connected = time.monotonic(), self.link.connected
        if connected and not self._was_connected:
            self._publish(self._news([]))
        self._was_connected = connected
        if connected and not self.leads() and now_s - self._here_s >= HERE_S:
            self._say_here()
        return self.standby.step(now_s, connected)

    @property
    def current(self) -> bool:
        """Whether the ledger here holds all that the leader's does and matters."""
        return self._listener.whole and self._seq >= self.standby.newest[1] - LAG

    def _say_here(self) -> None:
        ready, self._here_s = self.current, time.monotonic()
        asks = not ready and not self.standby.unopposed
        self._nonce = (self._nonce or secrets.token_hex(8)) if asks else ""  # until it is answered
        said = Here(rank=self.standby.rank, at_s=time.time(), ready=ready, nonce=self._nonce)
        self.link.publish(self._ask_topic, seal(self._key, self._ask_topic, said))

    def _claim(self) -> None:
        """Say that the site is ours; nothing else is said before that has come back."""
        heard = self.standby.newest[0]
        if heard and not self.current and not self.standby.unopposed:
            log.warning("what the leader of term %s knew is not all here: ladders anew", heard)
            self._ledger.forget_ladders()
        last = self._ledger.last("term")
        term = self.standby.next_term(last.body["term"] if last else 0, time.time())
        # the site's own term is the next after the last on record: so it is one of our rank
        body = {"term": term - 1, "site": self._site}
        self._ledger.write("term", body, why="no leader is heard")
        self._ledger.commit()
        self.standby.claim(term, time.monotonic())
        self._teller = Teller(self._key, self._news_topic, term)
        self._ladders_id, self._seq = id_of(self._ledger.ladders()), 0
        self._ledger.on_commit = self._tell
        self._say(self._teller, self._news([]))
        log.warning("leading the site, term %s", term)

    # ---- leading

    def leads(self) -> bool:
        """Whether this supervisor may command anything at this moment."""
        return self.standby.may_speak(time.monotonic())

    def view(self, now_s: float) -> StandbyView:
        """For people."""
        ours = self.standby.unopposed
        return StandbyView(
            site=self._site,
            rank=self.standby.rank,
            leads=ours,
            term=self.standby.newest[0],
            heard_s=round(now_s - self.standby.heard_s, 1),
            connected=self.link.connected,
            ready=self.unready_s() < LATE_S if ours else self.current,
        )

    def unready_s(self) -> float:
        """How long no follower has been heard that could take over."""
        return time.monotonic() - self._ready_s

    def guard(self, publish: Publish) -> Publish:
        """publish, as long as this supervisor may speak."""
        return lambda topic, payload: self.leads() and publish(topic, payload)

    async def until_lost(self, again: Callable[[], None]) -> None:
        """Raises Deposed when somebody else claims the site.  again: called when it had to be
        claimed anew, after a silence in which nobody else did."""
        while self.standby.unopposed:
            if self._look():
                self._claim()
                again()
            await asyncio.sleep(LOOK_S)
        self._listener.whole = False
        raise Deposed(f"term {self.standby.newest[0]} is heard, above our {self.standby.term}")

    def _tell(self, rows: list[Draft], ladders: tuple[int, bytes] | None) -> None:
        """What a beat has put on record."""
        self._ladders_id = id_of(ladders) if ladders else self._ladders_id
        for row in rows:
            self._seq = int(row.body["seq"]) if row.kind == "decision" else self._seq
        self._publish(self._news(rows))

    def _tell_tokens(self) -> None:
        self._publish(self._news([], tokens=self._tokens.all()))

    def _news(self, rows: list[Draft], **more: object) -> News:
        return News(
            term=self.standby.term,
            seq=self._seq,
            ladders_id=self._ladders_id,
            rows=rows,
            **more,  # type: ignore[arg-type]
        )

    def _publish(self, news: News) -> None:
        if self._teller is None:
            return
        if self.leads():
            self._say(self._teller, news)
        else:
            self._teller.skip()

    def _say(self, teller: Teller, news: News) -> None:
        for part in teller.tell(news, time.monotonic()):
            self.link.publish(self._news_topic, part)

    # ---- what is heard

    def _hear_budget(self, payload: bytes) -> None:
        try:
            body = mac.unseal(self._budget_key, self._budget_topic, payload)
            budget = messages.decode("budget", body)
        except (mac.SealError, messages.MessageError):
            return
        self.standby.hear(budget["term"], budget["seq"], time.monotonic())  # type: ignore[arg-type]

    def _hear_news(self, payload: bytes) -> None:
        try:
            news = self._listener.hear(payload)
        except ReplicaError:
            return
        self.standby.alive(self._listener.term, time.monotonic(), self._listener.said_s)
        if news is not None and news.term != self.standby.term:
            self._take_in(news)

    def _take_in(self, news: News) -> None:
        if news.answer and news.answer == self._nonce:
            self._nonce = ""
            self._forget_others(news.rows)
            self._ladders_id, self._listener.whole = news.ladders_id, True
            if news.ladders:
                self._ledger.put_ladders(*news.ladders)
            log.info("following the leader of term %s", news.term)
        elif news.answer or not self._listener.whole:
            return
        if news.tokens is not None:
            self._tokens.take(news.tokens)
        for row in news.rows:
            self._ledger.write(row.kind, row.body, row.source, row.why)
        self._ledger.commit()
        self._seq = news.seq
        self._listener.whole &= self._ladders_id == news.ladders_id

    def _forget_others(self, rows: list[Draft]) -> None:
        """Signals that stand here and not with the leader were withdrawn while we were away."""
        standing = {row.source for row in rows if row.kind == "signal"}
        for source in set(memory.standing_entries(self._ledger)) - standing:
            self._ledger.write("signal", {"schedule": None}, source, "withdrawn, says the leader")

    def _hear_here(self, payload: bytes) -> None:
        try:
            said = here(self._key, self._ask_topic, payload)
        except ReplicaError:
            return
        now_s, age_s = time.monotonic(), abs(time.time() - said.at_s)
        if said.rank == self.standby.rank:
            if age_s <= ECHO_S:
                self.standby.echo(now_s)
            return
        if not self.leads():
            return
        if said.ready and age_s <= FRESH_S:
            self._ready_s = now_s
        if said.nonce and now_s - self._answered_s >= ANSWER_S:
            self._answered_s = now_s
            self._answer(said.nonce)

    def _answer(self, nonce: str) -> None:
        self._publish(
            self._news(
                memory.standing_rows(self._ledger),
                answer=nonce,
                ladders=self._ledger.ladders(),
                tokens=self._tokens.all(),
            )
        )


def seat_of(config: Config, ledger: Ledger, port: int, tokens: Tokens) -> Seat | None:
    """None when the site has one supervisor."""
    if config.standby is None:
        return None
    link = link_of(config, Inbox(), port, rigs=False)
    return Seat(config, ledger, keys.site_key(config.state_dir), link, tokens)
