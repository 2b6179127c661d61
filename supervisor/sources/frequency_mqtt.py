"""The grid's frequency over MQTT: {"hz": 49.98, "timestamp": unix_s}; refused with a reason.

The timestamp is when it was measured: what the broker kept, or a network held up, is old and
is not taken for now.
"""

import time
from collections.abc import Callable

import msgspec

from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.link import Link

SOURCE = "frequency"
HZ = (40.0, 70.0)


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    hz: float
    timestamp: float


class FrequencyError(ValueError):
    """Not taken; the text says what would be right."""


def decode(payload: bytes, now_s: float, stale_s: float) -> tuple[float, float]:
    """(hertz, seconds ago).  now_s: Unix seconds.  Raises FrequencyError and nothing else."""
    try:
        said = msgspec.json.decode(payload, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FrequencyError(f'{error}; right is {{"hz": 50.0, "timestamp": unix_s}}') from None
    if not HZ[0] <= said.hz <= HZ[1]:
        raise FrequencyError(f"hz is {said.hz:g}; it must be {HZ[0]:g} to {HZ[1]:g}")
    age_s = now_s - said.timestamp
    if abs(age_s) > stale_s:
        old = "old" if age_s > 0 else "ahead"
        raise FrequencyError(f"timestamp is {abs(age_s):.0f} s {old}; {stale_s:g} s are taken")
    return said.hz, max(0.0, age_s)


class MqttFrequency:
    """Listens on a topic of a link and writes to the inbox."""

    def __init__(
        self,
        inbox: Inbox,
        link: Link,
        topic: str,
        stale_s: float,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox, self._stale_s = inbox, stale_s
        self._clock, self._monotonic = clock, monotonic
        link.listen(topic, self.hear)

    def hear(self, payload: bytes) -> None:
        """One message: a sample, or a refusal."""
        try:
            hz, age_s = decode(payload, self._clock(), self._stale_s)
        except FrequencyError as error:
            self._inbox.refuse(SOURCE, str(error))
            return
        self._inbox.put_frequency(hz, self._monotonic() - age_s)


def listen(config: Config, inbox: Inbox, link: Link) -> None:
    """Starts to listen on the site's own link, when the settings name a topic."""
    wished = config.frequency
    if wished is not None and wished.topic is not None:
        MqttFrequency(inbox, link, wished.topic, wished.stale_s)
