"""What the site says to its rigs: one sealed budget for all, and to each its ladder.

Says what was decided and decides nothing.  Times: now_s is monotonic, unix_s the wall clock.
"""

from collections.abc import Callable

from protocols import mac, messages, topics
from protocols.ladder import Step
from supervisor.admission import Admission
from supervisor.dispatcher import Decision
from supervisor.hearing import Hearing
from supervisor.holds import Holds
from supervisor.line import Line

Publish = Callable[[str, bytes], bool]
OWED_MAX = 200  # events echoed in one beat


class Voice:
    """One leadership's.  term: above that of any before; seq: of its last budget."""

    def __init__(self, site: str, key: bytes, term: int, now_s: float, unix_s: float) -> None:
        self.term, self.seq = term, 0
        self.said_s = now_s  # when a budget last went out; those of others may be on lease still
        self._site, self._key, self._budget_key = site, key, mac.budget_key(key)
        self._clock_s = unix_s - now_s  # so that what is sent never steps with the clock

    def broadcast(self, publish: Publish, decision: Decision, lease_s: float, now_s: float) -> None:
        """The budget, under the number seq."""
        topic = topics.budget(self._site)
        body = messages.encode(
            "budget",
            {
                "term": self.term,
                "seq": self.seq,
                "epoch": decision.epoch,
                "admit_w": decision.admit_w,
                "budget_w": decision.budget_w,
                "ttl_ms": int(lease_s * 1000),
                "sent_ms": int((now_s + self._clock_s) * 1000),
            },
        )
        if publish(topic, mac.seal(self._budget_key, topic, body)):
            self.said_s = now_s

    def send_ladders(
        self,
        publish: Publish,
        admission: Admission,
        hearing: Hearing,
        holds: Holds,
        now_s: float,
        unix_s: float,
    ) -> None:
        """To everybody who is due; and to who has told of an event, so that it is echoed."""
        fleet = hearing.fleet

        def command(row: int, line: Line, ladder: tuple[Step, ...]) -> None:
            fleet.command[row] = (
                max(int(fleet.command[row]), int(fleet.echoed[row]), int(unix_s)) + 1
            )
            fleet.sent_s[row] = now_s
            self._command(publish, hearing, row, line.epoch, holds.cut(row, line.epoch, ladder))

        orders = admission.send(now_s)
        for line in {id(line): line for _, line in orders}.values():
            rows = [row for row, its in orders if its is line]
            ladders = line.ladders(rows)
            for row in rows:
                command(row, line, ladders.get(row, ()))
        hearing.owed -= {row for row, _ in orders}
        for row in list(hearing.owed)[:OWED_MAX]:
            line = admission.next_line or admission.dispatcher.line
            if fleet.counted[row]:
                command(row, line, line.ladder(row))
            hearing.owed.discard(row)

    def _command(
        self, publish: Publish, hearing: Hearing, row: int, epoch: int, ladder: tuple[Step, ...]
    ) -> None:
        fleet, name = hearing.fleet, hearing.fleet.names[row]
        topic = topics.rig(self._site, name, "cmd")
        body = messages.encode(
            "cmd",
            {
                "nonce": fleet.nonces[row],
                "id": int(fleet.command[row]),
                "term": self.term,
                "seq": self.seq,
                "epoch": epoch,
                "ladder": [list(step) for step in ladder],
                "event": int(fleet.event_kept[row]),
            },
        )
        publish(topic, mac.seal(mac.rig_key(self._key, name), topic, body))
