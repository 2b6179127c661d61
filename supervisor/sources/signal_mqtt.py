"""A limit over MQTT, in two shapes that are in use; anything else is refused with a reason.

    {"target": 0..100, "timestamp": unix_s}          percent of the site's limit; said again
                                                     every half minute or so, old when silent
    {"mw": x, "valid_until": unix_s, "seq": n}       megawatts until a time; seq counts up

What was refused changes nothing: the word before it stands until its own end.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from supervisor import keys
from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.link import Link
from supervisor.loss import Loss
from supervisor.sections.kinds import MW_MAX, W_PER_MW

SOURCE = "mqtt"
SIZE_MAX = 1024
TARGET = {"target", "timestamp"}
LIMIT = {"mw", "valid_until", "seq"}
AHEAD_MAX_S = 7 * 86_400.0  # a longer word is a mistake, most likely milliseconds
SEQ_MAX = 1 << 53


class SignalError(ValueError):
    """Not taken; the text is a sentence that names the key and what would be right."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest word taken, of each shape: what a later one must not fall behind."""

    timestamp_s: float = -math.inf
    target_pct: float = 0.0
    seq: int = -1


@dataclass(frozen=True, slots=True)
class Rules:
    """limit_w: what 100 percent is.  silence_s: a target is trusted so long after its timestamp."""

    limit_w: int
    silence_s: float = 240.0
    default_w: int = 0
    source: str = SOURCE


def decode(payload: bytes, heard: Heard, now_s: float, rules: Rules) -> tuple[Entry, Heard]:
    """The entry a message makes, and what is heard with it.  now_s: Unix seconds.

    Raises SignalError and nothing else.
    """
    values = _object(payload)
    if values.keys() == TARGET:
        return _target(values, heard, now_s, rules)
    if values.keys() == LIMIT:
        return _limit(values, heard, now_s, rules)
    raise SignalError(_shape(values))


def _target(
    values: dict[str, Any], heard: Heard, now_s: float, rules: Rules
) -> tuple[Entry, Heard]:
    target_pct = _number(values, "target", 0, 100)
    stamp_s = _number(values, "timestamp", 0, SEQ_MAX)
    if abs(now_s - stamp_s) >= rules.silence_s:
        raise SignalError(
            f"timestamp is {abs(now_s - stamp_s):.0f} s {'old' if stamp_s < now_s else 'ahead'};"
            f" at most {rules.silence_s:g} s are taken, in Unix seconds"
        )
    if stamp_s < heard.timestamp_s:
        raise SignalError(f"timestamp is {heard.timestamp_s - stamp_s:.0f} s before the last one")
    if stamp_s == heard.timestamp_s and target_pct != heard.target_pct:
        raise SignalError("timestamp is the last one's, but target is another")
    w = math.floor(rules.limit_w * target_pct / 100)
    # trust runs from the timestamp, so that a message kept by a broker cannot outlive it
    said_s = min(now_s, stamp_s)
    entry = Entry(
        rules.source,
        ((said_s, w),),
        heard_s=said_s,
        loss=Loss(after_s=rules.silence_s),
        default_w=rules.default_w,
        because=f"target {target_pct:g} %",
        kind="level",
    )
    return entry, Heard(stamp_s, target_pct, heard.seq)


def _limit(values: dict[str, Any], heard: Heard, now_s: float, rules: Rules) -> tuple[Entry, Heard]:
    mw = _number(values, "mw", 0, MW_MAX)
    until_s = _number(values, "valid_until", 0, SEQ_MAX)
    seq = values["seq"]
    if type(seq) is not int or not 0 <= seq <= SEQ_MAX:
        raise SignalError(f"seq is {_shown(seq)}; it must be a whole number from 0 to 2^53")
    if seq <= heard.seq:
        raise SignalError(f"seq is {seq}, not above the last one, {heard.seq}; count on from there")
    if until_s <= now_s:
        raise SignalError(f"valid_until has passed {now_s - until_s:.0f} s ago")
    if until_s > now_s + AHEAD_MAX_S:
        raise SignalError("valid_until is over a week ahead; it is in Unix seconds")
    entry = Entry(
        rules.source,
        ((now_s, math.floor(mw * W_PER_MW)),),
        until_s=until_s,
        heard_s=now_s,
        default_w=rules.default_w,
        seq=seq,
        because=f"{mw:g} MW, number {seq}",
    )
    return entry, Heard(heard.timestamp_s, heard.target_pct, seq)


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > SIZE_MAX:
        raise SignalError(f"the message has {len(payload)} bytes; the most is {SIZE_MAX}")
    try:
        values = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        raise SignalError("the message is not JSON") from None
    if not isinstance(values, dict):
        raise SignalError("the message is not an object in braces")
    return values


def _shape(values: dict[str, Any]) -> str:
    """What keeps this from being one of the two shapes."""
    wanted = LIMIT if "mw" in values else TARGET
    for key in sorted(wanted - values.keys()):
        return f"{key} is missing; a message has {' and '.join(sorted(wanted))}"
    strange = sorted(values.keys() - wanted)[0]
    return f"{_shown(strange)} is not known; a message has {' and '.join(sorted(wanted))} only"


def _number(values: dict[str, Any], key: str, low: float, high: float) -> float:
    value = values[key]
    if type(value) not in (int, float):
        raise SignalError(f"{key} is {_shown(value)}, not a number")
    if not low <= value <= high:
        raise SignalError(f"{key} is {_shown(value)}; it must be {low:g} to {high:g}")
    return float(value)


def _shown(value: object) -> str:
    """A foreign value for a log line: short, and in plain letters."""
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


class MqttSignal:
    """Listens on a topic, on one link or on several, and writes to the inbox.

    Of two brokers the fresher word holds, whichever it came by: sequence numbers and
    timestamps are counted over both, so that an old one is refused wherever it comes from.
    """

    def __init__(
        self,
        inbox: Inbox,
        link: Link,
        topic: str,
        rules: Rules,
        *more: Link,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.taken = self.refused = 0
        self._inbox, self._rules, self._clock = inbox, rules, clock
        before = inbox.entries.get(rules.source)  # what a former supervisor was told
        self._heard = Heard(seq=before.seq) if before and before.seq else Heard()
        for one in (link, *more):
            one.listen(topic, self.hear)

    def hear(self, payload: bytes) -> None:
        """One message: an entry, or a refusal."""
        try:
            entry, self._heard = decode(payload, self._heard, self._clock(), self._rules)
        except SignalError as error:
            self.refused += 1
            self._inbox.refuse(self._rules.source, str(error))
            return
        self.taken += 1
        self._inbox.put_signal(entry)


def signal_of(config: Config, inbox: Inbox, link: Link) -> list[Link]:
    """Starts to listen to what the settings name, on the site's link or on links of its own.

    The links of its own, which somebody must run(): its broker is another, or there are two.
    """
    mqtt = config.signal.mqtt
    if mqtt is None:
        return []
    places = ((mqtt.host, mqtt.port), (mqtt.backup_host, mqtt.backup_port))
    own = [_link(config, inbox, host, port) for host, port in places if host is not None]
    links = own if mqtt.host is not None else [link, *own]
    default_w = math.floor(mqtt.default_mw * W_PER_MW)
    rules = Rules(config.site.limit_w, mqtt.silence_s, default_w)
    MqttSignal(inbox, links[0], mqtt.topic, rules, *links[1:])
    return own


def _link(config: Config, inbox: Inbox, host: str, port: int) -> Link:
    mqtt = config.signal.mqtt
    assert mqtt is not None
    password = keys.password(Path(mqtt.password_file)) if mqtt.password_file else None
    return Link(inbox, config.site.name, host, port, user=mqtt.user, password=password, rigs=False)
