"""One MQTT session after another, for ever: connect, subscribe, listen, and again.

Every wait has a deadline; a broker that says nothing, or nonsense, is left and tried
again after a random part of a growing pause, so that a hall of rigs does not come
back in one instant.  What is published while nobody listens is dropped and counted:
whoever publishes repeats what matters.
"""

import asyncio
import random
from collections import namedtuple

from firmware import clock
from firmware.net import packets

STEP_S = 5  # deadline of connecting, of the broker's answer, of every write
HANDSHAKE_S = 10  # of the first write over TLS: a chip reckons for seconds
KEEPALIVE_S = 10
PING_MS = 4_000  # ask after so much silence of ours
SILENT_MS = 12_000  # a broker that says nothing for so long is gone
PAUSE_MS, PAUSE_MS_MAX = 250, 8_000
OUTBOX_MAX = 40  # packets waiting to be sent
BURST = 8  # of them handed over at once: a deadline costs more than a packet
READ_SIZE = 512
AWAIT_READS = 50

# tls: the name on its certificate; empty: no TLS
Broker = namedtuple("Broker", ("host", "port", "user", "password", "tls"))


class SessionError(Exception):
    """This session is over; the text says why."""


class Session:
    """client, will and topics as in MQTT; what comes in goes to the callables given to run().

    address(host): awaited for the broker's address where host is a name.
    """

    def __init__(
        self, broker: Broker, client: str, will: tuple, topics: list, address=None
    ) -> None:
        self._broker, self._client, self._will, self._topics = broker, client, will, topics
        self.connected = False
        self.sessions = 0
        self.dropped = 0  # packets nobody could take
        self.last_error = ""
        self._failures = 0
        self._leave = ""
        self._context = None
        self._address = address
        self._outbox: list[tuple[bool, bytes]] = []  # (telemetry, packet)
        self._filled = asyncio.Event()
        self._heard_ms = self._sent_ms = 0

    def leave(self, because: str) -> None:
        """End this session; the next one begins as after any other end."""
        self._leave = because
        self._filled.set()

    @property
    def has_room(self) -> bool:
        """Whether publish() would take one."""
        return self.connected and len(self._outbox) < OUTBOX_MAX

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """False when it could not be queued: nobody is there, or nobody reads so fast."""
        if not self.has_room:
            self.dropped += 1
            return False
        self._put(False, packets.publish(topic, payload, retain))
        return True

    def tell(self, topic: str, payload: bytes) -> None:
        """Telemetry: the newest is worth most, so where there is no room the oldest goes."""
        if not self.connected:
            self.dropped += 1
            return
        if not self.has_room:
            self.dropped += 1
            oldest = [place for place, waiting in enumerate(self._outbox) if waiting[0]][:1]
            if not oldest:
                return
            self._outbox.pop(oldest[0])
        self._put(True, packets.publish(topic, payload))

    def _put(self, telemetry: bool, packet: bytes) -> None:
        self._outbox.append((telemetry, packet))
        self._filled.set()

    async def run(self, online, on_connect, on_message) -> None:
        """Never returns.  online() tells whether there is a network to go to;
        on_connect() and on_message(topic, payload) are called as things happen."""
        while True:
            if online():
                try:
                    await self._session(on_connect, on_message)
                except WRONG as error:
                    self._say(said(error))
                except asyncio.TimeoutError:
                    self._say("no answer in time")
                self._failures += 1
            await clock.sleep_ms(pause_ms(self._failures, random.getrandbits(16)))

    async def _session(self, on_connect, on_message) -> None:
        broker = self._broker
        how = self._tls() if broker.tls else {}
        host = broker.host if self._address is None else await self._address(broker.host)
        streams: tuple = await asyncio.wait_for(
            asyncio.open_connection(host, broker.port, **how), STEP_S
        )
        reader, writer = streams
        try:
            receiver = packets.Receiver()
            await self._enter(reader, writer, receiver)
            self._failures, self._outbox, self._leave = 0, [], ""
            self.sessions += 1
            self.connected = True
            on_connect()
            await self._both_ways(reader, writer, receiver, on_message)
        finally:
            self.connected = False
            await _close(writer)

    def _tls(self) -> dict:
        """Made once, and only where it is asked for: it is heap."""
        if self._context is None:
            from firmware.net import tls

            self._context = tls.context()
        return {"ssl": self._context, "server_hostname": self._broker.tls}

    def _say(self, error: str) -> None:
        """To whoever is at the console, once."""
        if error != self.last_error:
            print("broker:", error)
        self.last_error = error

    async def _enter(self, reader, writer, receiver) -> None:
        """CONNECT and SUBSCRIBE, each answered."""
        broker = self._broker
        writer.write(
            packets.connect(self._client, KEEPALIVE_S, self._will, broker.user, broker.password)
        )
        await asyncio.wait_for(writer.drain(), HANDSHAKE_S if broker.tls else STEP_S)
        code = (await self._await(reader, receiver, packets.Connack)).code
        if code:
            raise SessionError(f"refused: {packets.REFUSALS.get(code, code)}")
        writer.write(packets.subscribe(1, self._topics))
        await asyncio.wait_for(writer.drain(), STEP_S)
        codes = (await self._await(reader, receiver, packets.Suback)).codes
        if 0x80 in codes:
            raise SessionError("a subscription was refused")
        self._heard_ms = self._sent_ms = clock.now_ms()

    async def _await(self, reader, receiver, kind):
        """The next packet, which must be of this kind.

        Messages may come before and with it; every one of them will be repeated.
        """
        for _ in range(AWAIT_READS):
            data = await asyncio.wait_for(reader.read(READ_SIZE), STEP_S)
            if not data:
                raise SessionError("closed by the broker")
            for event in receiver.feed(data):
                if isinstance(event, kind):
                    return event
                if not isinstance(event, packets.Publish):
                    raise SessionError("an answer to another question")
        raise SessionError("no answer among all that came")

    async def _both_ways(self, reader, writer, receiver, on_message) -> None:
        """Until either way fails."""
        over = asyncio.Event()
        errors: list[str] = []
        ways = [
            asyncio.create_task(_guarded(way, over, errors))
            for way in (self._listen(reader, receiver, on_message), self._speak(writer))
        ]
        try:
            await over.wait()
        finally:
            for way in ways:
                way.cancel()
        raise SessionError(errors[0] if errors else "over")

    async def _listen(self, reader, receiver, on_message) -> None:
        while True:
            data = await reader.read(READ_SIZE)
            if not data:
                raise SessionError("closed by the broker")
            self._heard_ms = clock.now_ms()
            for event in receiver.feed(data):
                if isinstance(event, packets.Publish):
                    on_message(event.topic, event.payload)

    async def _speak(self, writer) -> None:
        while True:
            try:
                await asyncio.wait_for(self._filled.wait(), 1)
            except asyncio.TimeoutError:
                pass
            self._filled.clear()
            if self._leave:
                raise SessionError(self._leave)
            if clock.since_ms(self._heard_ms) > SILENT_MS:
                raise SessionError("the broker is silent")
            if not self._outbox and clock.since_ms(self._sent_ms) > PING_MS:
                self._put(False, packets.PINGREQ)
            while self._outbox:
                for _ in range(min(BURST, len(self._outbox))):
                    writer.write(self._outbox.pop(0)[1])
                await asyncio.wait_for(writer.drain(), STEP_S)
                self._sent_ms = clock.now_ms()


# of TLS a certificate that does not fit is a ValueError, and so is a packet that is none
WRONG = (OSError, EOFError, SessionError, ValueError)


def said(error: Exception) -> str:
    """In one line, and never empty."""
    return " ".join(str(error).split()) or type(error).__name__


async def _close(writer) -> None:
    try:
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), STEP_S)
    except (OSError, asyncio.TimeoutError):
        pass  # it was broken already


async def _guarded(way, over, errors: list) -> None:
    try:
        await way
    except WRONG as error:
        errors.append(said(error))
    except asyncio.TimeoutError:
        errors.append("a write took too long")
    finally:
        over.set()


def pause_ms(failures: int, chance: int) -> int:
    """Full jitter: anything up to a pause that doubles with every failure.

    chance: 16 random bits.
    """
    most_ms = min(PAUSE_MS_MAX, PAUSE_MS << min(failures, 8))
    return 20 + most_ms * chance // 65_536
