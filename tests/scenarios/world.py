"""A small site in memory: the real beat of the supervisor, real firmware decisions, a bad network.

Time is a number.  A rig here is the firmware's Dispatch and nothing else: it draws what
it has admitted, at once, which is the worst a real one could do.
"""

from itertools import count
from pathlib import Path

from firmware.dispatch import BUDGET, Dispatch
from protocols import mac, messages, topics
from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.holds import Hold
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.replica import LAG
from supervisor.sections.site import SiteConfig
from supervisor.site import Site

SITE = "tiny"
KEY = bytes(range(32))
UNIX_S = 1_800_000_000
LEASE_S = 10
SILENCE_S = 3  # of a leader, before the standby takes over
_nonces = count(1)


class Rig:
    """points: (watts, GH/s).  cut_at: when its connection broke."""

    def __init__(self, name: str, points: list[list[int]]) -> None:
        self.name, self.points = name, points
        self.cut_at: float | None = None
        self.faulted = False
        self.said: tuple[object, ...] = ()
        self.said_at = -100.0
        self.archive: list[tuple[str, bytes]] = []
        self.boot()

    def boot(self) -> None:
        keys = mac.budget_key(KEY), mac.rig_key(KEY, self.name)
        self.dispatch = Dispatch(SITE, self.name, *keys, lambda: f"{next(_nonces):016x}")

    @property
    def admitted_w(self) -> int:
        """Listed watts of the merit order it has taken."""
        held, total_w, before = self.dispatch.admitted, 0, 0
        for step in self.dispatch._ladders.get(self.dispatch._budget[0], ()):
            width_w = step.end_w - step.start_w
            if step.level <= held.level:
                total_w += width_w
            elif before == held.level and held.part_pm and step.level == held.next_level:
                total_w += width_w * held.part_pm // 1000
            before = step.level
        return total_w

    def hear(self, topic: str, payload: bytes) -> str:
        self.archive.append((topic, payload))
        if self.faulted:
            return ""
        return self.dispatch.hear(topic, payload)

    def hello(self) -> bytes:
        return messages.encode(
            "hello",
            {
                "nonce": self.dispatch.nonce,
                "model": "tiny",
                "firmware": "1",
                "boards": 1,
                "chips": 1,
                "floor_w": 10,
                "points": self.points,
                "wake_ms": 0,
                "up_w_per_s": 10_000,
            },
        )

    def state(self) -> bytes:
        told = self.dispatch
        word = (
            "fault"
            if self.faulted
            else "joining"
            if not told.joined
            else ("running" if told.admitted.level else "asleep")
        )
        return messages.encode(
            "state",
            {
                "up_ms": 1,
                "state": word,
                "level": told.admitted.level,
                "power_w": 10,
                "hash_ghs": 0,
                "hot_dc": 300,
                "inlet_dc": 200,
                "fan_rpm": 4000,
                "fan_pm": 0,
                "cap_level": 0 if self.faulted else len(self.points),
                "term": told.term,
                "seq": told.seq,
                "epoch": told.epoch,
                "lease_ms": max(0, told.lease_ms),
                "id": told.id,
                "event": 0,
                "why": "",
            },
        )


class World:
    """tick() lets one second pass.  budgets: (when, budget_w) as broadcast."""

    def __init__(
        self, folder: Path, tables: list[list[list[int]]], limit_w: int = 0, roster=None
    ) -> None:
        self._folder, self._roster = folder, roster
        self.rigs = {f"r{n}": Rig(f"r{n}", points) for n, points in enumerate(tables)}
        self.now_s = 0.0
        self.limit_w = limit_w
        self.budgets: list[tuple[float, int]] = []
        self.epochs: set[int] = set()
        self._path, self._takeovers = folder / "ledger.db", 0
        self.told: list[tuple] = []  # what a standby heard of the leader's ledger
        self.start()

    def start(self) -> None:
        """A supervisor from what the ledger holds."""
        site = SiteConfig(name=SITE, limit_mw=1.0, up_ramp_mw_per_min=60.0, lease_s=LEASE_S)
        self.inbox = Inbox()
        self.site = Site(
            Config(site=site),
            self.inbox,
            Ledger(self._path),
            KEY,
            self.now_s,
            UNIX_S + self.now_s,
            self._roster,
        )
        self.site.ledger.on_commit = lambda *news: self.told.append(news)
        # tables are the truth here, so no margin for doubt: the bound is tried at its edge
        learner = self.site.dispatcher.learner
        learner.worst_w = learner.likely_w  # type: ignore[method-assign]
        for rig in self.rigs.values():  # what the broker kept
            self.inbox.put_rig(rig.name, "hello", rig.hello())
            if rig.cut_at is not None:
                self.inbox.put_rig(rig.name, "link", b"down")

    def kill(self) -> None:
        """The supervisor, at this instant; a second later there is another."""
        self.site.ledger.close()
        self.tick(silent=True)
        self.start()

    def lose_ledger(self) -> None:
        """The supervisor and everything it knew."""
        self.site.ledger.close()
        self.tick(silent=True)
        for path in self._folder.glob(f"{self._path.name}*"):
            path.unlink()
        self.told.clear()  # a standby asks anew
        self.start()

    def takeover(self, lag: int, lost: frozenset[str]) -> None:
        """Nobody hears the leader; the standby, whose news end some beats before, takes its seat.

        The leader lives and speaks once more, after its successor's first word.
        """
        before, self._takeovers = self.site, self._takeovers + 1
        self._path = self._folder / f"standby-{self._takeovers}.db"
        ledger = Ledger(self._path)
        for rows, ladders in self.told[: len(self.told) - lag]:
            for row in rows:
                ledger.write(row.kind, row.body, row.source, row.why)
            if ladders:
                ledger.put_ladders(*ladders)
        if lag > LAG:
            ledger.forget_ladders()
        ledger.write("term", {"term": before.term}, why="no leader is heard")
        ledger.close()
        for _ in range(SILENCE_S):
            self.tick(silent=True)
        self.start()
        self.tick(lost=lost)
        self._speak(before, frozenset())
        before.ledger.close()

    def ask(self, limit_w: int) -> None:
        self.limit_w = limit_w

    def tick(self, lost: frozenset[str] = frozenset(), silent: bool = False) -> None:
        """One second.  lost: rigs that miss this second's messages; silent: no supervisor."""
        self.now_s += 1.0
        for rig in self.rigs.values():
            if rig.dispatch.elapse(1000) and rig.cut_at is None:
                self.inbox.put_rig(rig.name, "hello", rig.hello())
            self._tell(rig)
        if silent:
            return
        self._speak(self.site, lost)
        for rig in self.rigs.values():
            self._tell(rig)

    def _speak(self, site: Site, lost: frozenset[str]) -> None:
        """A beat of a supervisor, and what comes of it."""
        unix_s = UNIX_S + self.now_s
        site.inbox.put_signal(Entry("test", ((0.0, self.limit_w),), heard_s=unix_s))
        out: list[tuple[str, bytes]] = []

        def publish(topic: str, payload: bytes) -> bool:
            out.append((topic, payload))
            return True

        decision = site.tick(self.now_s, unix_s, publish)
        self.budgets.append((self.now_s, decision.budget_w))
        self.epochs.add(decision.epoch)
        for topic, payload in out:
            self._deliver(topic, payload, lost)
            self.check()

    def _deliver(self, topic: str, payload: bytes, lost: frozenset[str]) -> None:
        for rig in self.rigs.values():
            mine = topic in (topics.budget(SITE), topics.rig(SITE, rig.name, "cmd"))
            if mine and rig.cut_at is None and rig.name not in lost:
                rig.hear(topic, payload)

    def _tell(self, rig: Rig) -> None:
        """State on change and every ten seconds; a broken connection shows a while later."""
        if rig.cut_at is not None:
            if rig.cut_at and self.now_s - rig.cut_at == 3.0:
                self.inbox.put_rig(rig.name, "link", b"down")
            return
        told = rig.dispatch
        said = (rig.faulted, told.joined, told.admitted, told.id, told.epoch, told.nonce)
        if said != rig.said or self.now_s - rig.said_at >= 10:
            rig.said, rig.said_at = said, self.now_s
            self.inbox.put_rig(rig.name, "state", rig.state())

    # ---- what befalls a rig

    def cut(self, name: str) -> None:
        self.rigs[name].cut_at = self.now_s

    def mend(self, name: str) -> None:
        rig = self.rigs[name]
        if rig.cut_at is not None:
            rig.cut_at, rig.said = None, ()
            self.inbox.put_rig(name, "link", b"up")
            self.inbox.put_rig(name, "hello", rig.hello())

    def reboot(self, name: str) -> None:
        self.rigs[name].boot()
        self.rigs[name].said = ()
        if self.rigs[name].cut_at is None:
            self.inbox.put_rig(name, "hello", self.rigs[name].hello())

    def fault(self, name: str) -> None:
        rig = self.rigs[name]
        rig.dispatch.leave("a fault")
        rig.faulted, rig.said = True, ()
        if rig.cut_at is None:
            self.inbox.put_rig(name, "hello", rig.hello())

    def hold(self, name: str, level: int, seconds: int) -> None:
        """Somebody holds it back until a time."""
        if name in self.site.fleet.row_of:
            until_s = UNIX_S + self.now_s + seconds
            self.site.holds.put(name, Hold(level=level, until_s=until_s, by="ann"))

    def let_go(self, name: str) -> None:
        self.site.holds.release(name, "ann")

    def heal(self, name: str) -> None:
        self.rigs[name].faulted = False

    def replay(self, name: str, back: int) -> None:
        """Somebody plays an old message to a rig again: it must never gain by it."""
        rig = self.rigs[name]
        if rig.archive:
            before_w = rig.admitted_w
            taken = rig.dispatch.hear(*rig.archive[-1 - back % len(rig.archive)])
            assert rig.admitted_w <= before_w and taken != BUDGET, "a replay was obeyed"

    # ---- the promise

    @property
    def admitted_w(self) -> int:
        return sum(rig.admitted_w for rig in self.rigs.values())

    @property
    def allowed_w(self) -> int:
        """The highest budget any lease still running can come from."""
        return max((w for at, w in self.budgets if self.now_s - at <= LEASE_S), default=0)

    def check(self) -> None:
        assert self.admitted_w <= self.allowed_w, (
            f"at {self.now_s:.0f} s rigs admit {self.admitted_w} W of {self.allowed_w} W"
        )
