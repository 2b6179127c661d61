"""machine.RTC of the virtual ESP32: the clock that time.time() tells."""

import sys


class RTC:
    def datetime(self, moment=None):
        """(year, month, day, weekday, hour, minute, second, microseconds)."""
        import time

        if moment is None:
            now = time.gmtime()
            return now[:3] + (now[6],) + now[3:6] + (0,)
        clock = sys.modules.get("virtual_time")
        if clock is None:
            return None  # in real time it is the host's, which nobody here sets
        year, month, day, _, hour, minute, second, us = moment
        seconds = time.mktime((year, month, day, hour, minute, second, 0, 0))
        clock.set_rtc(seconds * 1_000_000 + us)
