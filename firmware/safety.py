"""When the rig must not hash: ten times a second, whatever the network says.

Pure: readings with ages in, a verdict out.  The rules are a table; each has a
condition that must hold for its delay, so that no single sample decides.

    well --condition for delay_ms--> tripped --gone, and hold_ms over--> well
                                        |  held twice as long after every return
                                        '--returned more than `retries` times--> latched

A latched rule ends with the power of the controller: a person has been there.
"""

from collections import namedtuple

from firmware.derate import DOWN, LOW

# hash power off; one board off, the others go on; LOW and DOWN only lower the cap
OFF, BOARD = "off", "board"
EVER = 1_000_000  # retries of a rule that never latches
GOOD_MS = 600_000  # so long without trouble, and the returns are forgotten
HOLD_MS_MAX = 600_000
LONG_MS = 1_000_000  # nobody counts further; keeps the numbers small

Rule = namedtuple("Rule", ("code", "limit", "clear", "delay_ms", "action", "hold_ms", "retries"))
# limit trips, clear is where it counts as gone; what each is about, and its units:
# protocols/meanings.py
RULES = (
    Rule("overheat", 720, 500, 500, OFF, 60_000, 3),
    Rule("hot", 650, 600, 1_000, DOWN, 0, EVER),
    Rule("inlet-hot", 450, 420, 5_000, DOWN, 0, EVER),
    Rule("sensor-lost", 700, 700, 0, LOW, 0, EVER),
    Rule("sensor-dead", 700, 700, 6_000, OFF, 30_000, 5),
    Rule("fan-stopped", 500, 500, 1_000, OFF, 0, 0),
    Rule(
        "fan-weak", 800, 850, 10_000, DOWN, 10_000, EVER
    ),  # longer than the fans need to full speed
    Rule("fan-odd", 1_500, 1_500, 3_000, LOW, 10_000, EVER),
    Rule("supply-fault", 0x003C, 0x003C, 300, OFF, 30_000, 3),
    Rule("supply-missing", 900, 900, 300, OFF, 10_000, 5),
    Rule("supply-lost", 1_000, 1_000, 0, LOW, 0, EVER),
    Rule("supply-dead", 5_000, 5_000, 0, OFF, 10_000, EVER),
    Rule("supply-stays-on", 200, 200, 5_000, OFF, 10_000, EVER),
    Rule("loop-late", 1_000, 1_000, 0, OFF, 5_000, EVER),
    Rule("board-lost", 0, 0, 0, BOARD, 10_000, 5),
    Rule("board-slow", 500, 500, 12_000, BOARD, 10_000, 5),
    Rule("board-wrong", 300, 300, 7_000, BOARD, 10_000, 5),
    Rule("chips-wrong", 50, 20, 7_000, DOWN, 0, EVER),
    Rule("board-clock", 1, 1, 0, BOARD, 10_000, 5),
    Rule("board-dead", 0, 0, 0, OFF, 0, EVER),
    Rule("restarts", 0, 0, 0, OFF, 0, EVER),
)

# what a sound fan must have reached by now, and the most it can still have
Fan = namedtuple("Fan", ("rpm", "expected_rpm", "most_rpm"))
Supply = namedtuple("Supply", ("status", "mv", "want_mv", "input_w", "age_ms"))
# hash_ms: how long hash power has been on (above 0) or off (below 0)
# a hash board: what is wrong with it in words, or ""; what its chips do, as counters.Chain
# has it; the fewest chips it may run with, 0 while it does not hash
Board = namedtuple("Board", ("why", "chain", "least"))
# board, restarts: what is wrong with all of them, in words, or ""
Snapshot = namedtuple(
    "Snapshot",
    ("elapsed_ms", "hash_ms", "sensors", "fans", "supply", "board", "restarts", "boards"),
)
# fault: a rule has hash power off; trouble: fans to full; cap: LOW, DOWN or ""; boards: those
# that must not run, number -> why
Verdict = namedtuple(
    "Verdict", ("may_hash", "fault", "cap", "trouble", "code", "because", "boards")
)
Change = namedtuple("Change", ("code", "text"))

SETTLE_MS = 2_000  # after switching on, until the rail must stand


class Watch:
    """One rule over time; of a rule about boards there is one for each."""

    def __init__(self, rule: Rule, board: int = -1) -> None:
        self.rule, self.board = rule, board
        self.active = False
        self.because = ""  # in words; of the last time, when it is over
        self._for_ms = 0  # the condition has held so long
        self._held_ms = 0
        self._good_ms = 0
        self._returns = 0

    @property
    def latched(self) -> bool:
        return self.active and self._returns > self.rule.retries

    def step(self, because: str, elapsed_ms: int) -> bool:
        """because: the condition in words, "" when it does not hold.  True on a change."""
        self._for_ms = min(LONG_MS, self._for_ms + elapsed_ms) if because else 0
        if not self.active:
            self._forget(elapsed_ms)
            if because and self._for_ms > self.rule.delay_ms:
                self.active, self.because, self._held_ms = True, because, 0
                self._returns += 1
                return True
            return False
        self._held_ms = 0 if because else min(LONG_MS, self._held_ms + elapsed_ms)
        if self.latched or because or self._held_ms < self._hold_ms():
            return False
        self.active, self._good_ms = False, 0
        return True

    def _hold_ms(self) -> int:
        return min(HOLD_MS_MAX, self.rule.hold_ms << min(self._returns - 1, 8))

    def _forget(self, elapsed_ms: int) -> None:
        self._good_ms = min(LONG_MS, self._good_ms + elapsed_ms)
        if self._good_ms >= GOOD_MS:
            self._returns = 0


class Safety:
    def __init__(self, rules: tuple = RULES) -> None:
        self._rules = rules
        # of conditions that have held at least once, by place in the table and board
        self._watches: dict[tuple[int, int], Watch] = {}
        self.changes: list[Change] = []  # what the last step changed, for the event list

    def step(self, snapshot: Snapshot) -> Verdict:
        """One turn of the loop."""
        self.changes = []
        for place, rule in enumerate(self._rules):
            if rule.action != BOARD:
                self._step(place, -1, snapshot, snapshot.elapsed_ms)
                continue
            for number, board in enumerate(snapshot.boards):
                self._step(place, number, board, snapshot.elapsed_ms)
        return self._verdict(snapshot)

    def _step(self, place: int, number: int, seen, elapsed_ms: int) -> None:
        """seen: the whole snapshot, or one board of it."""
        rule, watch = self._rules[place], self._watches.get((place, number))
        because = CONDITIONS[rule.code](seen, _limit(rule, watch is not None and watch.active))
        if because and number >= 0:
            because = f"board {number}: {because}"
        if watch is None:
            if not because:
                return
            watch = self._watches[place, number] = Watch(rule, number)
        if watch.step(because, elapsed_ms):
            self.changes.append(_change(watch))

    def _verdict(self, snapshot: Snapshot) -> Verdict:
        """Off before low before down before a board; the first rule of the worst kind says why."""
        worst: dict[str, Watch] = {}
        boards: dict[int, str] = {}
        for key in sorted(self._watches):
            watch = self._watches[key]
            if watch.active:
                worst.setdefault(watch.rule.action, watch)
                if watch.board >= 0:
                    boards.setdefault(watch.board, watch.because)
        known = _known(snapshot)
        for action in (OFF, LOW, DOWN, BOARD):
            if action in worst:
                watch, fault = worst[action], action == OFF
                cap = action if action in (LOW, DOWN) else ""
                because = f"{watch.rule.code}: {watch.because}"
                trouble = action != BOARD or not known
                return Verdict(
                    not fault and known, fault, cap, trouble, watch.rule.code, because, boards
                )
        if not known:
            return Verdict(False, False, "", True, "", "waiting for the first readings", boards)
        return Verdict(True, False, "", False, "", "", boards)


def _limit(rule: Rule, active: bool) -> int:
    return rule.clear if active else rule.limit


def _change(watch: Watch) -> Change:
    if not watch.active:
        return Change(watch.rule.code, f"over: {watch.because}")
    latched = "; latched, needs a person" if watch.latched else ""
    return Change(watch.rule.code, f"{watch.because}{latched}")


def _known(snapshot: Snapshot) -> bool:
    """Every sensor and the supply have spoken since the controller started."""
    for sensor in snapshot.sensors:
        if sensor.dc is None:
            return False
    return snapshot.supply.status is not None


def _above(kind: str):
    """Not "at or above": what cannot be compared must count as hot."""

    def check(snapshot: Snapshot, limit_dc: int) -> str:
        for sensor in snapshot.sensors:
            if sensor.kind == kind and sensor.dc is not None and not sensor.dc < limit_dc:
                return f"{sensor.name} at {sensor.dc // 10} C"
        return ""

    return check


def _sensor_lost(snapshot: Snapshot, limit_ms: int) -> str:
    for sensor in snapshot.sensors:
        if sensor.doubt:
            return f"{sensor.name} {sensor.doubt}"
        if not sensor.age_ms < limit_ms:
            return f"{sensor.name} not heard for {sensor.age_ms} ms"
    return ""


def _fan_below(snapshot: Snapshot, limit_pm: int) -> str:
    for number, fan in enumerate(snapshot.fans):
        if not fan.rpm * 1000 >= fan.expected_rpm * limit_pm:
            return f"fan {number} at {fan.rpm} rpm of {fan.expected_rpm}"
    return ""


def _fan_above(snapshot: Snapshot, limit_pm: int) -> str:
    for number, fan in enumerate(snapshot.fans):
        if not fan.rpm * 1000 <= fan.most_rpm * limit_pm:
            return f"fan {number} tells {fan.rpm} rpm"
    return ""


def _supply_fault(snapshot: Snapshot, mask: int) -> str:
    """Over-voltage, over-current, input too low, too hot; the OFF bit alone lies in the field."""
    status = snapshot.supply.status or 0
    return f"supply status 0x{status:04x}" if status & mask else ""


def _supply_missing(snapshot: Snapshot, limit_pm: int) -> str:
    supply = snapshot.supply
    if snapshot.hash_ms < SETTLE_MS or supply.mv is None:
        return ""
    if supply.mv * 1000 >= supply.want_mv * limit_pm:
        return ""
    return f"supply at {supply.mv} mV of {supply.want_mv}"


def _supply_silent(snapshot: Snapshot, limit_ms: int) -> str:
    age_ms = snapshot.supply.age_ms
    return "" if age_ms < limit_ms else f"supply not heard for {age_ms} ms"


def _supply_stays_on(snapshot: Snapshot, limit_w: int) -> str:
    input_w = snapshot.supply.input_w or 0
    if snapshot.hash_ms >= 0 or input_w < limit_w:
        return ""
    return f"supply draws {input_w} W with hash power off"


def _loop_late(snapshot: Snapshot, limit_ms: int) -> str:
    if snapshot.elapsed_ms < limit_ms:
        return ""
    return f"safety loop held up for {snapshot.elapsed_ms} ms"


def _board_dead(snapshot: Snapshot, _limit: int) -> str:
    return snapshot.board


def _board_lost(board: Board, _limit: int) -> str:
    chips = board.chain.chips
    if board.why or chips >= board.least:
        return board.why
    return f"{chips} of at least {board.least} chips answer"


def _board_slow(board: Board, limit_pm: int) -> str:
    ghs, expected_ghs = board.chain.ghs, board.chain.expected_ghs
    if ghs * 1000 >= expected_ghs * limit_pm:
        return ""
    return f"makes {ghs} of {expected_ghs} GH/s"


def _board_wrong(board: Board, limit_pm: int) -> str:
    wrong_pm = board.chain.wrong_pm
    return f"{wrong_pm // 10} % of its hashes are wrong" if wrong_pm >= limit_pm else ""


def _chips_wrong(snapshot: Snapshot, limit_pm: int) -> str:
    for number, board in enumerate(snapshot.boards):
        because = _board_wrong(board, limit_pm)
        if because:
            return f"board {number}: {because}"
    return ""


def _board_clock(board: Board, limit: int) -> str:
    odd = board.chain.odd
    return f"{odd} chips run at another clock than theirs" if odd >= limit else ""


def _restarts(snapshot: Snapshot, _limit: int) -> str:
    return snapshot.restarts


CONDITIONS = {
    "overheat": _above("outlet"),
    "hot": _above("outlet"),
    "inlet-hot": _above("inlet"),
    "sensor-lost": _sensor_lost,
    "sensor-dead": _sensor_lost,
    "fan-stopped": _fan_below,
    "fan-weak": _fan_below,
    "fan-odd": _fan_above,
    "supply-fault": _supply_fault,
    "supply-missing": _supply_missing,
    "supply-lost": _supply_silent,
    "supply-dead": _supply_silent,
    "supply-stays-on": _supply_stays_on,
    "loop-late": _loop_late,
    "board-lost": _board_lost,
    "board-slow": _board_slow,
    "board-wrong": _board_wrong,
    "chips-wrong": _chips_wrong,
    "board-clock": _board_clock,
    "board-dead": _board_dead,
    "restarts": _restarts,
}
