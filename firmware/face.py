"""The face of a rig: one button and one light, for who stands before it.

Pure.  A press asks "which one are you?"; held for 3 s the rig is off until it is held again; held
for 10 s it may be set up anew for a while.  Only who stands there lets it hash again: whoever
has their hands in the rig must not depend on somebody far away.
"""

PRESS_MS, HOLD_MS, LONG_MS = 150, 3_000, 10_000
LOCATE_MS, LOCATE_MS_MAX = 60_000, 3_600_000
SET_UP_MS = 600_000
RESTART_MS = 1_500  # so that who asked for it is answered first
AT_RIG = "refused: only at the rig (its console, or after its button was held for 10 s)"
HELD = "held off at the rig, by its button or console"

DARK, WHITE, BLUE, GREEN, RED, AMBER, VIOLET = (
    (0, 0, 0),
    (60, 60, 60),
    (0, 0, 50),
    (0, 50, 0),
    (70, 0, 0),
    (60, 30, 0),
    (45, 0, 45),
)
# state -> colour, blinking once in so many ms; 0: steady
LIGHTS = {
    "locate": (WHITE, 400),
    "set-up": (VIOLET, 1_000),
    "held": (AMBER, 0),
    "fault": (RED, 400),
    "joining": (BLUE, 1_000),
    "asleep": (BLUE, 0),
    "waking": (GREEN, 1_000),
    "running": (GREEN, 0),
}


class Face:
    """step() every 100 ms or so; said: what is to be told, for who takes it from there."""

    def __init__(self) -> None:
        self.held = False
        self.said: list[str] = []
        self.locate_left_ms = self.set_up_left_ms = 0
        self._restart_left_ms: int | None = None
        self._pressed_ms = self._shown_ms = 0
        self._was_held = False

    def step(self, elapsed_ms: int, pressed: bool, state: str) -> tuple:
        """Time has passed.  The light's colour."""
        self.locate_left_ms = max(0, self.locate_left_ms - elapsed_ms)
        self.set_up_left_ms = max(0, self.set_up_left_ms - elapsed_ms)
        if self._restart_left_ms is not None:
            self._restart_left_ms -= elapsed_ms
        if pressed:
            self._press(elapsed_ms)
        elif self._pressed_ms:
            self._let_go()
        return self._light(elapsed_ms, state)

    def locate(self, for_ms: int) -> None:
        """Show which one it is; 0 ends it."""
        self.locate_left_ms = max(0, min(LOCATE_MS_MAX, for_ms))

    def hold(self, held: bool) -> None:
        """Off until somebody at the rig lets it go."""
        if held != self.held:
            self.held = held
            self.said.append("held off" if held else "let go")

    def restart(self) -> None:
        """The controller, in a moment."""
        self._restart_left_ms = RESTART_MS

    @property
    def restarts_now(self) -> bool:
        return self._restart_left_ms is not None and self._restart_left_ms <= 0

    def _press(self, elapsed_ms: int) -> None:
        before_ms, self._pressed_ms = self._pressed_ms, min(self._pressed_ms + elapsed_ms, LONG_MS)
        if before_ms < HOLD_MS <= self._pressed_ms:
            self._was_held = self.held
            self.hold(True)
        if before_ms < LONG_MS <= self._pressed_ms:
            self.set_up_left_ms = SET_UP_MS
            self.said.append("may be set up")

    def _let_go(self) -> None:
        pressed_ms, self._pressed_ms = self._pressed_ms, 0
        if PRESS_MS <= pressed_ms < HOLD_MS:
            self.locate(0 if self.locate_left_ms else LOCATE_MS)
            self.said.append("pressed")
        elif HOLD_MS <= pressed_ms < LONG_MS and self._was_held:
            self.hold(False)

    def _light(self, elapsed_ms: int, state: str) -> tuple:
        if self.locate_left_ms:
            state = "locate"
        elif self.set_up_left_ms:
            state = "set-up"
        elif self.held:
            state = "held"
        colour, blink_ms = LIGHTS[state]
        self._shown_ms = (self._shown_ms + elapsed_ms) % (blink_ms or 1)
        return colour if not blink_ms or self._shown_ms * 2 < blink_ms else DARK
