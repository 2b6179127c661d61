"""The rig's loops: carry readings to the decisions, and decisions to the gate.

    sensors, supply --readings--> safety --may hash?--> gate --> hash power
       '--boards that may run----.                       ^
    dispatch --level--> derate --> power ----settings----'
    sensors --> thermal --> gate --> fans

No loop waits for another; each lets its readings age, and the safety loop watches
over all of them.  Periods and who does what: README.md.
"""

import gc
import sys

from firmware import clock, power, restarts
from firmware.believed import PowerSense
from firmware.counters import NOTHING, HashCounter
from firmware.derate import Derate
from firmware.drivers import SensorError, SupplyError
from firmware.face import HELD, Face
from firmware.hashing import IS_OFF, ON, Hashing
from firmware.lazy import forget, forget_settings
from firmware.limits import Envelope, Gate
from firmware.power import STEP_MS, Plant, Ramp
from firmware.recent import Recent
from firmware.safety import Board, Change, Fan, Safety, Snapshot, Supply, Verdict
from firmware.thermal import AIR, Thermal
from firmware.vitals import Vitals, hottest
from protocols.ladder import Admitted

SAFETY_MS, THERMAL_MS, SENSORS_MS, SUPPLY_MS, CHAINS_MS = 100, 200, 250, 200, 5_000
FACE_MS = 100
OF_SETTINGS = ("get", "set", "factory-reset", "erase")
SAID_MAX = 400  # characters of an answer
PATIENCE_MS = 1_000  # of gate and safety loop with the loops they depend on
CLOCKS_POLLS = 4  # so many polls of the counters to one of the clocks
FORGET_MS = 5_000  # so often a supply that is off is asked to forget its faults
UNKNOWN_DC = -1000


class Rig:
    """board: firmware.board.Board or its like; dispatch: what is admitted."""

    def __init__(self, board, dispatch) -> None:
        facts = board.facts
        self.board, self.dispatch, self.facts = board, dispatch, facts
        self.plant = Plant(facts)
        self.promised = self.plant.points  # what the site was told, and deals ladders for
        self.safety = Safety()
        self.gate = Gate(envelope(facts, self.plant))
        ramp = Ramp(facts.FIRST_KHZ, facts.UP_KHZ, facts.DOWN_KHZ, facts.STEP_MV)
        self.hashing = Hashing(board, self.gate, self.plant, ramp)
        self.derate = Derate(len(self.plant.points))
        self.thermal = Thermal(AIR, facts.FAN_DUTY_MIN_PM, facts.FAN_DUTY_HASHING_MIN_PM)
        self.vitals = Vitals([(name, kind) for name, _, kind, _ in facts.SENSORS])
        self._places = [(name, board) for name, _, _, board in facts.SENSORS]
        self.counters = [
            HashCounter(hashboard.chips, hashboard.list.UNIT, hashboard.list.IS_RATE)
            for hashboard in board.hashboards
        ]
        self._polls = 0
        self._starts = [0] * len(board.hashboards)  # of each board, when its counter began
        self.fans = [Fan(0, 0, 0)] * len(facts.FAN_TACH_PINS)
        self.supply = Supply(None, None, 0, None, 0)
        self.sense = PowerSense()
        self._forget_ms = 0
        self.up_ms = 0
        self.starts = 0  # without ten good minutes between them; 0 once they are forgotten
        self.verdict: Verdict | None = None
        self.changes: list[Change] = []  # of safety, for whoever reports them
        self.recent = Recent()
        self.face = Face()
        self.boxes: list = []  # the black box, where there is memory for one
        self.box_asked = 0  # a black box somebody wants over MQTT
        self.settings: dict = {}  # those in force; what may change at once is changed in them
        self.settings_path = "settings.json"
        self.counted: list[tuple] = []  # (name, object, attribute) of what is counted elsewhere
        self.fallbacks = 0  # how often the lease ran out
        self._power_turn_ms = clock.now_ms()

    def begin(self, starts: int) -> None:
        """The controller has started, so often of late."""
        self.starts = starts
        self.board.keep_restarts(starts)

    # what it is doing, for reports

    def faulty(self) -> bool:
        return self.face.held or (self.verdict is not None and self.verdict.fault)

    def state(self) -> str:
        if self.faulty():
            return "fault"
        if not self.dispatch.joined:
            return "joining"
        if self.hashing.state == IS_OFF:
            return "asleep"
        return "running" if self.level() else "waking"

    def level(self) -> int:
        return power.level(self.promised, self.plant, self.hashing.setting.khz)

    def cap_level(self) -> int:
        if self.faulty():
            return 0
        return min(self.derate.cap, power.highest(self.promised, self.plant))

    def introduce(self) -> None:
        """Whoever hears the nonce of now is told the points of now: a ladder is dealt for these.

        They hold until the next nonce.  Boards that drop out or come back meanwhile change
        the clock of the others and the highest level, and never the watts of a level.
        """
        self.promised = self.plant.points

    def outdated(self) -> bool:
        """Whether other points could be told than the ones that were."""
        return self.promised is not self.plant.points

    def power_w(self) -> int:
        """At the wall, as the supply measures it: it feeds fans and controller too."""
        return self.sense.watts(self.supply.input_w, self.supply.age_ms, self._listed_w())

    def _listed_w(self) -> int:
        """By the board file."""
        setting = self.hashing.setting
        return self.plant.watts(setting.khz, setting.mv) if setting.on else self.facts.FLOOR_W

    def hash_ghs(self) -> int:
        return sum(self.counters[number].ghs for number in self.hashing.running)

    def hot_dc(self) -> int:
        """The chips, estimated from the hottest outlet."""
        outlet_dc = hottest(self.vitals.sensors(), "outlet")
        return UNKNOWN_DC if outlet_dc is None else outlet_dc + self.facts.CHIP_ABOVE_OUTLET_DC

    def inlet_dc(self) -> int:
        inlet_dc = hottest(self.vitals.sensors(), "inlet")
        return UNKNOWN_DC if inlet_dc is None else inlet_dc

    def ask(self, line: str, at_rig: bool) -> str:
        """The answer to words, over any channel.  Raises nothing.

        at_rig: whether who asks stands before it.  The words and the table of settings are heap
        that is needed once in a while: they come when somebody asks, and go again.
        """
        word, _, rest = line.strip().partition(" ")
        name = "firmware.words_of_settings" if word in OF_SETTINGS else "firmware.words"
        try:
            __import__(name)
            at_rig = at_rig or self.face.set_up_left_ms > 0
            return sys.modules[name].obey(self, word, rest.strip(), at_rig)[:SAID_MAX]
        except Exception as error:
            return f"refused: {error}" if str(error) else f"refused: {type(error).__name__}"
        finally:
            forget(name)
            forget("firmware.boxes")
            forget_settings()

    # the loops

    async def safety_loop(self) -> None:
        beat = clock.Beat(SAFETY_MS)
        while True:
            self.safety_turn(await beat.wait())
            self.board.feed()

    def safety_turn(self, elapsed_ms: int) -> None:
        self.up_ms += elapsed_ms
        if self.starts and self.up_ms >= restarts.GOOD_MS:
            self.begin(0)
        self.vitals.elapse(elapsed_ms)
        self.hashing.elapse(elapsed_ms)
        self._age_supply(elapsed_ms)
        least_pm, most_pm = self.board.fans.settled_pm()
        least_rpm, most_rpm = self.plant.rpm(least_pm), self.plant.rpm(most_pm)
        self.fans = [Fan(rpm, least_rpm, most_rpm) for rpm in self.board.fans.rpm()]
        self.verdict = self.safety.step(self._snapshot(elapsed_ms))
        may_hash = self.verdict.may_hash and not self.face.held
        self.gate.heartbeat(may_hash)
        self.changes += self.safety.changes
        self.hashing.keep_out(self.verdict.boards)
        self._fit()
        for box in self.boxes:
            box.turn(self, elapsed_ms)
        if self.verdict.fault:
            self.dispatch.leave(self.verdict.because)
        elif self.face.held:
            self.dispatch.leave(HELD)
        elif self.outdated() and self.dispatch.joined and self._has_to_tell():
            self.dispatch.leave("its operating points have changed")
        if self.hashing.state == IS_OFF:
            return
        if not may_hash:
            self.hashing.cut()
        elif clock.since_ms(self._power_turn_ms) > PATIENCE_MS:
            self.hashing.cut()  # it starts again by itself: there is nothing to latch
            self.changes.append(Change("power-late", "the power loop was held up"))

    def _fit(self) -> None:
        """The plant is the boards that hash, asleep those that may, and the chips that answer."""
        out = self.verdict.boards if self.verdict else {}
        hashing, chips, boards = self.hashing, 0, []
        for number, hashboard in enumerate(self.board.hashboards):
            if number in hashing.running if hashing.state == ON else number not in out:
                boards.append(number)
                chips += self.counters[number].chips or hashboard.found or hashboard.chips
        if boards:  # without any the rig is in fault, and there is nothing to work out
            self.plant.fit(len(boards), chips)
        # a board that is off while others heat is cold, and that is no doubt about its sensors
        self.vitals.compare([name for name, board in self._places if board in boards])

    def _has_to_tell(self) -> bool:
        """Joining again costs nothing asleep, and is due when no promised level can be held."""
        asleep = self.hashing.state == IS_OFF and not self.dispatch.admitted.level
        return asleep or not power.highest(self.promised, self.plant)

    async def sensors_loop(self) -> None:
        beat = clock.Beat(SENSORS_MS)
        while True:
            await beat.wait()
            for name, sensor in self.board.sensors.items():
                try:
                    self.vitals.hear(name, sensor.read_dc())
                except SensorError:
                    self.vitals.hear(name, None)  # nothing to decide here: it ages
                await clock.sleep_ms(0)

    async def supply_loop(self) -> None:
        beat, supply = clock.Beat(SUPPLY_MS), self.board.supply
        while True:
            elapsed_ms = await beat.wait()
            try:
                status, millivolts, input_w = await supply.read()
                self._forget_faults(elapsed_ms)
            except SupplyError:
                continue
            self.supply = Supply(status, millivolts, self.hashing.setting.mv, input_w, 0)
            if self.level() and input_w is not None:
                changed = self.sense.step(input_w, self._listed_w(), elapsed_ms)
                if changed:
                    self.changes.append(Change("power-unread", changed))

    def _forget_faults(self, elapsed_ms: int) -> None:
        """A status latches: only once it was cleared it shows whether the fault is over."""
        self._forget_ms += elapsed_ms
        if self.faulty() and self.hashing.state == IS_OFF and self._forget_ms > FORGET_MS:
            self._forget_ms = 0
            self.board.supply.clear_faults()

    async def thermal_loop(self) -> None:
        beat = clock.Beat(THERMAL_MS)
        while True:
            elapsed_ms = await beat.wait()
            outlet_dc = hottest(self.vitals.sensors(), "outlet")
            trouble = self.verdict is None or self.verdict.trouble
            hashing = self.hashing.state != IS_OFF
            duty_pm = self.thermal.step(outlet_dc, hashing, trouble, elapsed_ms)
            self.board.fans.set_duty(self.gate.judge_duty(duty_pm)[0])

    async def power_loop(self) -> None:
        beat = clock.Beat(STEP_MS)
        while True:
            elapsed_ms = await beat.wait()
            self.gate.elapse(elapsed_ms)
            self.fallbacks += self.dispatch.elapse(elapsed_ms)
            if self.verdict is not None:
                self.derate.step(self.verdict.cap, self.level(), elapsed_ms)
            self.hashing.step(self.target_w())
            self._power_turn_ms = clock.now_ms()

    async def face_loop(self) -> None:
        """The button and the light."""
        beat, face, board = clock.Beat(FACE_MS), self.face, self.board
        while True:
            colour = face.step(await beat.wait(), board.pressed(), self.state())
            if face.held and self.hashing.state != IS_OFF:
                self.hashing.cut()  # whoever sees the light may put a hand in
            board.light(colour)
            while face.said:
                self.changes.append(Change("button", face.said.pop(0)))
                board.keep_held(face.held)
            if face.restarts_now:
                self.hashing.cut()
                board.reset()

    def obey_at_once(self) -> None:
        """A budget was heard: sleep does not wait for the next turn of the power loop."""
        if not self.target_w():
            self.hashing.step(0)

    def target_w(self) -> int:
        """The watts to run at now: what was admitted, as far as this rig is able."""
        if self.verdict is None or not self.verdict.may_hash or self.face.held:
            return 0
        held = limited(self.dispatch.admitted, self.cap_level())
        watts = power.target_w(self.promised, *held)
        if watts and self.hashing.state == ON and self.hashing.starting:
            watts -= self.plant.board_w(self.facts.FIRST_KHZ, self.hashing.setting.mv)
        return watts

    async def chains_loop(self) -> None:
        beat = clock.Beat(CHAINS_MS)
        least_khz = [0] * len(self.counters)
        while True:
            elapsed_ms = await beat.wait()
            for number, hashboard in enumerate(self.board.hashboards):
                counter = self.counters[number]
                if number not in self.hashing.running or hashboard.starts != self._starts[number]:
                    self._starts[number] = hashboard.starts
                    counter.reset(hashboard.found)
                    least_khz[number] = 0
                if number in self.hashing.running:
                    slowest_khz = min(least_khz[number], hashboard.khz)
                    await self._poll(hashboard, counter, elapsed_ms, slowest_khz)
                    least_khz[number] = hashboard.khz
                hashboard.beat()
            self._polls += 1
            gc.collect()

    async def _poll(self, hashboard, counter, elapsed_ms: int, least_khz: int) -> None:
        chip, chips, starts = hashboard.list, counter.chips, hashboard.starts
        counts = await hashboard.read_all(chip.COUNTER)
        wrong = await hashboard.read_all(chip.ERRORS) if chip.ERRORS else {}
        if hashboard.number not in self.hashing.running or hashboard.starts != starts:
            return
        counter.poll(counts, wrong, elapsed_ms, self.plant.board_ghs(least_khz))
        if (self._polls + hashboard.number) % CLOCKS_POLLS == 0:
            counter.clocks(await hashboard.odd_clocks())
        hashboard.renew_work()
        if counter.chips != chips:
            self.changes.append(Change("chips", f"board {hashboard.number}: {counter.told()}"))

    def _age_supply(self, elapsed_ms: int) -> None:
        old = self.supply
        age_ms = old.age_ms + elapsed_ms
        self.supply = Supply(old.status, old.mv, self.hashing.setting.mv, old.input_w, age_ms)

    def _boards(self) -> list:
        hashing, boards = self.hashing, []
        for number, hashboard in enumerate(self.board.hashboards):
            why = hashing.failed.get(number, "")
            if number in hashing.running and hashboard.starts == self._starts[number]:
                boards.append(Board(why, self.counters[number].chain(), hashboard.least))
            else:
                boards.append(Board(why, NOTHING, 0))
        return boards

    def _dead(self) -> str:
        """Why no board can run; "" while one can."""
        out = self.verdict.boards if self.verdict else {}
        if len(out) < len(self.board.hashboards):
            return self.hashing.trouble
        return "; ".join(out[number] for number in sorted(out))

    def _snapshot(self, elapsed_ms: int) -> Snapshot:
        return Snapshot(
            elapsed_ms,
            self.hashing.hash_ms,
            self.vitals.sensors(),
            self.fans,
            self.supply,
            self._dead(),
            restarts.because(self.starts, self.up_ms),
            self._boards(),
        )


def limited(admitted: Admitted, cap: int) -> Admitted:
    """What was admitted, within the highest level the rig is able to hold."""
    level = min(admitted.level, cap)
    if level < admitted.level or admitted.next_level > cap:
        return Admitted(level, level, 0)
    return admitted


def envelope(facts, plant: Plant) -> Envelope:
    """The gate's limits, from the board file; the clock may miss its point by a divider."""
    return Envelope(
        mv_min=facts.SUPPLY_MV_MIN,
        mv_max=plant.points[-1].mv,
        mv_per_step=facts.STEP_MV,
        khz_first=facts.FIRST_KHZ,
        khz_max=plant.points[-1].khz,
        khz_per_step=facts.UP_KHZ,
        duty_min_pm=facts.FAN_DUTY_MIN_PM,
        patience_ms=PATIENCE_MS,
    )
