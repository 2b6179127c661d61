"""The real supervisor on the bench's clock: its beat, its ledger, the bench's broker.

    with Bench(folder) as bench:
        supervised = Supervised(bench, limit_w=100_000)
        rigs = [bench.rig(f"rig-{n}") for n in range(4)]
        supervised.limit(8_000)  # the grid's word; decided on at once
        bench.run(120)

Takes the place of bench.site, which falls silent and goes on listening.
"""

from hil.bench import Bench
from hil.peer import UNIX_S
from protocols import topics
from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.link import HEARD
from supervisor.sections.site import SiteConfig
from supervisor.site import Site

BEAT_S = 1.0
GRID = "grid"


class Supervised:
    """meter: whether the site's meter is read, every second and exactly.  site: None while dead."""

    def __init__(
        self,
        bench: Bench,
        limit_w: int,
        *,
        auxiliary_w: int = 0,
        lease_s: float = 5.0,
        meter: bool = True,
    ) -> None:
        self._bench, self.meter, self._auxiliary_w = bench, meter, auxiliary_w
        self._config = Config(
            site=SiteConfig(
                name=bench.site.name,
                limit_mw=limit_w / 1e6,
                default_mw=limit_w / 1e6,
                auxiliary_kw=auxiliary_w / 1e3,
                lease_s=lease_s,
            )
        )
        self._grid: Entry | None = None
        bench.site.silence()
        for kind in HEARD:
            bench.broker.subscribe(topics.rig(bench.site.name, "+", kind), self._hear)
        self.site: Site | None = None
        self.inbox = Inbox()
        self.start()
        bench.every(BEAT_S, self._beat)

    @property
    def drawn_w(self) -> float:
        """What the site's meter would read now."""
        return self._auxiliary_w + sum(rig.power_w for rig in self._bench.rigs.values())

    def start(self) -> None:
        """A supervisor, from what its ledger and the broker hold."""
        self.inbox = Inbox()
        ledger = Ledger(self._bench.folder / "ledger.db", clock=self._unix_s)
        now_s = self._bench.now_s
        self.site = Site(
            self._config, self.inbox, ledger, self._bench.site.key, now_s, self._unix_s()
        )
        for topic, payload in list(self._bench.broker.retained.items()):
            self._hear(topic, payload)
        if self._grid:
            self.inbox.put_signal(self._grid)

    def kill(self) -> None:
        """As kill -9 does: rigs run out their leases."""
        self._bench.note("supervisor: gone")
        if self.site:
            self.site.ledger.close()
        self.site = None

    def limit(self, watts: int) -> None:
        """The grid's word from now on; decided on at once."""
        self._bench.note(f"supervisor: the grid says {watts} W")
        now_s = self._unix_s()
        self._grid = Entry(GRID, ((now_s, watts),), heard_s=now_s, seq=round(now_s * 1000))
        self.inbox.put_signal(self._grid)
        self._tick()

    def _beat(self) -> None:
        if self.meter and self.site:
            self.inbox.put_meter(round(self.drawn_w), self._bench.now_s)
        self._tick()

    def _tick(self) -> None:
        if self.site:
            self.inbox.wake.clear()
            self.site.tick(self._bench.now_s, self._unix_s(), self._publish)

    def _publish(self, topic: str, payload: bytes) -> bool:
        self._bench.broker.publish(topic, payload, by="supervisor")
        return True

    def _hear(self, topic: str, payload: bytes) -> None:
        named = topics.parse(topic)
        if named and self.site:
            self.inbox.put_rig(named[1], named[2], payload)

    def _unix_s(self) -> float:
        return UNIX_S + self._bench.now_s
