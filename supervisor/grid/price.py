"""Price: the site runs while power costs the strike price or less, and sleeps while it costs more.

    runs --price > strike, run_s over--> rests --price <= strike - band, rest_s over--> runs

A spike does not stop it at once when it has only just begun, nor start it: wakes cost.
Unless the feed is silent: then it rests.  Feed: {"price": x, "timestamp": unix_s} over MQTT.
"""

import math
import time
from dataclasses import dataclass, replace

import msgspec

from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.link import Link
from supervisor.loss import Loss
from supervisor.sections.planned import PriceConfig

SOURCE = "price"
SIZE_MAX = 1024


class PriceError(ValueError):
    """Not a price; the text names the key and what would be right."""


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    price: float
    timestamp: float


@dataclass(frozen=True, slots=True)
class Rule:
    """since_s: of the last change.  Times are Unix seconds."""

    strike: float
    band: float
    run_s: float
    rest_s: float
    runs: bool = False
    since_s: float = -math.inf

    def step(self, price: float, now_s: float) -> "Rule":
        for_s = now_s - self.since_s
        if self.runs and price > self.strike and for_s >= self.run_s:
            return replace(self, runs=False, since_s=now_s)
        if not self.runs and price <= self.strike - self.band and for_s >= self.rest_s:
            return replace(self, runs=True, since_s=now_s)
        return self


def decode(payload: bytes, before_s: float, now_s: float, silence_s: float) -> Said:
    """A price not older than silence_s, nor than the one before it.  Raises PriceError."""
    if len(payload) > SIZE_MAX:
        raise PriceError(f"the message has {len(payload)} bytes; the most is {SIZE_MAX}")
    try:
        said = msgspec.json.decode(payload, type=Said)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PriceError(f'{error}; right is {{"price": 31.5, "timestamp": 1796083200}}') from None
    if abs(now_s - said.timestamp) >= silence_s:
        raise PriceError(f"timestamp is {now_s - said.timestamp:.0f} s old; {silence_s:g} at most")
    if said.timestamp < before_s:
        raise PriceError(f"timestamp is {before_s - said.timestamp:.0f} s before the last one")
    return said


class PriceSignal:
    """Listens on a topic of the site's link and writes to the inbox."""

    def __init__(self, inbox: Inbox, link: Link, section: PriceConfig, limit_w: int) -> None:
        self._inbox, self._section, self._limit_w = inbox, section, limit_w
        self.rule = Rule(section.strike, section.band, section.run_s, section.rest_s)
        self._stamp_s = -math.inf
        self._inbox.put_signal(self._entry("no price heard yet", 0.0))
        link.listen(section.topic, self.hear_now)

    def hear_now(self, payload: bytes) -> None:
        self.hear(payload, time.time())

    def hear(self, payload: bytes, now_s: float) -> None:
        try:
            said = decode(payload, self._stamp_s, now_s, self._section.silence_s)
        except PriceError as error:
            self._inbox.refuse(SOURCE, str(error))
            return
        self._stamp_s = said.timestamp
        self.rule = self.rule.step(said.price, now_s)
        word = "runs" if self.rule.runs else "rests"
        because = f"price {said.price:g}, strike {self._section.strike:g}: {word}"
        self._inbox.put_signal(self._entry(because, min(now_s, said.timestamp)))

    def _entry(self, because: str, heard_s: float) -> Entry:
        w = self._limit_w if self.rule.runs else 0
        loss = Loss(after_s=self._section.silence_s)
        return Entry(SOURCE, ((0.0, w),), heard_s=heard_s, loss=loss, default_w=0, because=because)


def signal_of(config: Config, inbox: Inbox, link: Link) -> None:
    """Starts to listen, when the settings name a price."""
    if config.signal.price is not None:
        PriceSignal(inbox, link, config.signal.price, config.site.limit_w)
