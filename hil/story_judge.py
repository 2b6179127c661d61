"""Whether what was expected has come true: one Watch per expectation, fed sample by sample.

Pure.  Times are seconds of the stage's clock; a deadline is met by what is seen at it.
"""

from collections.abc import Iterable

from hil.story_words import Expectation, Sample

PENDING, GOOD, BAD = "pending", "good", "bad"
EPSILON_S = 1e-6


class Watch:
    """One expectation from the moment its step has been done."""

    def __init__(self, expectation: Expectation, begun_s: float) -> None:
        self.expectation = expectation
        self.verdict, self.because = PENDING, ""
        self.at_s = begun_s  # when it came true; then when it was judged
        self._begun_s = begun_s
        self._true_s: float | None = None

    def step(self, now_s: float, sample: Sample, events: Iterable[str]) -> None:
        """A new sample; events: codes heard since the step began."""
        if self.verdict == PENDING:
            if self.expectation.condition.true(sample, events):
                self._hold(now_s)
            else:
                self._miss(now_s, sample)

    def _hold(self, now_s: float) -> None:
        if self._true_s is None:
            self._true_s = now_s
        if now_s - self._true_s >= self.expectation.for_s - EPSILON_S:
            took_s = self._true_s - self._begun_s
            self._judge(GOOD, now_s, f"after {took_s:.1f} s" if took_s > EPSILON_S else "at once")

    def _miss(self, now_s: float, sample: Sample) -> None:
        """It must begin to be true for as long as asked before the deadline."""
        wanted, true_s = self.expectation, self._true_s
        self._true_s = None
        if now_s - self._begun_s < wanted.within_s - EPSILON_S:
            return
        found = wanted.condition.found(sample) or "it was not heard"
        if true_s is None:
            self._judge(BAD, now_s, f"{found}, {now_s - self._begun_s:.1f} s after it was done")
        else:
            self._judge(BAD, now_s, f"{found}; it was true for {now_s - true_s:.1f} s only")

    def _judge(self, verdict: str, now_s: float, because: str) -> None:
        self.verdict, self.at_s, self.because = verdict, now_s, because
