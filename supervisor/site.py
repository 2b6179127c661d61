"""One beat of the live site: hear, settle, decide, broadcast, record.

Everything the supervisor knows and says goes through here; sockets and files are
handed in.  Times: now_s is monotonic, unix_s is the wall clock (signals, ledger).
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace

import numpy as np

from protocols import mac, messages, topics
from protocols.ladder import Step
from supervisor import balance, lookahead, memory, slow
from supervisor.admission import Admission
from supervisor.config import Config
from supervisor.dispatcher import Before, Decision, Dispatcher, Means
from supervisor.envelope import Entry, Envelope, settle
from supervisor.fleet import Fleet
from supervisor.frequency import Droop, Response
from supervisor.hearing import Hearing
from supervisor.holds import Holds
from supervisor.inbox import SITE_METER, Inbox, Reading
from supervisor.ledger import Ledger, Row
from supervisor.line import Line
from supervisor.policy import Policy
from supervisor.roster import Roster

OFF_SLACK_S = 2.0  # beyond a lease, before a rig that was cut off is surely off
DECISIONS_MAX = 20_000  # looked at for positions still on lease when a supervisor is followed
LEARNED_EVERY = 10  # ticks
HEARD_S, UNHEARD = 30.0, 0.2  # meters are held against rigs' reports unless so many are so old

Publish = Callable[[str, bytes], bool]


class Site:
    """Made from the ledger, so that a supervisor killed at any instant is followed by one
    that goes on: higher term, same ladders, same signals."""

    def __init__(
        self,
        config: Config,
        inbox: Inbox,
        ledger: Ledger,
        key: bytes,
        now_s: float,
        unix_s: float,
        roster: Roster | None = None,
    ) -> None:
        self.roster, self._seated = roster or Roster(), 0
        self.config, self.inbox, self.ledger = config, inbox, ledger
        self._key, self._budget_key = key, mac.budget_key(key)
        self.means = Means(
            config.site.auxiliary_w,
            config.site.margin_pct / 100,
            config.site.up_ramp_w_per_s,
            config.site.down_ramp_w_per_s,
            config.site.lease_s,
        )
        self.term, self.seq = self._next_term(unix_s), 0
        self._remember(now_s)
        self.hearing = Hearing(self.fleet, self._event)
        self.holds = Holds(self.hearing, ledger, self.means.lease_s, unix_s)
        self.envelope: Envelope | None = None
        self.decision: Decision | None = None
        self.unix_s = 0.0
        self.held_w = 0  # as of the last tick
        self._said_s = now_s  # when a budget last went out; those of others may be on lease still
        self._clock_s = unix_s - now_s  # so that what is sent never steps with the clock
        self._meter_at_s = -1.0
        self.balance = balance.Balance(config.stale_s, float(config.site.limit_w))
        self._frequency = frequency_of(config)
        self._given: dict[str, float] = {}  # to the frequency, as it is on record
        kept = ledger.last("frequency")
        if self._frequency is not None and kept is not None:
            self._frequency.recall(kept.body)
        self._said_w: dict[str, int | None] = {}  # by source, to tell news from a heartbeat

    def _next_term(self, unix_s: float) -> int:
        """A new leadership, on the disk before its first word.

        Never below the clock, so that rigs go on obeying when a ledger was lost.
        """
        last = self.ledger.last("term")
        term = max(1 + (last.body["term"] if last else 0), int(unix_s))
        body = {"term": term, "site": self.config.site.name}
        self.ledger.write("term", body, why="this supervisor took over")
        self.ledger.commit()
        return term

    def _remember(self, now_s: float) -> None:
        """Take up where the last supervisor was."""
        kept, last = self.ledger.ladders(), self._on_lease()
        epoch = kept[0] if kept else 0
        self.fleet, line = memory.unpack(*kept) if kept else (Fleet(), None)
        self._seat()
        wished = self.config.policy
        policy = Policy(wished.min_on_s, wished.min_off_s, wished.starts_per_day)
        self.dispatcher = Dispatcher(self.fleet, self.means, epoch, policy, self.roster.tree)
        if line is not None and last:
            newest, highest_w = last[-1].body, max(row.body["admit_w"] for row in last)
            asked_w = float(newest["asked_w"])
            self.dispatcher.resume(line, Before(now_s, newest["admit_w"], highest_w, asked_w))
            learned = self.ledger.last("learned")
            if learned and learned.body["models"] == self.fleet.models:
                self.dispatcher.recall(learned.body)
        self.admission = Admission(self.dispatcher)
        self.inbox.excused |= memory.standing_excuses(self.ledger)
        for source, entry in memory.standing_entries(self.ledger).items():
            self.inbox.entries.setdefault(source, entry)

    def _on_lease(self) -> list[Row]:
        """The last decision, and all before it that a rig may still run on."""
        rows = self.ledger.newest(min(DECISIONS_MAX, int(self.means.lease_s * 25)), "decision")
        lasts_s = self.means.lease_s + OFF_SLACK_S

        def may_hold(row: Row) -> bool:
            last = rows[-1]
            if (
                row.body["term"] == last.body["term"]
            ):  # by its own clock: the wall's may have jumped
                return bool(last.body["at_s"] - row.body["at_s"] <= lasts_s)
            return last.at_s - row.at_s <= lasts_s

        return [row for row in rows if may_hold(row)]

    # ---- the beat

    def tick(self, now_s: float, unix_s: float, publish: Publish) -> Decision:
        """Hear, decide, record, broadcast."""
        self.unix_s = unix_s
        self._hear(now_s)
        self._seat()
        changing = self.admission.next_line is not None
        self.holds.step(now_s, unix_s, self.dispatcher.line.epoch, changing)
        self._reconcile(now_s)
        if not len(
            self.dispatcher.line.rig
        ):  # rigs on a forgotten ladder run out their lease first
            self.admission.closed_until_s = self.hearing.foreign_s + self.means.lease_s
        self.admission.step(self.hearing.joining, now_s, unix_s)
        entries = self._entries(now_s)
        self.envelope = self.settled(entries, unix_s)
        horizon_s = lookahead.horizon_s(self.envelope.limit_w, self.means.down_w_per_s)
        ahead = lookahead.profile(
            entries, lambda words, at_s: self.settled(words, at_s).limit_w, unix_s, horizon_s
        )
        self._hold()
        metered_w = self._meter(now_s)
        self.decision = self.dispatcher.tick(now_s, self.envelope.limit_w, metered_w, ahead)
        dealt = bool(len(self.dispatcher.line.rig))
        self.seq += dealt
        self._record()  # on the disk before it is said: whoever follows knows all that is on lease
        if dealt:
            self._broadcast(publish, now_s)
        self._send_ladders(publish, now_s, unix_s)
        return self.decision

    def _reconcile(self, now_s: float) -> None:
        """Take from the count who is surely off: cut off for longer than a lease; and, when no
        budget went out for so long, everybody who has not been heard by another way.

        Else a hall that slept through a dead broker would wake in one step, as if it had run.
        """
        lasts_s = self.means.lease_s + OFF_SLACK_S
        off = self.fleet.surely_off(now_s, lasts_s)
        if now_s - self._said_s > lasts_s:
            off = np.flatnonzero(self.fleet.counted & self.fleet.silent(now_s, lasts_s))
        if len(off):
            self.fleet.uncount(off)

    def settled(self, entries: Iterable[Entry], unix_s: float) -> Envelope:
        """What these words come to at a time."""
        site = self.config.site
        return settle(entries, site.limit_w, site.default_w, unix_s, self.inbox.excused)

    def _entries(self, now_s: float) -> list[Entry]:
        """Everybody's word, and the frequency's."""
        entries = list(self.inbox.entries.values())
        if self._frequency is not None:
            made = self.decision
            floor_w, asked_w = (made.floor_w, made.asked_w) if made else (0, 0)
            said = self._frequency.entry(self.inbox.frequency, now_s, floor_w, asked_w)
            entries += [said] if said is not None else []
            self.inbox.quiet_hz = self._frequency.quiet_hz
        return entries

    def _seat(self) -> None:
        """Rigs heard for the first time get what the site's list says of them."""
        if self._seated < len(self.fleet):
            self.roster.seat(self.fleet, self._seated)
            self._seated = len(self.fleet)

    def _hear(self, now_s: float) -> None:
        for rig, kind, payload in self.inbox.take_rigs():
            refusal = self.hearing.hear(rig, kind, payload, now_s)
            if refusal:
                self.inbox.refuse("rigs", refusal)

    def _meter(self, now_s: float) -> int | None:
        """The meter's reading if it is a new one."""
        meter = self.inbox.meter if len(self.inbox.readings) < 2 else self._balanced(now_s)
        if meter is None or meter.at_s <= self._meter_at_s:
            return None
        self._meter_at_s = meter.at_s
        return meter.w if now_s - meter.at_s <= self.config.stale_s else None

    def _hold(self) -> None:
        """What rigs without a lease may draw beyond what they are admitted: others make room."""
        could_w = self.inbox.could_w
        if could_w:
            admitted_w = self.dispatcher.admitted_by_rig()
            self.held_w = slow.held_w(self.fleet, self.dispatcher.learner, admitted_w, could_w)
            self.dispatcher.means = replace(self.means, held_w=self.held_w)

    def _balanced(self, now_s: float) -> Reading | None:
        """The site's power as the meters together have it; who is found wrong goes on record."""
        readings, fleet = self.inbox.readings, self.fleet
        if fleet.silent(now_s, HEARD_S).mean() > UNHEARD if len(fleet) else True:
            return readings.get(SITE_METER)  # what rigs last said is no measure of now
        reported_w = balance.reported_w(fleet.power_w, fleet.node, self.roster.tree, readings)
        before = {name: verdict.fault for name, verdict in self.balance.verdicts.items()}
        auxiliary_w = float(self.config.site.auxiliary_w)
        for name, verdict in self.balance.look(readings, reported_w, auxiliary_w, now_s).items():
            if verdict.fault not in (balance.OK, before.get(name, balance.OK)):
                self.inbox.refuse(f"meter {name}", str(verdict))
        return self.balance.site_w(readings)

    def _broadcast(self, publish: Publish, now_s: float) -> None:
        assert self.decision is not None
        topic = topics.budget(self.config.site.name)
        body = messages.encode(
            "budget",
            {
                "term": self.term,
                "seq": self.seq,
                "epoch": self.decision.epoch,
                "admit_w": self.decision.admit_w,
                "budget_w": self.decision.budget_w,
                "ttl_ms": int(self.means.lease_s * 1000),
                "sent_ms": int((now_s + self._clock_s) * 1000),
            },
        )
        if publish(topic, mac.seal(self._budget_key, topic, body)):
            self._said_s = now_s

    def _send_ladders(self, publish: Publish, now_s: float, unix_s: float) -> None:
        orders = self.admission.send(now_s)
        for line in {id(line): line for _, line in orders}.values():
            rows = [row for row, its in orders if its is line]
            ladders = line.ladders(rows)
            for row in rows:
                self._command(publish, row, line, ladders.get(row, ()), now_s, unix_s)
        self.hearing.owed -= {row for row, _ in orders}
        for row in list(self.hearing.owed)[:200]:
            line = self.admission.next_line or self.dispatcher.line
            if self.fleet.counted[row]:
                self._command(publish, row, line, line.ladder(row), now_s, unix_s)
            self.hearing.owed.discard(row)

    def _command(
        self,
        publish: Publish,
        row: int,
        line: Line,
        ladder: tuple[Step, ...],
        now_s: float,
        unix_s: float,
    ) -> None:
        fleet, name = self.fleet, self.fleet.names[row]
        fleet.command[row] = max(int(fleet.command[row]), int(fleet.echoed[row]), int(unix_s)) + 1
        fleet.sent_s[row] = now_s
        topic = topics.rig(self.config.site.name, name, "cmd")
        body = messages.encode(
            "cmd",
            {
                "nonce": fleet.nonces[row],
                "id": int(fleet.command[row]),
                "term": self.term,
                "seq": self.seq,
                "epoch": line.epoch,
                "ladder": [list(step) for step in self.holds.cut(row, line.epoch, ladder)],
                "event": int(fleet.event_kept[row]),
            },
        )
        publish(topic, mac.seal(mac.rig_key(self._key, name), topic, body))

    # ---- the record

    def _event(self, rig: str, number: int, code: str, text: str) -> None:
        self.ledger.write("event", {"event": number, "code": code}, source=rig, why=text)

    def _record(self) -> None:
        assert self.decision is not None and self.envelope is not None
        for entry in self.inbox.take_news():
            limit_w = entry.limit_w(self.unix_s)
            same = self._said_w.get(entry.source, -1) == limit_w and len(entry.schedule) == 1
            self._said_w[entry.source] = limit_w
            body = memory.entry_body(entry) | {"same": same}
            self.ledger.write("signal", body, entry.source, entry.because)
        for refusal in self.inbox.take_refusals():
            self.ledger.write("refused", {}, refusal.source, refusal.because)
        if self._frequency is not None and self._frequency.keep() != self._given:
            self._given = self._frequency.keep()
            self.ledger.write("frequency", self._given)
        body = {"term": self.term, "seq": self.seq} | asdict(self.decision)
        self.ledger.write("decision", body, self.envelope.source, self.envelope.because)
        if self.seq % LEARNED_EVERY == 0:
            learned = self.dispatcher.learner.keep()
            self.ledger.write("learned", {"models": self.fleet.models, **learned})
        if self.admission.changed:
            self.admission.changed = False
            line = self.dispatcher.line
            self.ledger.write("deal", {"epoch": line.epoch, "steps": len(line.rig)})
            self.ledger.put_ladders(line.epoch, memory.pack(self.fleet, line))
        self.ledger.commit()

    def excuse(self, source: str, until_s: float, by: str) -> str:
        """Let the default of a source that is gone not count, until a time; why not, or "".

        What it says when it is heard again counts at once, and so does an emergency.
        """
        entry = self.inbox.entries.get(source)
        if entry is None or entry.bound:
            return f"{source!r} has said nothing that anybody could be excused from"
        if not entry.over(self.unix_s):
            return f"{source} is heard: its word counts until it ends or falls silent"
        if entry.emergency:
            return f"{source} ended in an emergency; only {source} can end that"
        self.inbox.excused[source] = until_s
        self.inbox.wake.set()
        self.ledger.write("excuse", {"until_s": until_s}, source, f"its default, by {by}")
        return ""

    def withdraw(self, source: str) -> bool:
        """Take back a source's word; whether there was one."""
        if not self.inbox.withdraw(source):
            return False
        self.ledger.write("signal", {"schedule": None}, source, "withdrawn")
        return True


def frequency_of(config: Config) -> Response | None:
    """How this site answers to the frequency, if it does."""
    wished = config.frequency
    if wished is None:
        return None
    return Response(
        Droop(
            wished.nominal_hz,
            wished.dead_band_hz,
            wished.droop_pct,
            wished.recovery_s,
            wished.restore_pct_per_min,
            wished.stale_s,
            wished.silent_pct / 100,
        )
    )
