"""One beat of the live site: hear, settle, decide, broadcast, record.

Everything the supervisor knows and says goes through here; sockets and files are
handed in.  Times: now_s is monotonic, unix_s is the wall clock (signals, ledger).
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from supervisor import lookahead, memory, slow
from supervisor.admission import Admission
from supervisor.config import Config
from supervisor.dispatcher import Before, Decision, Dispatcher, Means
from supervisor.envelope import Entry, Envelope, settle
from supervisor.fleet import Fleet
from supervisor.frequency import frequency_of
from supervisor.hearing import Hearing
from supervisor.holds import Holds
from supervisor.inbox import Inbox
from supervisor.leases import OFF_SLACK_S
from supervisor.ledger import Ledger
from supervisor.metering import Metering
from supervisor.policy import Policy
from supervisor.recorder import Recorder
from supervisor.roster import Roster
from supervisor.voice import Publish, Voice


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
        self.means = Means(
            config.site.auxiliary_w,
            config.site.margin_pct / 100,
            config.site.up_ramp_w_per_s,
            config.site.down_ramp_w_per_s,
            config.site.lease_s,
        )
        term = memory.next_term(ledger, config.site.name, unix_s)
        self.voice = Voice(config.site.name, key, term, now_s, unix_s)
        self.recorder = Recorder(ledger)
        self._remember(now_s)
        self.hearing = Hearing(self.fleet, self.recorder.event)
        self.holds = Holds(self.hearing, ledger, self.means.lease_s, unix_s)
        self.envelope: Envelope | None = None
        self.decision: Decision | None = None
        self.unix_s = 0.0
        self.held_w = 0  # as of the last tick
        auxiliary_w, limit_w = float(config.site.auxiliary_w), float(config.site.limit_w)
        self.metering = Metering(inbox, config.stale_s, auxiliary_w, limit_w)
        self._frequency = frequency_of(config)
        kept = ledger.last("frequency")
        if self._frequency is not None and kept is not None:
            self._frequency.recall(kept.body)

    @property
    def term(self) -> int:
        """Of this leadership."""
        return self.voice.term

    @property
    def seq(self) -> int:
        """Of its last budget."""
        return self.voice.seq

    def lead_again(self, unix_s: float) -> None:
        """With a new term: this supervisor was silent for so long that another could have led."""
        term = memory.next_term(self.ledger, self.config.site.name, unix_s)
        self.voice.term, self.voice.seq = term, 0
        self.inbox.wake.set()

    def _remember(self, now_s: float) -> None:
        """Take up where the last supervisor was."""
        kept, last = self.ledger.ladders(), memory.on_lease(self.ledger, self.means.lease_s)
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

    # ---- the beat

    def tick(self, now_s: float, unix_s: float, publish: Publish) -> Decision:
        """Hear, decide, record, broadcast."""
        self.unix_s = unix_s
        self._hear(now_s)
        self._seat()
        changing = self.admission.next_line is not None
        self.holds.step(now_s, unix_s, self.dispatcher.line.epoch, changing)
        self._reconcile(now_s)
        if not len(self.dispatcher.line.rig):
            # rigs on a forgotten ladder run out their lease first
            self.admission.closed_until_s = self.hearing.foreign_s + self.means.lease_s
        self.admission.step(self.hearing.joining, now_s, unix_s)
        entries = self._entries(now_s)
        self.envelope = self.settled(entries, unix_s)
        horizon_s = lookahead.horizon_s(self.envelope.limit_w, self.means.down_w_per_s)
        ahead = lookahead.profile(
            entries, lambda words, at_s: self.settled(words, at_s).limit_w, unix_s, horizon_s
        )
        self._hold()
        metered_w = self.metering.new_w(self.fleet, self.roster.tree, now_s)
        self.decision = self.dispatcher.tick(now_s, self.envelope.limit_w, metered_w, ahead)
        dealt = bool(len(self.dispatcher.line.rig))
        self.voice.seq += dealt
        self._record()  # on the disk before it is said: whoever follows knows all that is on lease
        if dealt:
            self.voice.broadcast(publish, self.decision, self.means.lease_s, now_s)
        self.voice.send_ladders(publish, self.admission, self.hearing, self.holds, now_s, unix_s)
        return self.decision

    def _reconcile(self, now_s: float) -> None:
        """Take from the count who is surely off: cut off for longer than a lease; and, when no
        budget went out for so long, everybody who has not been heard by another way.

        Else a hall that slept through a dead broker would wake in one step, as if it had run.
        """
        lasts_s = self.means.lease_s + OFF_SLACK_S
        off = self.fleet.surely_off(now_s, lasts_s)
        if now_s - self.voice.said_s > lasts_s:
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

    def _hold(self) -> None:
        """What rigs without a lease may draw beyond what they are admitted: others make room."""
        could_w = self.inbox.could_w
        if could_w:
            admitted_w = self.dispatcher.admitted_by_rig()
            self.held_w = slow.held_w(self.fleet, self.dispatcher.learner, admitted_w, could_w)
            self.dispatcher.means = replace(self.means, held_w=self.held_w)

    def _record(self) -> None:
        assert self.decision is not None and self.envelope is not None
        recorder = self.recorder
        recorder.heard(self.inbox, self.unix_s)
        if self._frequency is not None:
            recorder.frequency(self._frequency.keep())
        recorder.decision(self.term, self.seq, self.decision, self.envelope)
        recorder.learned(self.dispatcher, self.seq)
        if self.admission.changed:
            self.admission.changed = False
            recorder.dealt(self.dispatcher)
        self.ledger.commit()

    # ---- what people say of a source

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
