"""What this rig is admitted to draw: joining, budgets, ladders, the lease.

Pure: sealed messages in, a level out; time comes as elapse(ms).  Nothing here may
raise the level but a fresh budget: not a command, not a replay, not the passing of
time.  The rules are those of the contract; a refusal is counted by its reason.

    joining --cmd with our nonce--> joined --budget--> admitted
       ^                              |                   |
       '---- lease or patience runs out, or a fault: a fresh nonce -'
"""

from protocols import ladder, mac, messages, topics

PATIENCE_MS = 15_000  # from joining to the first budget
EPOCHS_HELD = 2
DELAY_MS = 500  # a budget on its way for longer than the quickest by this much is late

JOINED, OBEYED, ECHO, BUDGET = "joined", "obeyed", "echo", "budget"


class Dispatch:
    """fresh() makes a nonce of 16 hex digits nobody can foresee."""

    def __init__(self, site: str, rig: str, budget_key: bytes, rig_key: bytes, fresh) -> None:
        self._budget_topic, self._budget_key = topics.budget(site), budget_key
        self._cmd_topic, self._rig_key = topics.rig(site, rig, "cmd"), rig_key
        self._fresh = fresh
        self._clock_ms = 0  # our own, from any beginning
        self.refused: dict[str, int] = {}  # reason -> count
        self._begin()

    def _begin(self) -> None:
        """Alone again: nothing heard before counts any more."""
        self.nonce = self._fresh()
        self.joined = False
        self.leased = False  # a budget was accepted since joining
        self.id = 0
        self._done = 0  # the last cmd whose words, if any, were taken
        self.words: list[tuple[int, str]] = []  # (cmd id, words) for who obeys them
        self.recorded_event = 0
        self.admitted = ladder.ASLEEP
        self.because = "waiting to be joined"
        self.term = self.seq = 0  # the last budget obeyed, or where we came in
        self._left_ms = 0
        self._ladders: dict[int, tuple[ladder.Step, ...]] = {}
        self._budget = (0, 0)  # epoch and position of the last one accepted
        self._quickest = (
            None,
            0,
        )  # (term, our clock less the sender's) of the least delayed budget

    @property
    def lease_ms(self) -> int:
        return self._left_ms if self.leased else 0

    @property
    def epoch(self) -> int:
        """The newest ladder held."""
        return max(self._ladders, default=0)

    def elapse(self, elapsed_ms: int) -> bool:
        """Time has passed.  True when the rig fell back and must join again."""
        self._clock_ms += elapsed_ms
        if not self.joined:
            return False
        self._left_ms -= elapsed_ms
        if self._left_ms > 0:
            return False
        self._begin()
        self.because = "the lease ran out"
        return True

    def leave(self, because: str) -> None:
        """Forget ladder and lease: the rig cannot run, and must join again when it can.

        Others are run in its place meanwhile; a rig that came back by itself would put
        the site above its budget.
        """
        if self.joined:
            self._begin()
        self.because = because

    def hear(self, topic: str, payload: bytes, unable: bool = False) -> str:
        """A message.  What it was: JOINED, OBEYED, ECHO, BUDGET, or "" when refused.

        unable: the rig cannot run, so there is nothing to join for; words are obeyed.
        """
        self._unable = unable
        if topic == self._budget_topic:
            return self._hear("budget", self._budget_key, topic, payload, self._on_budget)
        if topic == self._cmd_topic:
            return self._hear("cmd", self._rig_key, topic, payload, self._on_cmd)
        return self._refuse("topic")

    def _hear(self, kind: str, key: bytes, topic: str, payload: bytes, obey) -> str:
        if len(payload) > messages.SIZE_MAX + 128:
            return self._refuse(kind + " size")
        try:
            values = messages.decode(kind, mac.unseal(key, topic, payload))
        except mac.SealError:
            return self._refuse(kind + " seal")
        except messages.MessageError:
            return self._refuse(kind + " fields")
        return obey(values)

    def _on_budget(self, budget: dict) -> str:
        if self._unable:
            return self._refuse("budget in a fault")
        if not self.joined:
            return self._refuse("budget before joining")
        if (budget["term"], budget["seq"]) <= (self.term, self.seq):
            return self._refuse("budget not newer")
        left_ms = budget["ttl_ms"] - self._late_ms(budget)
        if left_ms <= 0:
            return self._refuse("budget too late")
        self.term, self.seq = budget["term"], budget["seq"]
        self._left_ms, self.leased = left_ms, True
        self._budget = (budget["epoch"], budget["admit_w"])
        self.admitted = self._admits()
        return BUDGET

    def _late_ms(self, budget: dict) -> int:
        """How much longer this one was on its way than the quickest of its term.

        A stalled connection must not stretch a lease beyond what the supervisor counts
        with.  Only differences of clocks are used, so nobody's need be right.
        """
        offset_ms = self._clock_ms - budget["sent_ms"]
        term, quickest_ms = self._quickest
        if term != budget["term"] or offset_ms < quickest_ms:
            self._quickest = (budget["term"], offset_ms)
        late_ms = offset_ms - self._quickest[1]
        return late_ms if late_ms > DELAY_MS else 0

    def _on_cmd(self, cmd: dict) -> str:
        if cmd["nonce"] != self.nonce:
            return self._refuse("cmd nonce")
        self._take_words(cmd)
        return self._refuse("cmd in a fault") if self._unable else self._on_ladder(cmd)

    def _on_ladder(self, cmd: dict) -> str:
        if cmd["id"] == self.id:
            return ECHO
        if cmd["id"] < self.id:
            return self._refuse("cmd not newer")
        if cmd["term"] < self.term:
            return self._refuse("cmd of an older term")
        try:
            steps = ladder.parse(cmd["ladder"])
        except ladder.LadderError:
            return self._refuse("cmd ladder")
        return self._obey(cmd, steps)

    def _take_words(self, cmd: dict) -> None:
        """Each once, however often the command is repeated."""
        if cmd["id"] > max(self._done, self.id):
            self._done = cmd["id"]
            lines = cmd.get("do", [])
            self.words += [(cmd["id"], line) for line in lines if isinstance(line, str)]

    def _obey(self, cmd: dict, steps: tuple) -> str:
        self.id = cmd["id"]
        self.recorded_event = max(self.recorded_event, cmd["event"])
        self.term, self.seq = max((self.term, self.seq), (cmd["term"], cmd["seq"]))
        self._hold(cmd["epoch"], steps)
        if self.joined:
            self.admitted = lower(self.admitted, self._admits())
            return OBEYED
        self.joined, self._left_ms = True, PATIENCE_MS
        self.because = "waiting for a budget"
        return JOINED

    def _hold(self, epoch: int, steps: tuple) -> None:
        self._ladders[epoch] = steps
        while len(self._ladders) > EPOCHS_HELD:
            del self._ladders[min(self._ladders)]

    def _admits(self) -> ladder.Admitted:
        """What the last budget allows on the ladders held now."""
        epoch, admit_w = self._budget
        if not self.leased:
            return ladder.ASLEEP
        if epoch not in self._ladders:
            self.because = f"no ladder of epoch {epoch}"
            return ladder.ASLEEP
        self.because = f"admitted at {admit_w} W of the merit order"
        return ladder.admit(self._ladders[epoch], admit_w)

    def _refuse(self, reason: str) -> str:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        return ""


def lower(one: ladder.Admitted, other: ladder.Admitted) -> ladder.Admitted:
    """Something that is not above either, whatever the watts of the levels are."""
    if one.level > other.level:
        one, other = other, one
    if one.level == other.level and one.next_level == other.next_level:
        return one if one.part_pm <= other.part_pm else other
    if one.part_pm == 0 or (one.next_level <= other.level):
        return one
    return ladder.Admitted(one.level, one.level, 0)
