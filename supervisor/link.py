"""The supervisor's end of MQTT: hears every rig, speaks to one or to all, comes back for ever.

QoS 0 both ways: the contract repeats what must arrive.  A message costs a dictionary
look-up and an append here, because 28,000 rigs send them; what it means is decided in
the tick.  gmqtt carries the bytes; connecting again is done here, where it can be
seen, jittered and tested.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTError

from protocols import messages, topics
from supervisor import keys
from supervisor.config import Config

log = logging.getLogger(__name__)

HEARD = ("hello", "state", "event", "link")
CONNECT_S = 5.0
LEAVE_S = 0.5
KEEPALIVE_S = 4  # a connection silent for twice as long is given up: half-open ones never say so
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
UNSENT_MAX = 8 << 20  # bytes waiting for the socket; more would only be late, so it is refused
KNOWN_MAX = 500_000  # topics; five times what the largest broker connects

Hear = Callable[[bytes], None]


class Ears(Protocol):
    """Where what rigs say is put: an inbox."""

    def put_rig(self, rig: str, kind: str, payload: bytes) -> None: ...


def link_of(config: Config, inbox: Ears, port: int, rigs: bool = True) -> "Link":
    """The link to the broker of the settings, which listens on port.  Raises SecretError."""
    site, broker = config.site.name, config.broker
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(broker.host, broker.host)
    password = keys.password(Path(broker.password_file)) if broker.password_file else None
    return Link(inbox, site, host, port, user=broker.user, password=password, rigs=rigs)


@dataclass(slots=True)
class Counters:
    """Since the start, of one link."""

    connections: int = 0
    received: int = 0
    too_long: int = 0  # of rigs
    ignored: int = 0  # topics that are no rig's and nobody's
    failed: int = 0  # a listener raised
    published: int = 0
    unpublished: int = 0


class Link:
    """rigs: whether to hear the rigs of the site; not for a link that is there for a signal.

    on_change(up): told when the line is made, before anything is heard on it, and when it is cut.
    """

    on_change: Callable[[bool], None] = staticmethod(lambda up: None)

    def __init__(
        self,
        inbox: Ears,
        site: str,
        host: str,
        port: int,
        *,
        user: str | None = None,
        password: str | None = None,
        rigs: bool = True,
    ) -> None:
        self.counters = Counters()
        self._lost_s: float | None = None
        self.because = "not connected yet"  # why it is not, for a person
        self._put_rig, self._site = inbox.put_rig, site
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._topics = [topics.rig(site, "+", kind) for kind in HEARD] if rigs else []
        self._listeners: dict[str, Hear] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self._client: _Connection | None = None
        self._up, self._open = asyncio.Event(), False

    @property
    def connected(self) -> bool:
        """Whether the broker has taken our subscriptions and the connection stands."""
        return self._client is not None and bool(self._client.is_connected)

    def lost_s(self, now_s: float) -> float:
        """Seconds since it was last seen connected; 0 while it is."""
        if self.connected:
            self._lost_s = None
            return 0.0
        self._lost_s = now_s if self._lost_s is None else self._lost_s
        return now_s - self._lost_s

    async def until_connected(self) -> None:
        await self._up.wait()

    def listen(self, topic: str, hear: Hear) -> None:
        """hear(payload) for every message on a topic without wildcards, retained ones too."""
        self._listeners[topic] = hear
        if self._client is not None:
            self._client.subscribe(topic)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Hands a message to the socket.  False when it will not go out: say it again later."""
        client = self._client
        if client is None or not client.is_connected or client.unsent() > UNSENT_MAX:
            self.counters.unpublished += 1
            return False
        client.publish(topic, payload, retain=retain)
        self.counters.published += 1
        return True

    async def run(self) -> None:
        """Connected for ever; cancel to end."""
        failures = 0
        while True:
            client = _Connection(self._on_message, self._site, self._user, self._password)
            try:
                async with asyncio.timeout(CONNECT_S):
                    await client.open(self._host, self._port)
                    self._opened(True)
                    await client.take([*self._topics, *self._listeners])
                self._went_up(client)
                failures = 0
                self._went_down(await client.lost())
            except asyncio.CancelledError:
                await client.leave()
                raise
            except (OSError, TimeoutError, MQTTError) as error:
                self._went_down(str(error) or "no answer")
            finally:
                self._client = None
                self._up.clear()
                self._opened(False)
                client.abort()
            await asyncio.sleep(back_off_s(failures, random.random()))
            failures += 1

    def _went_up(self, client: "_Connection") -> None:
        self._client, self.because = client, ""
        self.counters.connections += 1
        self._up.set()
        log.info("connected to the broker at %s:%s", self._host, self._port)

    def _opened(self, up: bool) -> None:
        if up != self._open:
            self._open = up
            self.on_change(up)

    def _went_down(self, because: str) -> None:
        if because != self.because:  # once a change, not once an attempt
            log.warning("no broker at %s:%s: %s", self._host, self._port, because)
        self.because = because

    def _on_message(self, _: Any, topic: str, payload: bytes, *_more: Any) -> None:
        counters = self.counters
        counters.received += 1
        known = self._known.get(topic) or self._learn(topic)
        if not known:
            self._pass_on(topic, payload)  # however long: a signal is refused with a reason
        elif len(payload) > messages.SIZE_MAX:
            counters.too_long += 1
        else:
            self._put_rig(known[0], known[1], payload)

    def _learn(self, topic: str) -> tuple[str, str] | None:
        """(rig, kind) of a topic heard for the first time; None for one that is no rig's."""
        parsed = topics.parse(topic) if isinstance(topic, str) else None
        if parsed is None or parsed[0] != self._site or parsed[2] not in HEARD:
            return None
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[topic] = parsed[1], parsed[2]
        return self._known[topic]

    def _pass_on(self, topic: str, payload: bytes) -> None:
        hear = self._listeners.get(topic)
        if hear is None:
            self.counters.ignored += 1
            return
        try:
            hear(payload)
        except Exception:  # a listener's mistake must not cost the site its rigs
            self.counters.failed += 1
            log.exception("listener of %s", topic)


def back_off_s(failures: int, chance: float) -> float:
    """How long to wait before the next attempt; chance 0..1 spreads those who failed together."""
    return BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)] * (0.5 + chance)


class _Connection(gmqtt.Client):  # type: ignore[misc]
    """One connection of gmqtt, from CONNECT to its loss."""

    def __init__(
        self, on_message: Callable[..., None], site: str, user: str | None, password: str | None
    ) -> None:
        super().__init__(f"surplus-{site}-{secrets.token_hex(4)}", clean_session=True)
        self._gone, self._taken = asyncio.Event(), asyncio.Event()
        self.on_message = on_message
        self.on_disconnect = lambda *_: self._gone.set()
        self.on_subscribe = lambda *_: self._taken.set()
        if user is not None:
            self.set_auth_credentials(user, password)

    async def reconnect(self, delay: bool = False) -> None:
        """Not here: Link.run makes a new connection."""

    async def open(self, host: str, port: int) -> None:
        """Raises OSError or MQTTError."""
        await self.connect(host, port, keepalive=KEEPALIVE_S, version=MQTTv311)

    async def take(self, wanted: list[str]) -> None:
        """Every topic subscribed.  Raises MQTTError."""
        if not wanted:
            return
        self.subscribe([gmqtt.Subscription(topic) for topic in wanted])
        await self._taken.wait()
        if refused := [sub.topic for sub in self.subscriptions if not sub.acknowledged]:
            raise MQTTError(f"the broker does not let us hear {', '.join(refused)}")

    async def lost(self) -> str:
        """Waits for the end of the connection; why it ended."""
        while True:
            try:
                async with asyncio.timeout(KEEPALIVE_S / 2):
                    await self._gone.wait()
                return "the connection was closed"
            except TimeoutError:
                # asked twice: after a long computation of ours the answers are still unread
                if self.silent_s() > 2 * KEEPALIVE_S:
                    await asyncio.sleep(0.2)
                    if self.silent_s() > 2 * KEEPALIVE_S:
                        return f"silent for {self.silent_s():.0f} s"

    def silent_s(self) -> float:
        return time.monotonic() - float(self._connection._last_data_in)

    def unsent(self) -> int:
        """Bytes the socket has not taken yet."""
        return int(self._connection._transport.get_write_buffer_size())

    async def leave(self) -> None:
        """What was published goes out first, if the peer takes it soon."""
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.disconnect()
        except (OSError, TimeoutError):
            pass

    def abort(self) -> None:
        """At once: a polite close waits for a peer that may be gone."""
        if self._connection is not None:
            self._connection._transport.abort()
