"""How people write and read quantities: "3.2MW" in, "3.20 MW" out.  Here and nowhere else.

Inside the program everything is watts, seconds and GH/s; only this file knows prefixes.
"""

import re
from datetime import datetime, time, timedelta

_POWER = {"w": 1, "kw": 10**3, "mw": 10**6, "gw": 10**9}
_TIME = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_NUMBER = r"\d+(?:\.\d+)?"
_POWER_FORM = re.compile(rf"({_NUMBER})\s*([kmg]?w)", re.IGNORECASE)
_TIME_PART = re.compile(rf"({_NUMBER})\s*(min|[smhd])\s*", re.IGNORECASE)
_POWER_STEPS = ((10**9, "GW"), (10**6, "MW"), (10**3, "kW"))
_HASH_STEPS = ((10**9, "EH/s"), (10**6, "PH/s"), (10**3, "TH/s"))
UNKNOWN = "?"
NEVER_S = 1e8  # three years: a stretch this long stands for "never"


class UnitError(ValueError):
    """Not a quantity; the text says what would be one."""


def parse_watts(text: str) -> int:
    """ "3.2MW", "900 kW", "0" as watts.  A bare number but 0 is refused: of what?"""
    if text.strip() == "0":
        return 0
    found = _POWER_FORM.fullmatch(text.strip())
    if found is None:
        raise UnitError(f"{text!r} is no power: give a number and W, kW, MW or GW, as in 3.2MW")
    return round(float(found[1]) * _POWER[found[2].lower()])


def parse_seconds(text: str) -> float:
    """ "15m", "90s", "1h30m", "2d" as seconds; always above 0."""
    rest, total_s = text.strip(), 0.0
    while found := _TIME_PART.match(rest):
        total_s += float(found[1]) * _TIME[found[2].lower()]
        rest = rest[found.end() :]
    if rest or not total_s:
        raise UnitError(f"{text!r} is no time: give numbers and s, m, h or d, as in 15m or 1h30m")
    return total_s


def parse_moment(text: str, now_s: float) -> float:
    """ "2026-12-01T14:00+05:00", "14:03", "now", or "2h" for two hours ago, as Unix seconds."""
    if text.strip() == "now":
        return now_s
    try:
        if (clock_s := _clock(text.strip(), now_s)) is not None:
            return clock_s
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            return now_s - parse_seconds(text)
        except UnitError:
            raise UnitError(
                f"{text!r} is no moment: 2026-12-01T14:00Z, 14:03, now, or 2h for two hours ago"
            ) from None
    if moment.tzinfo is None:
        raise UnitError(f"{text!r} names no zone: add Z for UTC, or an offset such as +05:00")
    return moment.timestamp()


def _clock(text: str, now_s: float) -> float | None:
    """ "14:03" or "14:03:20": the last such time on this machine's clock."""
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        return None
    clock = time.fromisoformat(text.zfill(5 if text.count(":") == 1 else 8))
    then = datetime.combine(datetime.fromtimestamp(now_s).date(), clock)
    return (then if then.timestamp() <= now_s else then - timedelta(days=1)).timestamp()


def watts(w: float | None) -> str:
    return _scaled(w, _POWER_STEPS, "W")


def hashrate(ghs: float | None) -> str:
    return _scaled(ghs, _HASH_STEPS, "GH/s")


def joules_per_th(w: float | None, ghs: float) -> str:
    """Efficiency; unknown when nothing hashes or nothing is metered."""
    return UNKNOWN if w is None or ghs <= 0 else f"{w * 1000 / ghs:.1f} J/TH"


def age(seconds: float | None) -> str:
    """A stretch of time in two units at most: "0.8 s", "42 s", "3 m 20 s", "2 h 05 m"."""
    if seconds is None or seconds >= NEVER_S:
        return UNKNOWN
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, unit, below, lower in ((60, "m", 3600, "s"), (3600, "h", 86_400, "m")):
        if whole < below:
            return f"{whole // size} {unit} {whole % size * 60 // size:02d} {lower}"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def _scaled(value: float | None, steps: tuple[tuple[int, str], ...], smallest: str) -> str:
    """Three digits that mean something, and the unit.

    The rounding decides the step, so that 999 999 W reads 1.00 MW and never 1000 kW.
    """
    if value is None:
        return UNKNOWN
    for size, unit in steps:
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)} {unit}"
    return f"{value:.0f} {smallest}"


def _three(number: float) -> str:
    return f"{number:.{2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0}f}"
