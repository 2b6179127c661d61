"""What the registers of SunSpec model 704 ask of a load, as words with their reversion timers.

The sign is SunSpec's: power that flows in is negative, so a limit of 60 MW is WSet -60 MW.
704 has no point for a limit on import; WSet is ours, and WMaxLimPct the same in per cent.

A set-point without a timer would stand for ever, and a master that dies between writing
the one and the other leaves just that.  So a timer of zero means the site's own, and at
its end the set-point reverts to what the Rvrt point says, or to nothing when reversion
was switched off.
"""

from dataclasses import dataclass

from supervisor.envelope import Kind
from supervisor.grid.sunspec_map import Image, MapError
from supervisor.loss import FOREVER
from supervisor.plan import Word

ON, PERCENT, WATTS = 1, 0, 1
MOST_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Function:
    """One way of limiting in model 704, by the names of its points."""

    enable: str
    value: str
    revert: str
    revert_on: str
    timer: str
    left: str
    kind: Kind = "setpoint"

    @property
    def points(self) -> tuple[str, ...]:
        return (self.enable, self.value, self.revert, self.revert_on, self.timer)


LIMIT = Function(
    "WMaxLimPctEna",
    "WMaxLimPct",
    "WMaxLimPctRvrt",
    "WMaxLimPctEnaRvrt",
    "WMaxLimPctRvrtTms",
    "WMaxLimPctRvrtRem",
    "limit",
)
SET = Function("WSetEna", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms", "WSetRvrtRem")
SET_PERCENT = Function(
    "WSetEna", "WSetPct", "WSetPctRvrt", "WSetEnaRvrt", "WSetRvrtTms", "WSetRvrtRem"
)


# by timer: the points that are an order; others are about how long one lasts and what follows
ORDERS = {
    LIMIT.timer: {LIMIT.enable, LIMIT.value},
    SET.timer: {SET.enable, "WSetMod", SET.value, SET_PERCENT.value},
}
OF_TIMER = {
    LIMIT.timer: set(LIMIT.points),
    SET.timer: {*SET.points, *SET_PERCENT.points, "WSetMod"},
}
FOLLOWED = frozenset(
    [(704, name) for function in (LIMIT, SET, SET_PERCENT) for name in function.points]
    + [(704, "WSetMod"), (715, "ControllerHb")]
)


def functions(image: Image) -> tuple[Function, Function]:
    """The two in use: a set-point is in watts or in per cent, by WSetMod."""
    return LIMIT, SET_PERCENT if image.get(704, "WSetMod") == PERCENT else SET


def check(image: Image, limit_w: int) -> None:
    """Raises MapError when what stands in the registers is no order a load could follow."""
    for name in ("WMaxLimPctEna", "WSetEna", "WMaxLimPctEnaRvrt", "WSetEnaRvrt"):
        if image.get(704, name) not in (0, ON):
            raise MapError(f"704.{name} is {image.get(704, name)}; 0 is off, 1 is on")
    if image.get(704, "WSetMod") not in (PERCENT, WATTS):
        raise MapError("704.WSetMod is 0 for per cent or 1 for watts")
    for function in (LIMIT, SET, SET_PERCENT):
        timer_s = image.get(704, function.timer)
        if timer_s is None or timer_s > MOST_S:
            raise MapError(f"704.{function.timer} is {timer_s}; 0 to {MOST_S} seconds")
        if function in functions(image) and image.get(704, function.enable) == ON:
            for name in (function.value, function.revert):
                watts(image, name, limit_w)


def watts(image: Image, name: str, limit_w: int) -> int:
    """Import in watts that a point asks for.  Raises MapError."""
    value = image.get(704, name)
    if value is None:
        raise MapError(f"704.{name} is not set")
    if "Pct" not in name:
        factor: int = 10 ** int(image.get(704, "WSet_SF") or 0)
        if not 0 <= -value * factor <= limit_w:
            raise MapError(
                f"704.{name} is {value * factor} W; a load takes 0 down to {-limit_w} W, import is"
                " negative"
            )
        return -value * factor
    scale = "WMaxLimPct_SF" if name.startswith("WMaxLimPct") else "WSetPct_SF"
    percent = value * 10.0 ** int(image.get(704, scale) or 0)
    sign = 1 if name.startswith("WMaxLimPct") else -1
    if not 0 <= sign * percent <= 100:
        wanted = "0 to 100" if sign > 0 else "0 down to -100, import is negative"
        raise MapError(f"704.{name} is {percent:g} %; it must be {wanted}")
    return int(limit_w * sign * percent / 100)


def words(image: Image, limit_w: int, since_s: dict[str, float], own_timer_s: float) -> list[Word]:
    """What is asked now.  since_s: when each function was last written, by its timer's name."""
    found = []
    for function in functions(image):
        if image.get(704, function.enable) != ON or function.timer not in since_s:
            continue
        from_s = since_s[function.timer]
        end_s = from_s + timer_s(image, function.timer, own_timer_s)
        rows = [(from_s, watts(image, function.value, limit_w))]
        if image.get(704, function.revert_on) == ON:
            rows.append((end_s, watts(image, function.revert, limit_w)))
            end_s = FOREVER
        found.append(Word(function.value, tuple(rows), end_s, kind=function.kind))
    return found


def timer_s(image: Image, timer: str, own_timer_s: float) -> float:
    return float(image.get(704, timer) or own_timer_s)


def ends_s(image: Image, since_s: dict[str, float], own_timer_s: float) -> dict[str, float]:
    """When each function that was ordered reverts."""
    return {timer: from_s + timer_s(image, timer, own_timer_s) for timer, from_s in since_s.items()}


def renewed(
    image: Image,
    touched: set[str],
    since_s: dict[str, float],
    before_s: dict[str, float],
    own_timer_s: float,
    now_s: float,
) -> tuple[dict[str, float], bool]:
    """(since_s, whether anything was ordered) after a write.  before_s: ends_s() before it.

    An order begins anew; a timer alone renews what runs, and brings nothing back that is over.
    """
    after_s, ordered = dict(since_s), False
    for timer, orders in ORDERS.items():
        if touched & orders:
            after_s[timer], ordered = now_s, True
        elif touched & OF_TIMER[timer] and timer in since_s:
            over = now_s >= before_s[timer]
            after_s[timer] = now_s - (timer_s(image, timer, own_timer_s) if over else 0.0)
    return after_s, ordered
