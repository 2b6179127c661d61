"""What a rig on a Modbus line may draw: watts with a time to live, the lease of a line.

Pure.  Takes the place of dispatch.py where `obeys` is "modbus": nothing raises the level but a
fresh write of the limit, and without one the rig sleeps.
"""

from protocols.ladder import ASLEEP, Admitted

ALONE = "waiting for a limit"


class Limit:
    """The same face as Dispatch, for the loops that ask what is admitted."""

    term = seq = epoch = id = 0  # nothing joins over a line: whoever holds its master commands it

    def __init__(self) -> None:
        self.admitted = ASLEEP
        self.because = ALONE
        self.limit_w = 0  # as written last
        self.refused: dict[str, int] = {}
        self._left_ms = 0

    @property
    def joined(self) -> bool:
        return self._left_ms > 0

    @property
    def lease_ms(self) -> int:
        return self._left_ms

    def write(self, points: list, limit_w: int, ttl_ms: int) -> None:
        """A fresh limit.  points: the rig's operating points by level from 1."""
        self.limit_w, self._left_ms = limit_w, ttl_ms
        self.admitted = admitted(points, limit_w)
        self.because = f"limited to {limit_w} W"

    def elapse(self, elapsed_ms: int) -> bool:
        """Time has passed.  True when the rig fell back to sleep."""
        if not self.joined:
            return False
        self._left_ms -= elapsed_ms
        if self._left_ms > 0:
            return False
        self.leave("the limit was not renewed")
        return True

    def leave(self, because: str) -> None:
        """Sleep until the next limit."""
        self.admitted, self._left_ms, self.because = ASLEEP, 0, because

    def hear(self, topic: str, payload: bytes) -> str:
        """Nothing of MQTT commands this rig."""
        self.refused["not over MQTT"] = self.refused.get("not over MQTT", 0) + 1
        return ""


def admitted(points: list, limit_w: int) -> Admitted:
    """The highest point at or below the limit, and a part of the step to the next one."""
    level = 0
    for number, point in enumerate(points, 1):
        if point.watts <= limit_w:
            level = number
    if not level or level == len(points):
        return Admitted(level, level, 0)
    low_w, high_w = points[level - 1].watts, points[level].watts
    return Admitted(level, level + 1, (limit_w - low_w) * 1000 // (high_w - low_w))
