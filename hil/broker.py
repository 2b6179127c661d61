"""An MQTT 3.1.1 broker in virtual time: QoS 0, retained messages, wills, keep-alive.

Clients are rigs, over connections of hil/net.py, and whoever calls publish() and
subscribe() here.  OASIS MQTT Version 3.1.1; what it forbids ends a connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hil.clock import Event, VirtualClock
from hil.net import Connection, Ears, Net, Path

HOST, PORT = "10.0.0.1", 1883
CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 10, 12, 14
ACCEPTED, BAD_PROTOCOL, NOT_AUTHORISED = 0, 1, 5

Hear = Callable[[str, bytes], None]
Tell = Callable[[str], None]


class ProtocolError(ValueError):
    """A client that does not speak MQTT."""


def packet(kind: int, flags: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((kind << 4 | flags,)) + bytes(length) + body


def publish(topic: str, payload: bytes, retain: bool = False) -> bytes:
    name = topic.encode()
    return packet(PUBLISH, int(retain), len(name).to_bytes(2, "big") + name + payload)


def packets(data: bytes) -> Iterator[tuple[int, int, bytes, int]]:
    """(kind, flags, body, where the next one begins) of each whole packet."""
    at = 0
    while True:
        size = 0
        for place in range(4):
            if at + 1 + place >= len(data):
                return
            byte = data[at + 1 + place]
            size |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                break
        else:
            raise ProtocolError("a length of more than four bytes")
        start = at + 2 + place
        if len(data) - start < size:
            return
        at, head = start + size, data[at]
        yield head >> 4, head & 15, data[start:at], at


def fields(body: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """count fields with their length before them, and where they end."""
    found = []
    for _ in range(count):
        size = int.from_bytes(body[at : at + 2], "big")
        if len(body) < at + 2 + size:
            raise ProtocolError("a field beyond its packet")
        found.append(body[at + 2 : at + 2 + size])
        at += 2 + size
    return found, at


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter, with + and #, takes in a topic."""
    wanted, parts = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(parts) or level not in ("+", parts[place]):
            return False
    return len(wanted) == len(parts)


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes
    retain: bool


class Client(Ears):
    """One connection, from CONNECT to its end."""

    def __init__(self, broker: "Broker", connection: Connection) -> None:
        self._broker, self.connection = broker, connection
        self.name = ""
        self.filters: list[str] = []
        self.will: Will | None = None
        self._tail = b""
        self._silence: Event | None = None
        self._keepalive_s = 0

    def heard(self, data: bytes) -> None:
        """Whatever it is, nothing but this connection suffers from it."""
        self._tail, end = self._tail + data, 0
        try:
            for kind, flags, body, next_at in packets(self._tail):
                end = next_at
                self._take(kind, flags, body)
        except (ProtocolError, IndexError, UnicodeError) as error:  # too short, or no text
            self._broker.tell(f"broker: {self.name or 'a stranger'}: {error}")
            self.drop()
        self._tail = self._tail[end:]
        self._listen_on()

    def over(self, error: int) -> None:
        self._end()

    def drop(self) -> None:
        """The broker ends it; the will is due."""
        self.connection.break_off()

    def send(self, topic: str, payload: bytes, retain: bool) -> None:
        if any(matches(pattern, topic) for pattern in self.filters):
            self.connection.send_down(publish(topic, payload, retain))

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if (kind == CONNECT) == bool(self.name):
            raise ProtocolError("CONNECT must come first, and once")
        if kind == CONNECT:
            self._connect(body)
        elif kind == PUBLISH:
            if flags & 6:
                raise ProtocolError("this broker has QoS 0 only")
            (topic,), at = fields(body, 0, 1)
            self._broker.publish(topic.decode(), body[at:], bool(flags & 1), self.name)
        elif kind == SUBSCRIBE:
            self._subscribe(body)
        elif kind == UNSUBSCRIBE:
            self.connection.send_down(packet(11, 0, body[:2]))
        elif kind == PINGREQ:
            self.connection.send_down(packet(13, 0, b""))
        elif kind == DISCONNECT:
            self.will = None
            self.connection.close_down()
            self._end()
        else:
            raise ProtocolError(f"packet of kind {kind}")

    def _connect(self, body: bytes) -> None:
        (protocol,), at = fields(body, 0, 1)
        level, flags = body[at], body[at + 1]
        self._keepalive_s = int.from_bytes(body[at + 2 : at + 4], "big")
        if protocol != b"MQTT" or level != 4:
            self.connection.send_down(packet(2, 0, bytes((0, BAD_PROTOCOL))))
            raise ProtocolError(f"{protocol!r} level {level}")
        (name,), at = fields(body, at + 4, 1)
        self.name = name.decode() or "nameless"
        if flags & 4:
            (topic, payload), at = fields(body, at, 2)
            self.will = Will(topic.decode(), payload, bool(flags & 0x20))
        code = self._broker.welcome(self)
        self.connection.send_down(packet(2, 0, bytes((0, code))))
        if code:
            self.will = None
            self.connection.close_down()

    def _subscribe(self, body: bytes) -> None:
        at, codes, new = 2, b"", []
        while at < len(body):
            (pattern,), at = fields(body, at, 1)
            new.append(pattern.decode())
            codes, at = codes + b"\0", at + 1
        self.filters += new
        self.connection.send_down(packet(9, 0, body[:2] + codes))
        for topic, payload in list(self._broker.retained.items()):
            if any(matches(pattern, topic) for pattern in new):
                self.connection.send_down(publish(topic, payload, True))

    def _listen_on(self) -> None:
        """One and a half times the keep-alive without a word, and the client is gone."""
        if self._silence:
            self._silence.cancel()
        if self._keepalive_s and not self.connection.over:
            clock = self._broker.clock
            self._silence = clock.at(clock.now_s() + 1.5 * self._keepalive_s, self._silent)

    def _silent(self) -> None:
        self._broker.tell(f"broker: {self.name} is silent")
        self.drop()

    def _end(self) -> None:
        if self._silence:
            self._silence.cancel()
        self._broker.bye(self)


class Broker:
    """delay_s and loss hold for every connection to it; the rest is what befalls it.

    tell() is called with every line worth a place in the story.
    """

    def __init__(self, clock: VirtualClock, net: Net, tell: Tell) -> None:
        self.clock, self._net, self.tell = clock, net, tell
        self.retained: dict[str, bytes] = {}
        self.clients: dict[str, Client] = {}
        self.refuse = 0  # CONNACK code for whoever comes; 0 lets them in
        self._listeners: list[tuple[str, Hear]] = []
        self.up()

    @property
    def path(self) -> Path:
        return self._net.world

    @property
    def delay_s(self) -> float:
        """On top of each rig's own path, one way."""
        return self._net.world.delay_s

    @delay_s.setter
    def delay_s(self, value: float) -> None:
        self._net.world.delay_s = value

    @property
    def loss(self) -> float:
        """Part of what is sent that is lost, and sent again later."""
        return self._net.world.loss

    @loss.setter
    def loss(self, value: float) -> None:
        self._net.world.loss = value

    def up(self) -> None:
        """Listening, with what it had retained."""
        self._net.listen(HOST, PORT, lambda connection: Client(self, connection))

    def down(self, forget: bool = False) -> None:
        """The program ends: connections break, new ones are refused; forget: retained too."""
        self.tell("broker: down")
        self._net.deafen(HOST, PORT)
        for connection in list(self._net.connections):
            connection.break_off()
        self.clients.clear()
        if forget:
            self.retained.clear()

    def unreachable(self, away: bool = True) -> None:
        """Nothing arrives any more, and nothing is refused: a switch without power."""
        self.tell(f"broker: {'not ' if away else ''}to be reached")
        self._net.world.up = not away

    def half_open(self, client: str = "") -> None:
        """Connections there are go silent for ever, as behind a router that forgot them.

        client: part of the name of those meant; all when empty.  New connections work.
        """
        for name, one in self.clients.items():
            if client in name:
                self.tell(f"broker: {name} half open")
                one.connection.silent = True

    def publish(self, topic: str, payload: bytes, retain: bool = False, by: str = "") -> None:
        """As any client could; by: whose it is, for the story."""
        if retain:
            if payload:
                self.retained[topic] = payload
            else:
                self.retained.pop(topic, None)
        for pattern, hear in list(self._listeners):
            if matches(pattern, topic):
                hear(topic, payload)
        for client in list(self.clients.values()):
            client.send(topic, payload, False)

    def subscribe(self, pattern: str, hear: Hear) -> None:
        """hear(topic, payload) for what is published from now on, and what is retained."""
        self._listeners.append((pattern, hear))
        for topic, payload in list(self.retained.items()):
            if matches(pattern, topic):
                hear(topic, payload)

    # for its clients

    def welcome(self, client: Client) -> int:
        if self.refuse:
            self.tell(f"broker: {client.name} refused")
            return self.refuse
        if client.name in self.clients:
            self.clients[client.name].drop()  # 3.1.4: the newer one wins
        self.clients[client.name] = client
        self.tell(f"broker: {client.name} connected")
        return ACCEPTED

    def bye(self, client: Client) -> None:
        if self.clients.get(client.name) is client:
            del self.clients[client.name]
            self.tell(f"broker: {client.name} left")
        will, client.will = client.will, None
        if will:
            self.publish(will.topic, will.payload, will.retain, client.name)
