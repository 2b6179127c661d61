"""What a beat puts on record, in one transaction: news, refusals, the decision, ladders."""

from dataclasses import asdict
from typing import Any

from supervisor import memory
from supervisor.dispatcher import Decision, Dispatcher
from supervisor.envelope import Envelope
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger

LEARNED_EVERY = 10  # ticks


class Recorder:
    """Writes what has changed since it last wrote."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._said_w: dict[str, int | None] = {}  # by source, to tell news from a heartbeat
        self._given: dict[str, float] = {}  # to the frequency, as it is on record

    def event(self, rig: str, number: int, code: str, text: str) -> None:
        self._ledger.write("event", {"event": number, "code": code}, source=rig, why=text)

    def heard(self, inbox: Inbox, unix_s: float) -> None:
        """What sources have said, and what was refused."""
        for entry in inbox.take_news():
            limit_w = entry.limit_w(unix_s)
            same = self._said_w.get(entry.source, -1) == limit_w and len(entry.schedule) == 1
            self._said_w[entry.source] = limit_w
            body = memory.entry_body(entry) | {"same": same}
            self._ledger.write("signal", body, entry.source, entry.because)
        for refusal in inbox.take_refusals():
            self._ledger.write("refused", {}, refusal.source, refusal.because)

    def frequency(self, given: dict[str, float]) -> None:
        if given != self._given:
            self._given = given
            self._ledger.write("frequency", given)

    def decision(self, term: int, seq: int, made: Decision, envelope: Envelope) -> None:
        body: dict[str, Any] = {"term": term, "seq": seq} | asdict(made)
        self._ledger.write("decision", body, envelope.source, envelope.because)

    def learned(self, dispatcher: Dispatcher, seq: int) -> None:
        """Now and then: it changes slowly."""
        if seq % LEARNED_EVERY == 0:
            body = {"models": dispatcher.fleet.models, **dispatcher.learner.keep()}
            self._ledger.write("learned", body)

    def dealt(self, dispatcher: Dispatcher) -> None:
        """Ladders that have changed, whole: for who comes next."""
        line = dispatcher.line
        self._ledger.write("deal", {"epoch": line.epoch, "steps": len(line.rig)})
        self._ledger.put_ladders(line.epoch, memory.pack(dispatcher.fleet, line))
