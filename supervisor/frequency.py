"""What the grid's frequency asks of the site: less at once when it falls, back in order.

             share of what was drawn
        1 -|------------------.
           |                 /            nominal - dead band: nothing yet
           |                /
        0 -|---------------'              a droop below that: everything asleep
           '---------------+--+---------> Hz

Down at once, to the line.  Back only when the frequency has stood within the dead band for
a while without a break, and then at a ramp; a relapse stops it where it is.  A frequency
nobody reads any more gives nothing back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.config import Config
from supervisor.envelope import EMERGENCY, Entry
from supervisor.inbox import Sample

STRIDE = 0.005  # of what was drawn: a smaller further step is not worth waking for
SOURCE = "frequency"


@dataclass(frozen=True, slots=True)
class Droop:
    """The line, and the way back.  droop_pct: of nominal, from the dead band to nothing left."""

    nominal_hz: float = 50.0
    dead_band_hz: float = 0.05
    droop_pct: float = 0.9
    recovery_s: float = 60.0
    restore_pct_per_min: float = 20.0
    stale_s: float = 5.0
    silent_share: float = 1.0  # what is left at most once the frequency is not read any more

    @property
    def edge_hz(self) -> float:
        """Below this the site gives."""
        return self.nominal_hz - self.dead_band_hz

    def share(self, hz: float) -> float:
        """What may go on, 0..1 of what was drawn."""
        width_hz = self.nominal_hz * self.droop_pct / 100
        return min(1.0, max(0.0, 1.0 - (self.edge_hz - hz) / width_hz))

    def hz(self, share: float) -> float:
        """The frequency at which so much is left."""
        return self.edge_hz - (1.0 - share) * self.nominal_hz * self.droop_pct / 100


class Response:
    """Keeps what is given, and since when the frequency is well.  Times are monotonic seconds."""

    def __init__(self, droop: Droop) -> None:
        self.droop = droop
        self.share = 1.0
        self._well_s: float | None = None  # since when it is within the dead band
        self._before_s: float | None = None
        self._reference_w = 0.0

    def step(self, sample: Sample | None, now_s: float) -> float:
        """The share that may go on now.  sample: the newest there is, however old."""
        elapsed_s = 0.0 if self._before_s is None else max(0.0, now_s - self._before_s)
        self._before_s = now_s
        droop = self.droop
        if sample is None:
            return self.share  # never read: the site has no such meter yet
        if now_s - sample.at_s > droop.stale_s:
            self._well_s = None
            self.share = min(self.share, droop.silent_share)
            return self.share
        if sample.hz < droop.edge_hz:
            self._well_s = None
            self.share = min(self.share, droop.share(sample.hz))
        elif self._well_s is None:
            self._well_s = now_s
        elif now_s - self._well_s >= droop.recovery_s:
            self.share = min(1.0, self.share + droop.restore_pct_per_min / 6000 * elapsed_s)
        return self.share

    def entry(
        self, sample: Sample | None, now_s: float, floor_w: float, asked_w: float
    ) -> Entry | None:
        """The word of the frequency among the signals; None when it says nothing.

        asked_w: what the site was asked before this.  What was asked when the frequency
        began to fall is what the shares are of, until all is given back.
        """
        was = self.share
        self.step(sample, now_s)
        if was >= 1.0:
            self._reference_w = max(floor_w, asked_w)
        if self.share >= 1.0:
            return None
        limit_w = int(floor_w + self.share * max(0.0, self._reference_w - floor_w))
        hz = f"{sample.hz:.2f} Hz" if sample is not None else "no frequency"
        because = f"{hz}: {self.share:.0%} of what was drawn"
        return Entry(SOURCE, ((0.0, limit_w),), because=because, kind=EMERGENCY)

    def keep(self) -> dict[str, float]:
        """What the next supervisor must know, so that it gives nothing back too soon."""
        return {"share": self.share, "reference_w": self._reference_w}

    def recall(self, kept: Mapping[str, float]) -> None:
        self.share, self._reference_w = float(kept["share"]), float(kept["reference_w"])

    @property
    def quiet_hz(self) -> tuple[float, float]:
        """Between these nothing has to be decided before the next beat."""
        return self.droop.hz(self.share - STRIDE * (self.share < 1.0)), float("inf")


def frequency_of(config: Config) -> Response | None:
    """How this site answers to the frequency, if it does."""
    wished = config.frequency
    if wished is None:
        return None
    return Response(
        Droop(
            wished.nominal_hz,
            wished.dead_band_hz,
            wished.droop_pct,
            wished.recovery_s,
            wished.restore_pct_per_min,
            wished.stale_s,
            wished.silent_pct / 100,
        )
    )
