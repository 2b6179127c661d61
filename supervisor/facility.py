"""The facility's fans and pumps: how many must run, and what load they are proven to carry.

Pure: sights of drives and the load go in, wishes and one limit come out.

    a drive   off --wished on--> started --airflow seen steady_s long--> proven
                                    |                                       |
                                    '- not in failed_s: another is started  '- not seen shed_s
                                       beside it                               long: not proven

    the limit   rises only with what is proven now; holds what already runs while the proof is
                older than fresh_s; without a proof for shed_s the drive carries nothing
    a wish off  only when the others carry all that was drawn or allowed in cool_down_s, and
                one drive at a time

A drive that cannot be heard is one that is not proven.  Drives of one zone (a hall) cool no
other, and where rigs draw is not ours to say: so all that is drawn may be in the weakest.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

HOLD = 1.06  # of what is drawn: decisions keep some free below a limit, and a hold sheds nothing


@dataclass(frozen=True, slots=True)
class Drive:
    """One fan or pump.  carries_w: the load in its zone whose heat it takes away."""

    name: str
    carries_w: int
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds, all of them."""

    steady_s: float = 5.0
    fresh_s: float = 4.0
    shed_s: float = 10.0
    failed_s: float = 30.0
    cool_down_s: float = 180.0
    stage_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Sight:
    """A drive as read.  running: as it was told, read back.  why: what keeps it from moving air."""

    at_s: float
    moves_air: bool
    running: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Of rigs that are awake.  demand_w: what all others allow, now or soon.  drawn_w: what may
    be drawn now, at worst.  base_w: what is drawn besides, by what needs no air."""

    demand_w: int
    drawn_w: int
    base_w: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """limit_w: of the site, base included; None while every drive is proven.  on: who is to run."""

    on: frozenset[str]
    limit_w: int | None
    because: str


class _State:
    """What is known of one drive.  carries: it was proven, and not long ago."""

    def __init__(self, carries: bool, proof_s: float) -> None:
        self.carries = carries
        self.on = False  # as we wish
        self.on_s = 0.0  # since when
        self.heard = False
        self.proof_s = proof_s  # when air was last seen to move
        self.steady_s = float("inf")  # since when without a pause; inf: it is not
        self.why = "not heard yet"


class Facility:
    """hear() what was read, step() once a second.

    taking_over: rigs may be running already; what carries them is held, as if proven last
    now, until it is proven or not.
    """

    def __init__(
        self, drives: Sequence[Drive], rules: Rules, now_s: float, *, taking_over: bool = False
    ) -> None:
        self.drives, self.rules = tuple(drives), rules
        proof_s = now_s if taking_over else -float("inf")
        self._states = {drive.name: _State(taking_over, proof_s) for drive in drives}
        self._holds: dict[str, int] = {}  # by zone: what is held while a proof is old
        self._loads: deque[tuple[float, int]] = deque()  # (when, W), falling: a sliding maximum
        self._settled_s = now_s + rules.cool_down_s  # what was drawn before is not known
        self._staged_s = -float("inf")

    def hear(self, name: str, sight: Sight) -> None:
        state = self._states[name]
        if not state.heard:  # one that runs when we come is not stopped by our coming
            state.heard, state.on, state.on_s = True, sight.running, sight.at_s
        state.why = sight.why
        if not sight.moves_air:
            state.steady_s = float("inf")
            return
        if sight.at_s - state.proof_s > self.rules.fresh_s:
            state.steady_s = float("inf")
        state.steady_s = min(state.steady_s, sight.at_s)
        state.proof_s = sight.at_s

    def silent(self, name: str, why: str) -> None:
        """It could not be read."""
        self._states[name].why = why

    def step(self, now_s: float, load: Load) -> Plan:
        """Who is to run, and what may be drawn."""
        needed_w = self._needed_w(now_s, load)
        for drive in self.drives:
            state = self._states[drive.name]
            lately = now_s - state.proof_s <= self.rules.shed_s
            state.carries = lately and (state.carries or self.proven(drive, now_s))
        for zone in dict.fromkeys(drive.zone for drive in self.drives):
            self._stage([drive for drive in self.drives if drive.zone == zone], needed_w, now_s)
        on = frozenset(name for name, state in self._states.items() if state.on)
        return Plan(on, *self._limit(now_s, load))

    def _needed_w(self, now_s: float, load: Load) -> int:
        """The most that was drawn or allowed within the cool-down."""
        w = max(load.demand_w, load.drawn_w)
        while self._loads and self._loads[-1][1] <= w:
            self._loads.pop()
        self._loads.append((now_s, w))
        while self._loads[0][0] < now_s - self.rules.cool_down_s:
            self._loads.popleft()
        return self._loads[0][1]

    # ---- who is to run

    def _stage(self, zone: list[Drive], needed_w: int, now_s: float) -> None:
        """Start all that are missing at once; stop one that is not needed, now and then."""
        carried_w = sum(d.carries_w for d in zone if self._counts(d, now_s))
        for drive in zone:
            state = self._states[drive.name]
            if carried_w >= needed_w:
                break
            if not state.on:
                state.on, state.on_s = True, now_s
                carried_w += drive.carries_w
        if now_s < self._settled_s or now_s - self._staged_s < self.rules.stage_s:
            return
        for drive in reversed(zone):
            state, proven = self._states[drive.name], self.proven(drive, now_s)
            spare_w = carried_w - (drive.carries_w if self._counts(drive, now_s) else 0)
            sure = all(self.proven(d, now_s) for d in zone if d is not drive and self._on(d))
            if state.on and spare_w >= needed_w and (sure or not proven):
                state.on, self._staged_s = False, now_s
                break

    def _on(self, drive: Drive) -> bool:
        return self._states[drive.name].on

    def _counts(self, drive: Drive, now_s: float) -> bool:
        """Wished on, and proven not long ago or still with time to be."""
        state, rules = self._states[drive.name], self.rules
        starting = now_s - state.on_s <= rules.failed_s
        return state.on and (starting or state.carries)

    # ---- what is proven

    def proven(self, drive: Drive, now_s: float) -> bool:
        """Air moves, has for long enough, and was seen to just now."""
        state, rules = self._states[drive.name], self.rules
        return now_s - state.proof_s <= rules.fresh_s and now_s - state.steady_s >= rules.steady_s

    def unproven_s(self, now_s: float) -> dict[str, float]:
        """By drive, for how long it was to run and its airflow was not seen; 0 for one that is
        proven or is not to run."""
        found = {}
        for drive in self.drives:
            state = self._states[drive.name]
            since_s = max(state.on_s, state.proof_s)
            missing = state.on and not self.proven(drive, now_s)
            found[drive.name] = now_s - since_s if missing else 0.0
        return found

    def _limit(self, now_s: float, load: Load) -> tuple[int | None, str]:
        """The weakest zone's limit of all rigs, and why."""
        zones: dict[str, list[Drive]] = {}
        for drive in self.drives:
            zones.setdefault(drive.zone, []).append(drive)
        limits = [(self._zone_w(drives, now_s, load.drawn_w), drives) for drives in zones.values()]
        known = [(w, drives) for w, drives in limits if w is not None]
        if not known:
            return None, "all fans and pumps are proven"
        limit_w, drives = min(known, key=lambda pair: pair[0])
        return limit_w + load.base_w, self._why(drives, now_s)

    def _zone_w(self, zone: list[Drive], now_s: float, drawn_w: int) -> int | None:
        sure_w = sum(drive.carries_w for drive in zone if self.proven(drive, now_s))
        if sure_w == sum(drive.carries_w for drive in zone):
            self._holds.pop(zone[0].zone, None)
            return None
        held_w = sum(drive.carries_w for drive in zone if self._states[drive.name].carries)
        if held_w <= sure_w:
            self._holds.pop(zone[0].zone, None)
            return sure_w
        hold_w = self._holds.setdefault(zone[0].zone, int(drawn_w * HOLD))
        return max(sure_w, min(held_w, hold_w))

    def _why(self, zone: list[Drive], now_s: float) -> str:
        proven = sum(self.proven(drive, now_s) for drive in zone)
        of = f"{proven} of {len(zone)} proven" + (f" in {zone[0].zone}" if zone[0].zone else "")
        missing = [d for d in zone if self._on(d) and not self.proven(d, now_s)]
        if not missing:
            return of
        state = self._states[missing[0].name]
        return f"{of}; {missing[0].name}: {state.why or 'its airflow is not proven yet'}"
