"""Alarms of the live site: a step a beat, every change into the ledger and out to people."""

import os
import shutil
from collections import deque
from collections.abc import Callable

import msgspec

from supervisor.alarms import measures
from supervisor.alarms import step as steps
from supervisor.alarms.rules import BY_NAME, SEVERITIES
from supervisor.alarms.state import CLEARED, MERGED, Alarm, Change, Silence, State
from supervisor.ledger import Ledger
from supervisor.places import NOWHERE, Where, where
from supervisor.site import Site
from supervisor.table import Table
from supervisor.view import AlarmView, SilenceView

KIND, SILENCES = "alarm", "silence"
MINUTE_S = 60.0
DISK_S = 10.0  # between looks at the disk
DISK_MB = 2000.0  # less than this is short


class Rate:
    """How much a total has grown within the last minute."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def per_min(self, name: str, total: int, now_s: float) -> float:
        seen = self._seen.setdefault(name, deque([(now_s, total)]))
        seen.append((now_s, total))
        while seen[0][0] < now_s - MINUTE_S:
            seen.popleft()
        return float(total - seen[0][1])


class Keeper:
    """look() once a beat.  tell: called with what is news.

    More is measured by whoever puts it into `others`: measure -> subject -> value.
    """

    def __init__(
        self, site: Site, tell: Callable[[list[Change]], None] = lambda news: None
    ) -> None:
        self._site, self._tell = site, tell
        self.others: dict[str, Callable[[], dict[str, float]]] = {}
        self._began_s = self._before_s = self._disk_s = -1e18
        self._clock_s: float | None = None
        self._disk: dict[str, float] = {}
        self._rate = Rate()
        self._where, self._where_key = NOWHERE, (0, 0)
        self.state: State | None = None

    def look(self, now_s: float, table: Table, asked_w: list[int]) -> None:
        """One step, from the beat that was."""
        if self.state is None:
            self._began_s = self._before_s = now_s
            self.state = remembered(self._site.ledger, now_s, self._site.unix_s)
        standing = self.where_of(table)
        snapshot = measures.taken(
            self._site, table, standing, now_s, self._began_s, self._others(now_s), asked_w
        )
        self.state, changes = steps.step(snapshot, self.state)
        self._record(changes)

    def where_of(self, table: Table) -> Where:
        """Where all rigs stand; looked up anew only when there are more, or one was placed."""
        key = len(table.fleet), int(table.fleet.node.sum())
        if key != self._where_key:
            self._where, self._where_key = where(table.places()), key
        return self._where

    def _others(self, now_s: float) -> measures.Numbers:
        site, rate = self._site, self._rate.per_min
        clock_s, late_s = site.unix_s - now_s, now_s - self._before_s - site.config.site.broadcast_s
        stepped_s = abs(clock_s - self._clock_s) if self._clock_s is not None else 0.0
        self._clock_s, self._before_s = clock_s, now_s
        found = {
            "beat.late_s": {"": late_s},
            "clock.step_s": {"": stepped_s},
            "inbox.lost_per_min": {"": rate("lost", site.inbox.lost, now_s)},
            "source.refused_per_min": {
                source: rate(f"refused {source}", total, now_s)
                for source, total in site.inbox.refused.items()
            },
            "disk.short_mb": self._look_at_disk(now_s),
        }
        return found | {measure: take() for measure, take in self.others.items()}

    def _look_at_disk(self, now_s: float) -> dict[str, float]:
        if now_s - self._disk_s >= DISK_S:
            self._disk_s, folder = now_s, self._site.ledger.path.parent
            free_mb = shutil.disk_usage(folder).free / 1e6 if os.path.isdir(folder) else 0.0
            self._disk = {"": DISK_MB - free_mb}
        return self._disk

    def per_min(self, name: str, total: int) -> float:
        """For others: how much a total of theirs has grown within a minute."""
        return self._rate.per_min(name, total, self._before_s)

    def _record(self, changes: list[Change]) -> None:
        for change in changes:
            body = {"change": change.change} | msgspec.to_builtins(change.alarm)
            text = f"{change.change}: {change.alarm.text}"
            self._site.ledger.write(KIND, body, change.alarm.key, text)
        if changes:
            self._site.ledger.commit()
            self._tell(changes)

    # ---- what people see and do

    def views(self) -> list[AlarmView]:
        """What stands, the worst first, then the newest."""
        state, unix_s = self.state, self._site.unix_s
        found = [] if state is None else [view(a, state, unix_s) for a in state.alarms.values()]
        return sorted(found, key=lambda a: (SEVERITIES.index(a.severity), -a.since_s, a.key))

    def silences(self) -> list[SilenceView]:
        wishes = [] if self.state is None else self.state.silences.values()
        return [
            SilenceView(rule=w.rule, subject=w.subject, until_s=w.until_s, by=w.by, why=w.why)
            for w in wishes
            if self._site.unix_s < w.until_s
        ]

    def acknowledge(self, key: str, by: str) -> bool:
        """Whether there is such an alarm."""
        if self.state is None or key not in self.state.alarms:
            return False
        self.state, changes = steps.acknowledge(self.state, key, by, self._site.unix_s)
        self._record(changes)
        return True

    def silence(self, wish: Silence) -> None:
        """Also ends one, by an end that has passed."""
        if self.state is not None:
            self.state = steps.silence(self.state, wish)
        self._site.ledger.write(SILENCES, msgspec.to_builtins(wish), wish.key, wish.why)
        self._site.ledger.commit()


def view(alarm: Alarm, state: State, unix_s: float) -> AlarmView:
    rule = BY_NAME[alarm.rule]
    return AlarmView(
        key=alarm.key,
        rule=alarm.rule,
        subject=alarm.subject,
        severity=alarm.severity,
        since_s=alarm.since_s,
        count=alarm.count,
        rigs=alarm.rigs,
        text=alarm.text,
        means=rule.means,
        check=rule.check,
        tool=rule.tool,
        acked_by=alarm.acked_by,
        acked_s=alarm.acked_s,
        silenced=any(wish.covers(alarm, unix_s) for wish in state.silences.values()),
    )


def remembered(ledger: Ledger, now_s: float, unix_s: float) -> State:
    """What stood when the last supervisor ended."""
    alarms = [
        msgspec.convert({k: v for k, v in row.body.items() if k != "change"}, Alarm)
        for row in ledger.last_by_source(KIND)
        if row.body["change"] not in (CLEARED, MERGED)
    ]
    wishes = [msgspec.convert(row.body, Silence) for row in ledger.last_by_source(SILENCES)]
    return steps.taken_over(alarms, [wish for wish in wishes if unix_s < wish.until_s], now_s)
