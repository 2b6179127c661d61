"""What is asked of the site: the envelope within its means, falling at once, rising at a ramp."""


class UpRamp:
    """Keeps what was asked, so that it rises no faster than declared (W/s)."""

    def __init__(self) -> None:
        self.asked_w: float | None = None

    def step(
        self,
        limit_w: float,
        floor_w: float,
        capacity_w: float,
        up_w_per_s: float,
        elapsed_s: float,
    ) -> float:
        """One tick.  A limit below the floor asks for the floor: asleep is all we can do."""
        goal_w = max(floor_w, min(limit_w, capacity_w))
        before_w = floor_w if self.asked_w is None else self.asked_w
        self.asked_w = min(goal_w, max(floor_w, before_w) + up_w_per_s * elapsed_s)
        return self.asked_w


def physical_up_w_per_s(capacity_w: float, floor_w: float, slowest_s: float) -> float:
    """The steepest straight line from all asleep to all at top that the rigs can climb.

    slowest_s: from being admitted to top level, of the slowest model.
    """
    return max(1.0, capacity_w - floor_w) / max(1.0, slowest_s)
