"""Which temperatures can be believed: every reading is weighed before anybody acts on it.

Pure.  A value that cannot be is no value, so its sensor's age goes on rising; one odd
sample is outvoted by its neighbours in time; and a sensor that does not move while
its likes do is frozen.
"""

from collections import namedtuple

# dc in tenths of a degree, None when not known; age_ms: since a value that can be
Sensor = namedtuple("Sensor", ("name", "kind", "dc", "age_ms", "frozen"))

LOWEST_DC, HIGHEST_DC = -400, 1200  # beyond: no mining hall, no living board (127.9, -128)
MOVED_DC = 30  # the likes of a sensor moved this far while it stood still


class Vital:
    """One sensor."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.age_ms = 0
        self.frozen = False
        self._recent: list[int] = []  # the last three that can be
        self.then: dict[str, int] = {}  # what the others showed when this one last moved

    @property
    def value(self) -> int | None:
        """The middle one of the last three; None until three were heard."""
        return sorted(self._recent)[1] if len(self._recent) == 3 else None

    @property
    def last(self) -> int | None:
        return self._recent[-1] if self._recent else None

    def hear(self, dc: object) -> bool:
        """Take a sample; True when it can be and differs from the last one."""
        if not (type(dc) is int and LOWEST_DC < dc < HIGHEST_DC):
            return False
        moved = dc != self.last
        self._recent = (self._recent + [dc])[-3:]
        self.age_ms = 0
        return moved


class Vitals:
    """All sensors of the rig: sensors is ((name, kind), ...)."""

    def __init__(self, sensors) -> None:
        self._vitals = [Vital(name, kind) for name, kind in sensors]

    def hear(self, name: str, dc: object) -> None:
        """A sample, or None for a read that failed."""
        for vital in self._vitals:
            if vital.name != name:
                continue
            likes = self._likes(vital)
            if vital.hear(dc) or not vital.then:
                vital.then = likes
                vital.frozen = False
            elif vital.age_ms == 0:
                vital.frozen = vital.frozen or _moved(vital.then, likes)

    def elapse(self, elapsed_ms: int) -> None:
        for vital in self._vitals:
            vital.age_ms += elapsed_ms

    def sensors(self) -> list:
        return [
            Sensor(vital.name, vital.kind, vital.value, vital.age_ms, vital.frozen)
            for vital in self._vitals
        ]

    def _likes(self, one: Vital) -> dict:
        return {
            other.name: other.value
            for other in self._vitals
            if other.kind == one.kind and other is not one and other.value is not None
        }


def hottest(sensors: list, kind: str) -> int | None:
    """Of a kind; None when one of them is not known."""
    found = None
    for sensor in sensors:
        if sensor.kind == kind:
            if sensor.dc is None:
                return None
            found = sensor.dc if found is None else max(found, sensor.dc)
    return found


def _moved(then: dict, now: dict) -> bool:
    """Whether any of the others is far from where it was."""
    return any(abs(now.get(name, dc) - dc) >= MOVED_DC for name, dc in then.items())
