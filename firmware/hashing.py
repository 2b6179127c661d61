"""Hash power of the whole rig: wakes the boards, moves volts and clock, cuts.

    off --target--> waking --all boards answer--> on
     ^                 |                           |
     '---- cut: no target, the gate says no, a board fails ----'

Every setting passes the gate before it reaches a pin, the supply or a chip.
"""

import asyncio

from firmware import clock, power
from firmware.drivers.hashboard import BoardError
from firmware.drivers.pmbus_psu import PsuError
from firmware.limits import OFF, Request
from protocols import pll

IS_OFF, WAKING, ON = "off", "waking", "on"
SUPPLY_ON_MS = 500
LONG_MS = 1_000_000_000  # as far as anybody counts
BOARD_START_MS = 12_000  # ten times what a sound board needs


class Hashing:
    """board: firmware.board.Board or its like; gate: firmware.limits.Gate."""

    def __init__(self, board, gate, plant: power.Plant, ramp: power.Ramp) -> None:
        self._board, self._gate, self._plant, self._ramp = board, gate, plant, ramp
        self.state = IS_OFF
        self.setting = OFF
        self.trouble = ""  # why the boards did not start; for the safety loop
        self.refusal = ""  # of the gate, the last one
        self.woke_in_ms = 0
        self.hash_ms = 0  # how long hash power has been on (above 0) or off (below 0)
        self._task: asyncio.Task | None = None

    def elapse(self, elapsed_ms: int) -> None:
        """Time has passed; a clock's ticks would wrap around within the week."""
        if self.setting.on:
            self.hash_ms = min(LONG_MS, max(0, self.hash_ms) + elapsed_ms)
        else:
            self.hash_ms = max(-LONG_MS, min(0, self.hash_ms) - elapsed_ms)

    def step(self, target_w: int) -> None:
        """100 ms on.  target_w: 0 is asleep."""
        if self.state == ON:
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
        for hashboard in self._board.hashboards:
            hashboard.off()
        self.state, self.setting, self.trouble = IS_OFF, OFF, ""

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
        supply = self._board.supply
        try:
            if new.mv > self.setting.mv:
                supply.set_mv(new.mv)
                self.setting = Request(True, new.mv, self.setting.khz)
            if new.khz != self.setting.khz:
                self._set_clock(new.khz)
                self.setting = Request(True, self.setting.mv, new.khz)
            if new.mv < self.setting.mv:
                supply.set_mv(new.mv)
                self.setting = new
        except PsuError:
            # safety sees a silent supply by itself; the gate must know where we stand
            self._gate.judge(self.setting)

    def _set_clock(self, khz: int) -> None:
        word = pll.word(self._board.facts.CHIP, khz)
        for hashboard in self._board.hashboards:
            hashboard.set_clock(khz, word)

    async def _wake(self) -> None:
        begun_ms = clock.now_ms()
        try:
            await self._supply_up()
            await self._boards_up()
        except Exception as error:
            self.trouble = str(error) or type(error).__name__
            return
        self.woke_in_ms = clock.since_ms(begun_ms)
        self._task = None
        self.state = ON

    async def _supply_up(self) -> None:
        self._board.hash_power(True)
        await clock.sleep_ms(SUPPLY_ON_MS)
        try:
            self._board.supply.start(self.setting.mv)
        except PsuError as error:
            raise BoardError(f"supply: {error}") from None
        await clock.sleep_ms(200)

    async def _boards_up(self) -> None:
        """All boards side by side.  Raises the first BoardError."""
        starts = [_Start(hashboard) for hashboard in self._board.hashboards]
        begun_ms = clock.now_ms()
        try:
            while not all(start.done for start in starts):
                await clock.sleep_ms(50)
                for start in starts:
                    if start.error:
                        raise BoardError(start.error)
                if clock.since_ms(begun_ms) > BOARD_START_MS:
                    raise BoardError("the boards take too long to start")
        finally:
            for start in starts:
                start.task.cancel()


class _Start:
    """One board's start, as a task whose end can be looked at."""

    def __init__(self, hashboard) -> None:
        self.done, self.error = False, ""
        self._hashboard = hashboard
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._hashboard.start()
            self.done = True
        except Exception as error:
            self.error = str(error) or type(error).__name__
