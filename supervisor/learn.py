"""How far each model's own word about its power can be trusted, learned from the meter.

Rigs misreport their power by 5 to 20 %, and by the same factor within a model.  So
the site meter is explained as

    metered = fixed + sum over models of factor[m] * expected_w[m]

and the factors (and the fixed load) follow by a Kalman filter, one update a reading.
Readings taken while much is in flight carry little weight.  What is not yet known
is a margin: the site is assumed to draw `SURE` standard deviations more than expected.
"""

import numpy as np

from supervisor.merit import Floats

FACTOR_SD = 0.12  # before anything is learned; field reports say 5 to 20 %
DRIFT_SD_PER_S = 2e-5
SURE = 2.0
REJECT_SD = 6.0
BELIEVE_AFTER = 8  # readings in a row that fit nothing and say more is drawn: believed then
DOUBT = 1.05  # variance grows by this with every reading that says far less is drawn
FACTOR_MIN, FACTOR_MAX = 0.75, 1.3  # beyond this it is the meter that is wrong
FIXED_SDS = 4.0  # how far the fixed load may be learned from where it started


class Learner:
    """factor[m] per model, and the fixed load nobody reports (W)."""

    def __init__(self) -> None:
        self.state: Floats = np.zeros(1)
        self._sd0: Floats = np.zeros(1)
        self._cov: Floats = np.zeros((1, 1))
        self._meter_sd_w = 1.0
        self.rejected = 0

    def fit(self, models: int, fixed_sd_w: float, meter_sd_w: float) -> None:
        """Make room for this many models and this size of site; what is learned stays."""
        old = len(self.factors)
        sd0 = np.append(np.full(models, FACTOR_SD), fixed_sd_w)
        state, cov = np.append(np.ones(models), 0.0), np.diag(sd0**2)
        state[:old], cov[:old, :old] = self.factors, self._cov[:-1, :-1]
        self.state, self._cov, self._sd0, self._meter_sd_w = state, cov, sd0, meter_sd_w

    @property
    def factors(self) -> Floats:
        return self.state[:-1]

    @property
    def worst_factors(self) -> Floats:
        """By model, as high as they may well be."""
        sd: Floats = np.sqrt(np.clip(np.diag(self._cov)[:-1], 0.0, None))
        return self.factors + SURE * sd

    @property
    def fixed_w(self) -> float:
        return float(self.state[-1])

    def likely_w(self, expected_w: Floats) -> float:
        """What the meter should say."""
        return float(self.state @ np.append(expected_w, 1.0))

    def worst_w(self, expected_w: Floats) -> float:
        """What the meter may well say, given how little is known."""
        x = np.append(expected_w, 1.0)
        return float(self.state @ x) + SURE * float(np.sqrt(max(0.0, x @ self._cov @ x)))

    def elapse(self, seconds: float) -> None:
        """Without a reading knowledge fades, up to where it started."""
        drift = (DRIFT_SD_PER_S * self._sd0 / FACTOR_SD) ** 2 * seconds
        self._cov = self._cov + np.diag(drift)

    def observe(self, expected_w: Floats, metered_w: float, doubt_w: float) -> bool:
        """Learn from one reading.  doubt_w: how far what is in flight may be off now.

        False when the reading fits nothing and was not used.
        """
        x = np.append(expected_w, 1.0)
        noise = self._meter_sd_w**2 + doubt_w**2
        spread = self._cov @ x
        variance = float(x @ spread) + noise
        surprise_w = metered_w - float(self.state @ x)
        if abs(surprise_w) > REJECT_SD * variance**0.5:
            self.rejected += 1
            if surprise_w < 0:
                self._doubt_a_little()
                return False
            if self.rejected < BELIEVE_AFTER:
                return False
            self._cov = np.diag(self._sd0**2)
            spread = self._cov @ x
            variance = float(x @ spread) + noise
        self.rejected = 0
        gain = spread / variance
        fixed_w = FIXED_SDS * self._sd0[-1]
        self.state = self.state + gain * surprise_w
        self.state[:-1] = np.clip(self.state[:-1], FACTOR_MIN, FACTOR_MAX)
        self.state[-1] = np.clip(self.state[-1], -fixed_w, fixed_w)
        self._cov = self._cov - np.outer(gain, spread)
        self._cov = (self._cov + self._cov.T) / 2
        return True

    def _doubt_a_little(self) -> None:
        """Somebody says that far less is drawn.  A dead meter says so too, so what is known is
        doubted slowly, and never more than at the start."""
        room = np.minimum(DOUBT, self._sd0**2 / np.maximum(np.diag(self._cov), 1e-12))
        grow = np.sqrt(np.maximum(room, 1.0))
        self._cov = self._cov * np.outer(grow, grow)

    def keep(self) -> dict[str, list[object]]:
        """What was learned, as plain values."""
        return {"state": self.state.tolist(), "cov": self._cov.tolist()}

    def recall(self, kept: dict[str, list[object]]) -> None:
        """Take up what was kept, if it is about the same models."""
        state, cov = np.array(kept["state"], dtype=float), np.array(kept["cov"], dtype=float)
        if state.shape == self.state.shape and cov.shape == self._cov.shape:
            self.state, self._cov = state, cov
