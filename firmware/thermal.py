"""The fan loop: temperatures in, fan duty out.  The one owner of the fans.

Pure.  A curve gives the duty a temperature deserves, and a small integral brings
the hottest outlet to its target.  Unknown is full speed, and so is trouble.

    duty
    1000                 ___________
                       /
                     /    curve + integral (bounded)
    least ________ /
               start   target    full     hottest outlet
"""

from collections import namedtuple

FULL_PM = 1000
# temperatures in tenths of a degree
Curve = namedtuple("Curve", ("start_dc", "target_dc", "full_dc", "integral_pm", "down_pm_per_s"))
AIR = Curve(start_dc=350, target_dc=500, full_dc=600, integral_pm=200, down_pm_per_s=30)


class Thermal:
    def __init__(self, curve: Curve, least_asleep_pm: int, least_hashing_pm: int) -> None:
        self._curve = curve
        self._least_pm = {False: least_asleep_pm, True: least_hashing_pm}
        self._integral = 0  # in thousandths of a duty step, so that small errors add up
        self._duty_pm = FULL_PM

    def step(self, hottest_dc: int | None, hashing: bool, trouble: bool, elapsed_ms: int) -> int:
        """The duty from now on.  hottest_dc: None when not every outlet is known."""
        if hottest_dc is None or trouble:
            self._integral = 0
            self._duty_pm = FULL_PM
            return FULL_PM
        least_pm = self._least_pm[hashing]
        curve_pm = self._on_curve(hottest_dc, least_pm)
        self._integrate(hottest_dc, least_pm < self._duty_pm, elapsed_ms)
        want_pm = max(least_pm, min(FULL_PM, curve_pm + self._integral // 1000))
        slowest_pm = self._duty_pm - max(1, self._curve.down_pm_per_s * elapsed_ms // 1000)
        self._duty_pm = max(want_pm, slowest_pm)
        return self._duty_pm

    def _on_curve(self, hottest_dc: int, least_pm: int) -> int:
        curve = self._curve
        over_dc = hottest_dc - curve.start_dc
        return least_pm + (FULL_PM - least_pm) * max(0, over_dc) // (curve.full_dc - curve.start_dc)

    def _integrate(self, hottest_dc: int, falling_helps: bool, elapsed_ms: int) -> None:
        """1 degree for 10 s is 1 % of duty; what the fans cannot follow is not added up."""
        bound = self._curve.integral_pm * 1000
        error_dc = max(-50, min(50, hottest_dc - self._curve.target_dc))
        if error_dc < 0 and not falling_helps:
            return
        self._integral += error_dc * elapsed_ms // 10
        self._integral = max(-bound, min(bound, self._integral))
