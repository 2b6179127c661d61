"""Which temperatures can be believed: every reading is weighed before anybody acts on it.

Pure.  A value that cannot be is no value, so its sensor's age goes on rising; one odd
sample is outvoted by its neighbours in time.  A sensor that does not move while its
likes do, or that is far from all of them, is doubted.
"""

from collections import namedtuple

# dc in tenths of a degree, None when not known; age_ms: since a value that can be;
# doubt: why it is not believed, in words that follow its name
Sensor = namedtuple("Sensor", ("name", "kind", "dc", "age_ms", "doubt"))

LOWEST_DC, HIGHEST_DC = -400, 1200  # beyond: no mining hall, no living board (127.9, -128)
MOVED_DC = 30  # the likes of a sensor moved this far while it stood still
FAR_DC = 200  # boards side by side do not differ so much; 0, -1 and all ones do
FROZEN, FAR = "does not move", "is far from its likes"


class Vital:
    """One sensor.  likes: the others of its kind."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.likes: list[Vital] = []
        self.value: int | None = None  # the middle one of the last three that can be
        self.age_ms = 0
        self.frozen = self.far = False
        self._recent: list[int] = []
        self._then: list[tuple[Vital, int]] = []  # what its likes showed when it last moved

    def hear(self, dc: object) -> None:
        """A sample, or None for a read that failed."""
        if not (type(dc) is int and LOWEST_DC < dc < HIGHEST_DC):
            self._watch(False)
            return
        recent = self._recent
        moved = not recent or dc != recent[-1]
        recent.append(dc)
        if len(recent) > 3:
            recent.pop(0)
        if len(recent) == 3:
            self.value = sorted(recent)[1]
            self.far = self._is_far(self.value)
        self.age_ms = 0
        self._watch(moved)

    def forget(self) -> None:
        """Its likes are others now."""
        self._then, self.frozen, self.far = [], False, False

    def _is_far(self, dc: int) -> bool:
        """Whether no like is anywhere near."""
        known = False
        for like in self.likes:
            if like.value is not None:
                if abs(like.value - dc) <= FAR_DC:
                    return False
                known = True
        return known

    def _watch(self, moved: bool) -> None:
        """Frozen is who stands still while one of its likes goes far from where it was.

        One that nobody believes makes nobody else look frozen.
        """
        if moved or not self._then:
            self._then = [(like, like.value) for like in self.likes if like.value is not None]
            self.frozen = False
        elif self.age_ms == 0 and not self.frozen:
            self.frozen = any(not like.far and _moved(like.value, dc) for like, dc in self._then)


class Vitals:
    """All sensors of the rig: sensors is ((name, kind), ...)."""

    def __init__(self, sensors) -> None:
        self._vitals = [Vital(name, kind) for name, kind in sensors]
        self._named = {vital.name: vital for vital in self._vitals}
        self._compared: list[str] = []
        self.compare(list(self._named))

    def compare(self, names: list) -> None:
        """Only these are likes of each other; the boards of the others are off by themselves."""
        if names == self._compared:
            return
        self._compared = names
        for one in self._vitals:
            one.likes = [
                vital
                for vital in self._vitals
                if vital.kind == one.kind
                and vital is not one
                and one.name in names
                and vital.name in names
            ]
            one.forget()

    def hear(self, name: str, dc: object) -> None:
        """A sample, or None for a read that failed."""
        self._named[name].hear(dc)

    def elapse(self, elapsed_ms: int) -> None:
        for vital in self._vitals:
            vital.age_ms += elapsed_ms

    def sensors(self) -> list:
        return [
            Sensor(
                vital.name,
                vital.kind,
                vital.value,
                vital.age_ms,
                FROZEN if vital.frozen else FAR if vital.far else "",
            )
            for vital in self._vitals
        ]


def hottest(sensors: list, kind: str) -> int | None:
    """Of a kind; None when one of them is not known."""
    found = None
    for sensor in sensors:
        if sensor.kind == kind:
            if sensor.dc is None:
                return None
            found = sensor.dc if found is None else max(found, sensor.dc)
    return found


def _moved(now_dc: int | None, then_dc: int) -> bool:
    return now_dc is not None and abs(now_dc - then_dc) >= MOVED_DC
