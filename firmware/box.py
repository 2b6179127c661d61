"""The black box: notes every turn of the safety loop, and keeps the last minutes of a fault.

It is written to the flash once for a fault, three seconds after it began, and not more often than
every ten minutes: flash wears.  Three are kept.
"""

from firmware.lazy import forget
from firmware.safety import Change
from protocols.blackbox import TURN_MS, Ring
from protocols.messages import STATES

AFTER_MS, EVERY_MS = 3_000, 600_000  # sooner than any rule lets go


class Box:
    def __init__(self) -> None:
        self.ring = Ring()
        self.missed = 0  # faults that came too soon after the last one to be kept
        self._since_ms = EVERY_MS
        self._left_ms: int | None = None  # until it is kept
        self._why, self._was_fault, self._behind_ms = "", False, 0

    def turn(self, rig, elapsed_ms: int) -> None:
        """A turn of the safety loop."""
        self._note(rig, elapsed_ms)
        self._since_ms = min(EVERY_MS, self._since_ms + elapsed_ms)
        fault, self._was_fault, was = rig.verdict.fault, rig.verdict.fault, self._was_fault
        if fault and not was and self._left_ms is None:
            if self._since_ms < EVERY_MS:
                self.missed += 1
            else:
                self._left_ms, self._why = AFTER_MS, rig.verdict.code
        if self._left_ms is not None:
            self._left_ms -= elapsed_ms
            if self._left_ms <= 0:
                rig.hashing.cut()  # it is off, and stays so while the flash is slow
                rig.changes.append(Change("black-box", self.keep()))

    def keep(self, why: str = "") -> str:
        """Onto the flash, now; what to tell.  Hash power is off, so this may take its time."""
        from firmware import boxes

        self._left_ms, self._since_ms = None, 0
        try:
            number = boxes.keep(self.ring, why or self._why)
        except OSError as error:
            return f"not kept: {error}"
        finally:
            forget("firmware.boxes")
        return f"{number} kept: {why or self._why}"

    def _note(self, rig, elapsed_ms: int) -> None:
        """One record for every 100 ms that passed, also where a turn was late."""
        self._behind_ms = min(self._behind_ms + elapsed_ms, 20 * TURN_MS)
        values = [  # as blackbox_reading.VALUES says
            64 * STATES.index(rig.state()) + rig.level(),
            (rig.supply.input_w or 0) // 8,
            rig.hot_dc(),
            rig.inlet_dc(),
            min(fan.rpm for fan in rig.fans) // 64,
            rig.board.fans.duty_pm // 10,
            (rig.supply.mv or 0) // 50,
        ]
        while self._behind_ms >= TURN_MS:
            self._behind_ms -= TURN_MS
            self.ring.note(values)
