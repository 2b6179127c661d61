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

OFF = "off"  # hash power off; LOW and DOWN only lower the cap
EVER = 1_000_000  # retries of a rule that never latches
GOOD_MS = 600_000  # so long without trouble, and the returns are forgotten
HOLD_MS_MAX = 600_000
LONG_MS = 1_000_000  # nobody counts further; keeps the numbers small

Rule = namedtuple(
    "Rule", ("code", "limit", "clear", "delay_ms", "action", "hold_ms", "retries", "words")
)
# limit trips, clear is where it counts as gone; units as in the words
RULES = (
    Rule("overheat", 720, 500, 500, OFF, 60_000, 3, "an outlet above 72 C"),
    Rule("hot", 650, 600, 1_000, DOWN, 0, EVER, "an outlet above 65 C"),
    Rule("inlet-hot", 450, 420, 5_000, DOWN, 0, EVER, "air comes in above 45 C"),
    Rule("sensor-lost", 700, 700, 0, LOW, 0, EVER, "a temperature is not known"),
    Rule("sensor-dead", 700, 700, 6_000, OFF, 30_000, 5, "a temperature stays unknown"),
    Rule("fan-stopped", 500, 500, 1_000, OFF, 0, 0, "a fan turns at less than half its speed"),
    Rule(
        "fan-weak",
        800,
        850,
        10_000,
        DOWN,
        10_000,  # longer than the fans need to full speed, where a weak one shows
        EVER,
        "a fan turns at less than 80 % of its speed",
    ),
    Rule(
        "fan-odd",
        1_500,
        1_500,
        3_000,
        LOW,
        10_000,
        EVER,
        "a fan tells half again the speed it can have",
    ),
    Rule("supply-fault", 0x003C, 0x003C, 300, OFF, 30_000, 3, "the supply reports a fault"),
    Rule(
        "supply-missing",
        900,
        900,
        300,
        OFF,
        10_000,
        5,
        "the supply gives less than 90 % of its volts",
    ),
    Rule("supply-lost", 1_000, 1_000, 0, LOW, 0, EVER, "the supply does not answer"),
    Rule("supply-dead", 5_000, 5_000, 0, OFF, 10_000, EVER, "the supply stays silent"),
    Rule(
        "supply-stays-on",
        200,
        200,
        5_000,
        OFF,
        10_000,
        EVER,
        "watts flow although hash power is off",
    ),
    Rule(
        "loop-late", 1_000, 1_000, 0, OFF, 5_000, EVER, "the safety loop was held up for a second"
    ),
    Rule("board-dead", 0, 0, 0, OFF, 10_000, EVER, "the hash boards do not start or answer"),
    Rule("restarts", 0, 0, 0, OFF, 0, EVER, "the controller keeps restarting: a pause first"),
)

# what a sound fan must have reached by now, and the most it can still have
Fan = namedtuple("Fan", ("rpm", "expected_rpm", "most_rpm"))
Supply = namedtuple("Supply", ("status", "mv", "want_mv", "input_w", "age_ms"))
# hash_ms: how long hash power has been on (above 0) or off (below 0)
# board, restarts: what is wrong with them, in words, or ""
Snapshot = namedtuple(
    "Snapshot", ("elapsed_ms", "hash_ms", "sensors", "fans", "supply", "board", "restarts")
)
# fault: a rule has hash power off; trouble: fans to full; cap: LOW, DOWN or ""
Verdict = namedtuple("Verdict", ("may_hash", "fault", "cap", "trouble", "code", "because"))
Change = namedtuple("Change", ("code", "text"))

SETTLE_MS = 2_000  # after switching on, until the rail must stand


class Watch:
    """One rule over time."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.active = False
        self.because = ""
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
        self.active, self.because, self._good_ms = False, "", 0
        return True

    def _hold_ms(self) -> int:
        return min(HOLD_MS_MAX, self.rule.hold_ms << min(self._returns - 1, 8))

    def _forget(self, elapsed_ms: int) -> None:
        self._good_ms = min(LONG_MS, self._good_ms + elapsed_ms)
        if self._good_ms >= GOOD_MS:
            self._returns = 0


class Safety:
    def __init__(self, rules: tuple = RULES) -> None:
        self._watches = [Watch(rule) for rule in rules]
        self.changes: list[Change] = []  # what the last step changed, for the event list

    def step(self, snapshot: Snapshot) -> Verdict:
        """One turn of the loop."""
        self.changes = []
        for watch in self._watches:
            limit = watch.rule.clear if watch.active else watch.rule.limit
            because = CONDITIONS[watch.rule.code](snapshot, limit)
            if watch.step(because, snapshot.elapsed_ms):
                self.changes.append(_change(watch))
        return self._verdict(snapshot)

    def _verdict(self, snapshot: Snapshot) -> Verdict:
        """Off before low before down; the first rule of the worst kind gives the reason."""
        worst: dict[str, Watch] = {}
        for watch in self._watches:
            if watch.active:
                worst.setdefault(watch.rule.action, watch)
        known = _known(snapshot)
        for action in (OFF, LOW, DOWN):
            if action in worst:
                watch, fault = worst[action], action == OFF
                cap = "" if fault else action
                because = f"{watch.rule.code}: {watch.because}"
                return Verdict(not fault and known, fault, cap, True, watch.rule.code, because)
        if not known:
            return Verdict(False, False, "", True, "", "waiting for the first readings")
        return Verdict(True, False, "", False, "", "")


def _change(watch: Watch) -> Change:
    if not watch.active:
        return Change(watch.rule.code, f"over: {watch.rule.words}")
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
    "board-dead": _board_dead,
    "restarts": _restarts,
}
