"""What the whole screen is a function of: the newest frame, what is lost, and the time."""

from typing import NamedTuple

from supervisor.glance import TICK_STALE_S, plain, tick_age, wrongs
from supervisor.live import Frame
from supervisor.units import age


class Moment(NamedTuple):
    """lost: why nothing is heard of the supervisor; "" while it is heard."""

    frame: Frame | None
    lost: str
    now_s: float

    @property
    def age_s(self) -> float:
        """Seconds since the frame was the truth; what is shown is that much older."""
        return 0.0 if self.frame is None else tick_age(self.frame.site, self.now_s)

    @property
    def stale(self) -> bool:
        return self.age_s > TICK_STALE_S


NOTHING = Moment(None, "", 0.0)


def headline(moment: Moment) -> tuple[str, bool]:
    """The first line, and whether it is bad news."""
    name = "surplus" if moment.frame is None else plain(moment.frame.site.site)
    if moment.lost:
        heard = f" {age(moment.age_s)} ago" if moment.frame else ""
        return f"{name}  LOST the supervisor{heard}, trying again: {plain(moment.lost)}", True
    if moment.frame is None:
        return f"{name}  waiting for the supervisor", False
    if found := wrongs(moment.frame.site, moment.now_s):
        return f"{name}  WRONG: {'; '.join(found)}", True
    return f"{name}  all well", False
