"""Hash power of the whole rig: wakes the boards, moves volts and clock, cuts.

    off --target--> waking --the boards have started, or failed--> on
     ^                 |                                            |
     '---- cut: no target, the gate says no ------------------------'

    on: a board that must not run is switched off by itself, and the others go on; one that
    may run again is started beside them, on the rail they share, and catches up in clock

Every setting passes the gate before it reaches a pin, the supply or a chip.
"""

import asyncio

from firmware import clock, power
from firmware.drivers import BoardError, SupplyError
from firmware.limits import OFF, Request
from protocols import pll

IS_OFF, WAKING, ON = "off", "waking", "on"
SUPPLY_ON_MS, SUPPLY_TAKES_MS = 500, 5_000
LONG_MS = 1_000_000_000  # as far as anybody counts
BOARD_START_MS = 12_000  # three times what a sound board of 126 chips needs


class Hashing:
    """board: firmware.board.Board or its like; gate: firmware.limits.Gate."""

    def __init__(self, board, gate, plant: power.Plant, ramp: power.Ramp) -> None:
        self._board, self._gate, self._plant, self._ramp = board, gate, plant, ramp
        self.state = IS_OFF
        self.setting = OFF
        self.trouble = ""  # why there is no hash power to be had; for the safety loop
        self.failed: dict[int, str] = {}  # boards that did not start, and why; for it too
        self.running: list[int] = []  # boards that hash
        self.refusal = ""  # of the gate, the last one
        self.woke_in_ms = 0
        self.hash_ms = 0  # how long hash power has been on (above 0) or off (below 0)
        self._out: dict[int, str] = {}  # boards that must not run
        self._starts: list[_Start] = []
        self._task: asyncio.Task | None = None

    @property
    def starting(self) -> bool:
        """Whether a board is on its way."""
        return bool(self._starts)

    def elapse(self, elapsed_ms: int) -> None:
        """Time has passed; a clock's ticks would wrap around within the week."""
        if self.setting.on:
            self.hash_ms = min(LONG_MS, max(0, self.hash_ms) + elapsed_ms)
        else:
            self.hash_ms = max(-LONG_MS, min(0, self.hash_ms) - elapsed_ms)

    def step(self, target_w: int) -> None:
        """100 ms on.  target_w: 0 is asleep."""
        if self.state == ON:
            self._tend()
            self._to(power.step(self._plant, self._ramp, self.setting, target_w))
        elif not target_w:
            if self.state != IS_OFF:
                self.cut()
        else:
            # the gate is asked all through waking, so that it can end it
            self._to(Request(True, self._plant.points[0].mv, 0))

    def cut(self) -> None:
        """Hash power off, now: the plain line first, whatever happens after."""
        self._board.hash_power(False)
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for start in self._starts:
            start.task.cancel()
        self._starts, self.running, self.failed = [], [], {}
        for hashboard in self._board.hashboards:
            hashboard.off()
        self.state, self.setting, self.trouble = IS_OFF, OFF, ""

    def keep_out(self, out: dict) -> None:
        """These boards must not run now (number -> why); all others may."""
        self._out = out
        for number in out:
            self.failed.pop(number, None)
            self._drop(number)

    def _drop(self, number: int) -> None:
        """One board off; the others go on."""
        mine = [start for start in self._starts if start.number == number]
        if not mine and number not in self.running:
            return
        for start in mine:
            start.task.cancel()
            self._starts.remove(start)
        if number in self.running:
            self.running.remove(number)
        self._board.hashboards[number].off()

    def _to(self, wanted: Request) -> None:
        passed, self.refusal = self._gate.judge(wanted)
        if not passed.on:
            if self.setting.on or self.state != IS_OFF:
                self.cut()
            return
        if self.state == IS_OFF:
            self.state, self.setting = WAKING, passed
            self._task = asyncio.create_task(self._wake())
        elif self.state == ON:
            self._apply(passed)

    def _apply(self, new: Request) -> None:
        """Rail before clock going up, clock before rail going down."""
        mv = self.setting.mv
        if new.mv > mv:
            mv = self._taken_mv(new.mv)
        self.setting = Request(True, mv, new.khz)
        self._set_clock(new.khz)
        if new.mv < mv:
            self.setting = Request(True, self._taken_mv(new.mv), new.khz)
        if self.setting != new:
            self._gate.judge(self.setting)  # it must know where we stand

    def _taken_mv(self, mv: int) -> int:
        """The rail asked for, or the old one when the supply has not taken it yet."""
        try:
            if self._board.supply.set_mv(mv):
                return mv
        except SupplyError:
            pass  # safety sees a silent supply by itself
        return self.setting.mv

    def _set_clock(self, khz: int) -> None:
        """Of every board; one that has just started climbs behind the others."""
        ramp, own_khz, word = self._ramp, 0, 0
        for number in self.running:
            hashboard = self._board.hashboards[number]
            at_khz = hashboard.khz
            next_khz = min(khz, at_khz + ramp.up_khz if at_khz else ramp.first_khz)
            if next_khz != at_khz and next_khz:
                if next_khz != own_khz:
                    own_khz, word = next_khz, pll.word(self._board.facts.CHIP, next_khz)
                hashboard.set_clock(next_khz, word)

    async def _wake(self) -> None:
        begun_ms = clock.now_ms()
        try:
            await self._supply_up()
        except Exception as error:
            self.trouble = str(error) or type(error).__name__
            return
        self._tend()
        while not self.running or self._starts:
            await clock.sleep_ms(50)
            self._tend()
        self.woke_in_ms = clock.since_ms(begun_ms)
        self._task = None
        self.state = ON

    async def _supply_up(self) -> None:
        self._board.hash_power(True)
        await clock.sleep_ms(SUPPLY_ON_MS)
        begun_ms, mv = clock.now_ms(), self.setting.mv
        try:
            self._board.supply.start(mv)
            while not self._board.supply.set_mv(mv):
                await clock.sleep_ms(100)
                if clock.since_ms(begun_ms) > SUPPLY_TAKES_MS:
                    raise SupplyError(f"does not take {mv} mV")
        except SupplyError as error:
            raise BoardError(f"supply: {error}") from None
        await clock.sleep_ms(200)

    def _tend(self) -> None:
        """Start the boards that may run and do not; take over those that have started."""
        for start in list(self._starts):
            if start.done:
                self._starts.remove(start)
                self.running.append(start.number)
                self.running.sort()
            elif start.error or start.takes_too_long():
                self.failed[start.number] = start.error or "takes too long to start"
                self._drop(start.number)
        for hashboard in self._board.hashboards:
            number = hashboard.number
            busy = number in self.running or any(s.number == number for s in self._starts)
            if not busy and number not in self._out and number not in self.failed:
                self._starts.append(_Start(hashboard))


class _Start:
    """One board's start, as a task whose end can be looked at."""

    def __init__(self, hashboard) -> None:
        self.done, self.error = False, ""
        self.number = hashboard.number
        self._hashboard = hashboard
        self._begun_ms = clock.now_ms()
        self.task = asyncio.create_task(self._run())

    def takes_too_long(self) -> bool:
        return clock.since_ms(self._begun_ms) > BOARD_START_MS

    async def _run(self) -> None:
        try:
            await self._hashboard.start()
            self.done = True
        except Exception as error:
            self.error = str(error) or type(error).__name__
