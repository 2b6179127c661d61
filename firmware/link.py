"""The rig's voice and ear: what to publish when, and where messages go.

Says state when something changes and on a beat, hello until it is joined, events until
they are on record.  Decides nothing about power.
"""

import random

from firmware import clock, report, telemetry
from firmware.dispatch import BUDGET, JOINED
from firmware.events import Events
from firmware.lazy import forget
from firmware.net.network import TURN_MS as NETWORK_MS
from firmware.net.network import Network
from firmware.net.session import Broker, Session
from firmware.safety import Change
from protocols import messages, topics

TURN_MS = 100
HELLO_MS = 10_000
SETTLED_MS = 1_500


class Link:
    def __init__(self, rig, settings: dict) -> None:
        self._rig, self._settings = rig, settings
        self._topics = {
            kind: topics.rig(settings["site"], settings["rig"], kind) for kind in topics.KINDS
        }
        ways = rig.board.ways(settings["network"])
        self.network = Network(ways, settings["wifi_name"], settings["wifi_password"])
        self._names: list = []  # the one that looks them up, once there is something to look up
        if settings["clock_s"] > rig.board.unix_s():
            rig.board.set_clock(settings["clock_s"])
        named = not is_address(settings["broker_host"])
        self.session = Session(
            Broker(
                settings["broker_host"],
                settings["broker_port"],
                settings["broker_user"],
                settings["broker_password"],
                settings["broker_tls"],
            ),
            f"{settings['site']}-{settings['rig']}",
            (self._topics["link"], messages.DOWN),
            [topics.budget(settings["site"]), self._topics["cmd"]],
            self.address if named else None,
        )
        self.events = Events()
        self._told = 0  # events up to this one were handed to this session
        self._said: tuple = ()  # what the last state said, as far as a change matters
        self._nonce = ""
        self._box_part = 0
        self._state_left_ms = self._hello_left_ms = self._events_left_ms = 0

    async def session_loop(self) -> None:
        await self.session.run(self.network.up, self._greet, self._hear)

    async def report_loop(self) -> None:
        beat = clock.Beat(TURN_MS)
        while True:
            self.turn(await beat.wait())

    def turn(self, elapsed_ms: int) -> None:
        """100 ms on: say what has to be said."""
        rig = self._rig
        for change in rig.recent.take(rig):
            self.events.add(change.code, telemetry.ascii_only(change.text), rig.up_ms)
        rig.recent.newest = self.events.newest  # by the numbers that outlive a reset
        self.events.record(rig.dispatch.recorded_event)
        self.events.turn(elapsed_ms)
        self._tell_events()
        if rig.box_asked:
            self._say_box()
        self._state_left_ms -= elapsed_ms
        self._hello_left_ms -= elapsed_ms
        if rig.faulty():
            self._hello_left_ms = TURN_MS  # in a fault there is nothing to join for; then at once
        due = not rig.dispatch.joined and self._hello_left_ms <= 0
        if due or rig.dispatch.nonce != self._nonce:
            self._say_hello()
        self._events_left_ms -= elapsed_ms
        if self._events_left_ms <= 0:
            self._events_left_ms = jittered(self._settings["state_ms"])
            self._told = 0  # all again
        if self._changed() != self._said:
            self._say_state()
            self._state_left_ms = SETTLED_MS  # once more, when watts and rpm have followed
        elif self._state_left_ms <= 0:
            self._say_state()

    async def network_loop(self) -> None:
        """Has the best way to the network used, and none given up."""
        beat, elapsed_ms = clock.Beat(NETWORK_MS), 0
        while True:
            try:
                if self.network.turn(self.session.connected, elapsed_ms):
                    self.session.leave("another way to the network")
                    self._rig.changes.append(Change("network", f"{self.network.name} is used now"))
            except OSError as error:
                print("network:", error)
            elapsed_ms = await beat.wait()

    async def clock_loop(self) -> None:
        """The time of day, where somebody is named who knows it."""
        from firmware.net import wall

        server = self._settings["ntp_host"]
        await wall.keep(self.network.up, lambda: self.address(server), self._rig.board.set_clock)

    async def address(self, host: str) -> str:
        """Of a host by name, or by address.  Raises OSError."""
        if is_address(host):
            return host
        if not self._names:
            from firmware.net.names import Names  # heap, for those who need it

            self._names.append(Names(self.network.name_server))
        found: str = await self._names[0].address(host)
        return found

    def _greet(self) -> None:
        """A new session: everything a listener needs."""
        self.session.publish(self._topics["link"], messages.UP, retain=True)
        self._say_hello()
        self._say_state()
        self._told = 0
        self._tell_events()

    def _hear(self, topic: str, payload: bytes) -> None:
        rig = self._rig
        heard = rig.dispatch.hear(topic, payload, rig.faulty())
        while rig.dispatch.words:
            self._obey_words(*rig.dispatch.words.pop(0))
        if heard == BUDGET:
            rig.obey_at_once()
        elif heard:
            if heard == JOINED:
                rig.changes.append(Change("joined", f"by term {rig.dispatch.term}"))
            self._say_state()  # the echo

    def _tell_events(self) -> None:
        """In order: the echo of one is the echo of all before it."""
        while self.session.has_room:
            waiting = self.events.after(self._told)
            if waiting is None:
                break
            self._told, body = waiting
            self.session.publish(self._topics["event"], body)

    def _obey_words(self, number: int, line: str) -> None:
        """The answer is an event: numbered, and kept until it is on record."""
        said = self._rig.ask(line, False)
        asked = line.partition("=")[0]  # what follows may be a secret
        self._rig.changes.append(Change("told", f"{number} {asked}: {said}"))

    def _say_box(self) -> None:
        """The next part of a black box that was asked for; the last one is the shortest."""
        from firmware import boxes

        body = boxes.message(self._rig.box_asked, self._box_part)
        self.session.publish(self._topics["box"], body)
        self._box_part += 1
        if len(body) < boxes.WHOLE:
            self._rig.box_asked = self._box_part = 0
            forget("firmware.boxes")

    def _say_hello(self) -> None:
        rig = self._rig
        if self._nonce != rig.dispatch.nonce:
            self._nonce = rig.dispatch.nonce
            rig.introduce()
        self._hello_left_ms = jittered(HELLO_MS)
        who = report.identity(rig.facts, rig.promised, report.chips(rig))
        body = telemetry.hello(self._nonce, who)
        self.session.publish(self._topics["hello"], body, retain=True)

    def _say_state(self) -> None:
        self._said = self._changed()
        self._state_left_ms = jittered(self._settings["state_ms"])
        self.session.tell(
            self._topics["state"], telemetry.state(report.state(self._rig, self.events.newest))
        )

    def _changed(self) -> tuple:
        """What must be told at once when it changes."""
        rig, dispatch = self._rig, self._rig.dispatch
        code = rig.verdict.code if rig.verdict else ""
        return (
            rig.state(),
            rig.level(),
            rig.cap_level(),
            dispatch.id,
            dispatch.epoch,
            self.events.newest,
            code,
        )


def jittered(period_ms: int) -> int:
    """A period give or take a tenth, so that a hall of rigs does not speak in chorus."""
    return period_ms * (900 + random.getrandbits(8) * 200 // 255) // 1000


def is_address(host: str) -> bool:
    """Four numbers; settings.py has seen that they are good ones, or a good name."""
    return host.replace(".", "").isdigit()
