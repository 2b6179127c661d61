"""The world of site stories: the supervisor's real beat, modelled rigs, no sockets, virtual time.

What goes over MQTT at a site goes from hand to hand here, as the same bytes; the grid's
words and the meter's readings pass the supervisor's own judgement first.
"""

import json
import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hil.fleet import ModelFleet
from hil.modelled import ModelledRigs
from hil.story import Site as Facts
from hil.story_parts import UNIX_S, Feed, Hall, SiteMeter
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.merit import Ints
from supervisor.sections.site import SiteConfig
from supervisor.site import Site
from supervisor.sources.meter import Judge, Sight
from supervisor.sources.signal_mqtt import MqttSignal, Rules

NAME, KEY = "story", bytes(range(32))
MEMORY = Path("/dev/shm")
LOOK_S = 0.5


class Rigs(ModelledRigs):
    """Modelled rigs whose messages are handed over instead of sent."""

    def __init__(
        self, fleet: ModelFleet, seed: int, now: Callable[[], float], send: Callable[..., None]
    ) -> None:
        chance = random.Random(seed)
        nonce = lambda: f"{chance.getrandbits(64):016x}"  # noqa: E731
        super().__init__(fleet, NAME, KEY, clock=now, nonce=nonce)
        self._send, self.mute = send, False

    def _publish(self, row: int, kind: str, payload: bytes, retain: bool = False) -> None:
        if kind == "state" and self.mute:
            payload = json.dumps(json.loads(payload) | {"power_w": 0}).encode()
        self._send(self.fleet.names[row], kind, payload)

    def greet(self) -> None:
        """All connections are new."""
        for row in range(len(self.fleet.names)):
            self._hello(row)

    @property
    def joined(self) -> int:
        return int(self._joined.sum())


class World:
    """A site with its grid, its meter and its hall."""

    def __init__(self, facts: Facts, seed: int) -> None:
        self._facts = facts
        # in memory where there is such: a ledger on a disk waits for it a hundred times a minute
        memory = MEMORY if MEMORY.is_dir() else None
        self._folder = tempfile.TemporaryDirectory(prefix="surplus-story-", dir=memory)
        self.now_s = 0.0
        self.fleet = ModelFleet(facts.rigs, seed)
        self.rigs = Rigs(self.fleet, seed, lambda: self.now_s, self._carry_up)
        self.feeds = {name: Feed(name) for name in ("one", "two")}
        self.meter = SiteMeter(seed)
        self.broker = True
        self.hall = Hall(facts.fans, facts.limit_mw * 1e6)
        self.stuck: Ints = np.zeros(0, dtype=np.int64)  # rows that draw whatever they say
        self.terms = 0
        self.refused = ""
        self.site: Site | None = None
        self.start()

    @property
    def unix_s(self) -> float:
        return UNIX_S + self.now_s

    @property
    def drawn_w(self) -> float:
        return self.fleet.drawn_w + self._facts.auxiliary_kw * 1000

    def start(self) -> None:
        """A supervisor, from what the ledger holds."""
        facts, clock = self._facts, lambda: self.unix_s
        config = Config(
            site=SiteConfig(
                name=NAME,
                limit_mw=facts.limit_mw,
                default_mw=facts.default_mw,
                auxiliary_kw=facts.auxiliary_kw,
                up_ramp_mw_per_min=facts.up_ramp_mw_per_min,
            )
        )
        self.inbox, self._ears = Inbox(), dict[str, Callable[[bytes], None]]()
        ledger = Ledger(Path(self._folder.name) / "ledger.db", clock=clock)
        self.site = Site(config, self.inbox, ledger, KEY, self.now_s, self.unix_s)
        self._judge = Judge(config.site.limit_w, 1.0)
        for name in self.feeds:
            rules = Rules(config.site.limit_w, facts.silence_s, 0, name)
            link: Any = self  # listen() is all that is asked of a link
            MqttSignal(self.inbox, link, name, rules, clock=clock)
        self.hall.take_over(self.inbox, self.site, self)
        self.terms += 1
        self.rigs.greet()  # what the broker has kept

    def kill(self) -> None:
        """The supervisor, as kill -9 does."""
        if self.site:
            self.site.ledger.close()
        self.site = None

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()

    def listen(self, topic: str, hear: Callable[[bytes], None]) -> None:
        """As supervisor.link.Link has it."""
        self._ears[topic] = hear

    def say(self, source: str, payload: bytes) -> None:
        """A grid's message; decided on at once."""
        if self.broker and self.site:
            self._ears[source](payload)
            self._note_refusals()
            if self.inbox.wake.is_set():
                self._tick()

    # ---- time

    def step(self) -> None:
        self.now_s += LOOK_S
        for feed in self.feeds.values():
            if feed.due(self.now_s):
                self.say(feed.source, feed.word(self.now_s))
        self.fleet.step(LOOK_S)
        self._stay_on()
        self.rigs.step(LOOK_S)
        self.hall.warm(LOOK_S, self.fleet.drawn_w)
        if self.now_s % 1.0 == 0:
            self._read_meter()
            if self.site:
                self.hall.drive(self.now_s)
            self._tick()

    def _tick(self) -> None:
        if self.site:
            self.inbox.wake.clear()
            self._note_refusals()
            self.site.tick(self.now_s, self.unix_s, self._carry_down)

    def _note_refusals(self) -> None:
        waiting = self.inbox.take_refusals()
        for refusal in waiting:
            self.refused = f"{refusal.source}: {refusal.because}"
            self.inbox.refuse(refusal.source, refusal.because)

    def _read_meter(self) -> None:
        values = self.meter.read(self.drawn_w)
        if values is None or not self.site:
            return
        because = self._judge.fault(Sight(self.now_s, values))
        if because:
            self.inbox.refuse("meter", because)
        elif not self._judge.still:
            self.inbox.put_meter(round(values["power"]), self.now_s)

    def _stay_on(self) -> None:
        """What sticks draws its top, whatever it was told and whatever it says."""
        if len(self.stuck):
            top_w = self.fleet.top_w(self.stuck)
            self.fleet.power_w[self.stuck] = top_w
            self.fleet.sum_up()

    # ---- the wires

    def _carry_up(self, rig: str, kind: str, payload: bytes) -> None:
        if self.broker and self.site:
            self.inbox.put_rig(rig, kind, payload)

    def _carry_down(self, topic: str, payload: bytes) -> bool:
        if self.broker:
            with suppress(ValueError):  # what no rig obeys
                self.rigs.hear(topic, payload)
        return self.broker
