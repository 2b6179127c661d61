"""A signal played on a simulated clock: the site's own decisions, the fleet model, no sockets."""

import sys
import time
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from hil.bridge import Bridge, enrol
from hil.fleet import ModelFleet
from hil.models import MODELS, Model
from hil.score import BEYOND, Commitment, Score
from supervisor.dispatcher import Decision, Dispatcher, Means
from supervisor.lookahead import HORIZON_S, Profile
from supervisor.policy import Policy
from supervisor.sources.signal_csv import Series

AUXILIARY_W = 35  # of each rig's share of fans, pumps and losses of the site
AUXILIARY_ERROR = 0.02  # what nobody measured
METER_NOISE = 0.0003
WINDOW_S = 300.0
DAY_S = 86_400.0
ABLE_EVERY_S = 60.0  # how often the true capacity is counted anew


@dataclass(frozen=True, slots=True)
class Truth:
    """What the site really is, beside what the supervisor believes."""

    auxiliary_w: float
    floor_w: float


class Playback:
    """step() once a step; report() at the end."""

    def __init__(
        self,
        rigs: int,
        seed: int = 1,
        banded: bool = True,
        policy: Policy | None = None,
        models: tuple[Model, ...] = MODELS,
    ) -> None:
        self.fleet = ModelFleet(rigs, seed, models)
        auxiliary_w = AUXILIARY_W * rigs
        self.truth = Truth(
            auxiliary_w * (1 + AUXILIARY_ERROR),
            auxiliary_w * (1 + AUXILIARY_ERROR) + float(self.fleet.floor_w.sum()),
        )
        means = Means(auxiliary_w=auxiliary_w)
        self.dispatcher = Dispatcher(enrol(self.fleet), means, policy=policy)
        self.bridge = Bridge(self.fleet, self.dispatcher, banded)
        self.bridge.deal(0.0)
        self.score, self.commitment = Score(WINDOW_S), Commitment()
        self._random = np.random.default_rng(seed)
        self._metered_w: int | None = None
        self.decision: Decision | None = None
        self._decided = 0.0
        self._able_w, self._able_until_s = self.able_w, 0.0

    def decided_ms(self, since: float) -> float:
        """Milliseconds from then (perf_counter) until the position was out."""
        return (self._decided - since) * 1000

    @property
    def metered_w(self) -> int:
        return self._metered_w or 0

    @property
    def able_w(self) -> float:
        """The site with every able rig at its top level."""
        return self.fleet.able_w() + self.truth.auxiliary_w

    def sleeps_per_rig_day(self, seconds: float) -> float:
        """How often a rig was sent to sleep."""
        return round(self.fleet.sleeps / len(self.fleet.names) / max(1.0, seconds) * DAY_S, 2)

    def step(self, now_s: float, step_s: float, limit_w: int, ahead: Profile = ()) -> None:
        """Decide, let the rigs move, read the meter.  ahead: what is known of the minutes ahead."""
        self.decision = self.bridge.tick(now_s, limit_w, self._metered_w, ahead)
        self._decided = time.perf_counter()
        self.drift(now_s, step_s, limit_w)

    def drift(self, now_s: float, step_s: float, limit_w: int) -> None:
        """Let the rigs move and read the meter, on whatever was decided last."""
        assert self.decision is not None
        self.fleet.step(step_s)
        noise = 1 + METER_NOISE * float(self._random.standard_normal())
        self._metered_w = round((self.fleet.drawn_w + self.truth.auxiliary_w) * noise)
        if now_s >= self._able_until_s:
            self._able_w, self._able_until_s = self.able_w, now_s + ABLE_EVERY_S
        floor_w, slack_w = self.truth.floor_w, BEYOND * self._able_w
        self.commitment.sample(
            now_s,
            step_s,
            limit_w=max(limit_w, floor_w),
            committed_w=self.decision.committed_w,
            metered_w=self._metered_w,
            slack_w=slack_w,
        )
        self.score.sample(
            now_s,
            step_s,
            limit_w,
            floor_w,
            self._able_w,
            self.decision.up_w_per_s,
            self._metered_w,
            self.fleet.hash_ghs,
        )

    def lose_reading(self) -> None:
        """The meter says nothing before the next decision."""
        self._metered_w = None

    def report(self, seconds: float) -> dict[str, float]:
        """The keys that come from what was seen."""
        return {
            "rigs": len(self.fleet.names),
            "firmware_rigs": 0,
            **self.score.report(),
            **self.commitment.report(),
            "sleeps_per_rig_day": self.sleeps_per_rig_day(seconds),
            "messages_lost": 0,
        }


def known(series: Series, at_s: float) -> tuple[int, Profile]:
    """The limit of a moment, and the rows of the next minute: a schedule is known ahead."""
    limit_w = series.at(at_s) or 0
    first, end = bisect_right(series.times_s, at_s), bisect_right(series.times_s, at_s + HORIZON_S)
    rows = zip(series.times_s[first:end], series.w[first:end], strict=True)
    return limit_w, [(0.0, limit_w), *((row_s - at_s, w) for row_s, w in rows)]


def play(
    series: Series,
    rigs: int,
    step_s: float,
    seed: int = 1,
    banded: bool = True,
    policy: Policy | None = None,
    foreseen: bool = True,
) -> dict[str, float]:
    """The whole of a series.  A region's surplus is scaled to the site's capacity.

    foreseen: whether the series is a schedule; otherwise each row is news.
    """
    started_s = time.monotonic()
    playback = Playback(rigs, seed, banded, policy)
    fitted = series.fitted(int(playback.able_w))
    begin_s, length_s = fitted.times_s[0], fitted.end_s - fitted.times_s[0]
    errors, steps = 0, int(length_s / step_s)
    for number in range(steps):
        now_s = number * step_s
        try:
            limit_w, ahead = known(fitted, begin_s + now_s)
            playback.step(now_s, step_s, limit_w, ahead if foreseen else ())
        except Exception as error:
            errors += 1
            print(f"replay: at {now_s:.0f} s: {error!r}", file=sys.stderr)
            if errors >= 10:
                break
    return playback.report(steps * step_s) | {
        "errors": errors,
        "simulated_s": steps * step_s,
        "wall_s": round(time.monotonic() - started_s, 1),
    }
