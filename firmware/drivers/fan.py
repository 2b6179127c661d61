"""Four-wire fans: one PWM line to all of them, a tachometer from each."""

from firmware import clock

WINDOW_MS = 500  # 6000 rpm are 100 pulses in it
SETTLE_MS = 4_000  # a fan reaches a new duty within this
PULSES_PER_TURN = 2


class Tachs:
    """counters are anything with machine.Counter's value()."""

    def __init__(self, counters) -> None:
        self._counters = counters
        self._marks: list[tuple[int, list[int | None]]] = []  # (when, counts), one window long

    def rpm(self) -> list[int]:
        """Over the last window; call it ten times a second.  A dead counter reads 0."""
        marks = self._marks
        marks.append((clock.now_ms(), [_count(counter) for counter in self._counters]))
        while len(marks) > 2 and clock.since_ms(marks[1][0]) >= WINDOW_MS:
            marks.pop(0)
        then_ms, then = marks[0]
        elapsed_ms = clock.since_ms(then_ms)
        return [_rpm(before, count, elapsed_ms) for before, count in zip(then, marks[-1][1])]


def _count(counter) -> int | None:
    try:
        return counter.value()
    except OSError:
        return None


def _rpm(before: int | None, count: int | None, elapsed_ms: int) -> int:
    if before is None or count is None or elapsed_ms <= 0:
        return 0
    return (count - before) * 60_000 // (elapsed_ms * PULSES_PER_TURN)


class Fans:
    """pwm is anything with machine.PWM's duty_u16(value)."""

    def __init__(self, pwm, counters) -> None:
        self._pwm = pwm
        self._tachs = Tachs(counters)
        self._changes: list[tuple[int, int]] = []  # (when, duty), the last duties that still matter
        self.duty_pm = 0

    def set_duty(self, duty_pm: int) -> None:
        if duty_pm != self.duty_pm or not self._changes:
            self._changes.append((clock.now_ms(), self.duty_pm))
            del self._changes[:-20]
            self.duty_pm = duty_pm
        self._pwm.duty_u16(duty_pm * 65_535 // 1000)

    def settled_pm(self) -> tuple[int, int]:
        """The least and the most duty of the last seconds: between these the fans are by now."""
        while self._changes and clock.since_ms(self._changes[0][0]) > SETTLE_MS:
            self._changes.pop(0)
        least_pm = most_pm = self.duty_pm
        for _, duty_pm in self._changes:
            least_pm, most_pm = min(least_pm, duty_pm), max(most_pm, duty_pm)
        return least_pm, most_pm

    def rpm(self) -> list[int]:
        return self._tachs.rpm()
