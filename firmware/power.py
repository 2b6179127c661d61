"""How volts and megahertz travel to a power target, and what a point draws.

Pure.  A target is watts; the point that draws them lies on the board's curve of
rail voltage over hash clock.  One step is 100 ms:

    up     the rail goes ahead, the clock follows as far as the rail allows
    down   the clock goes ahead, the rail follows
    off    at once, from anywhere
"""

from collections import namedtuple

from firmware.chips import chip
from firmware.limits import OFF, Request

STEP_MS = 100

# one operating point; watts at the wall, all fans as at that point
Point = namedtuple("Point", ("khz", "mv", "watts", "ghs"))
Ramp = namedtuple("Ramp", ("first_khz", "up_khz", "down_khz", "step_mv"))


class Plant:
    """What the boards that may run and the supply draw, from the facts in a board file."""

    def __init__(self, facts) -> None:
        self._facts, self._fitted = facts, len(facts.BOARDS)
        self._small_cores = chip(facts.CHIP).SMALL_CORES
        self._board_chips = facts.DOMAINS * facts.CHIPS_PER_DOMAIN
        self._rated_w = facts.SUPPLY_RATED_W
        self._loss = facts.SUPPLY_LOSS
        self._controller_w = facts.CONTROLLER_W
        self._fan_w, self._fan_rpm = facts.FAN_FULL_W, facts.FAN_FULL_RPM
        self._fan_curve, self._fan_pm = facts.FAN_CURVE, facts.POINT_FAN_PM
        self.boards = self.chips = 0
        self.fit(self._fitted, self._fitted * self._board_chips)

    def fit(self, boards: int, chips: int) -> None:
        """So many boards may run, and so many chips of them answer."""
        if (boards, chips) == (self.boards, self.chips):
            return
        self.boards, self.chips = boards, chips
        facts = self._facts
        # watts of all chips at 1 V of rail and 1 kHz: pF * kHz * V^2 is nW; one that does
        # not answer may draw like the others
        drawing = boards * self._board_chips
        self._rail_w = drawing * facts.CHIP_PF * 1e-9 / (facts.DOMAINS * facts.DOMAINS)
        self._leak_w = facts.LEAK_W * boards / self._fitted / facts.DOMAINS
        self.points = [self.point(mhz * 1000, mv) for mhz, mv in facts.POINTS]

    def point(self, khz: int, mv: int) -> Point:
        return Point(khz, mv, self.watts(khz, mv), self.ghs(khz))

    def watts(self, khz: int, mv: int) -> int:
        """At the wall, with the fans such a load needs: P = C V^2 f, through the supply."""
        volts = mv / 1000
        boards_w = self._rail_w * volts * volts * khz + self._leak_w * volts
        fan_pm = interpolated(self._fan_pm, boards_w * 1000 / self._rated_w)
        output_w = boards_w + self._controller_w + self.fan_w(fan_pm)
        a, b, c = self._loss
        return int(output_w + a + b * output_w + c * output_w * output_w + 0.5)

    def board_w(self, khz: int, mv: int) -> int:
        """What one board more draws at this clock, behind the supply and a little more."""
        volts, boards = mv / 1000, self.boards or 1
        return int((self._rail_w * volts * volts * khz + self._leak_w * volts) / boards * 1.1) + 1

    def fan_w(self, duty_pm: float) -> float:
        """All fans; the cube of the speed."""
        share = interpolated(self._fan_curve, duty_pm) / self._fan_rpm
        return self._fan_w * share * share * share

    def rpm(self, duty_pm: int) -> int:
        """What a sound fan makes of this duty."""
        return int(interpolated(self._fan_curve, duty_pm))

    def ghs(self, khz: int) -> int:
        """One hash a clock in every small core; MHz makes MH/s, so kHz makes 1e-6 GH/s."""
        return khz * (self._small_cores * self.chips // 100) // 10_000

    def board_ghs(self, khz: int) -> int:
        """One whole board."""
        return khz * (self._small_cores * self._board_chips // 100) // 10_000

    def for_watts(self, watts: int) -> tuple[int, int]:
        """The (kHz, mV) on the curve that draws most of, and not more than, these watts.

        Below the first point there is only the first point: watts of level 1 are the least.
        """
        low_khz, high_khz = self.points[0].khz, self.points[-1].khz
        for point in reversed(self.points):
            if watts == point.watts or (watts > point.watts and point.khz == high_khz):
                return point.khz, point.mv
        while high_khz - low_khz > 100:
            middle_khz = (low_khz + high_khz) // 2
            if self.watts(middle_khz, self.rail_mv(middle_khz)) <= watts:
                low_khz = middle_khz
            else:
                high_khz = middle_khz
        return low_khz, self.rail_mv(low_khz)

    def rail_mv(self, khz: int) -> int:
        """The rail this clock needs, rounded up."""
        low = self.points[0]
        for high in self.points:
            if khz <= high.khz:
                if high is low:
                    break
                rise = (high.mv - low.mv) * (khz - low.khz)
                return low.mv - (-rise // (high.khz - low.khz))
            low = high
        return low.mv

    def rail_khz(self, mv: int) -> int:
        """The highest clock this rail can feed; 0 when it feeds none of the points."""
        fed_khz, low = 0, None
        for high in self.points:
            if mv >= high.mv:
                fed_khz, low = high.khz, high
            elif low is not None:
                rise = (high.khz - low.khz) * (mv - low.mv)
                return fed_khz + rise // (high.mv - low.mv)
        return fed_khz


def level(promised: list, plant: Plant, khz: int) -> int:
    """The operating point held or passed of those promised; a divider may miss a clock by a little.

    Where boards have dropped out since, the clock of the others makes up for them, and
    it is watts that count.
    """
    near_khz, held, watts = khz + khz // 200, 0, 0
    if khz and promised is not plant.points:  # of those the clock alone decides
        watts = plant.watts(near_khz, plant.rail_mv(near_khz))
    for number, (point, now) in enumerate(zip(promised, plant.points), 1):
        if near_khz >= point.khz if point.watts == now.watts else watts >= point.watts:
            held = number
    return held


def highest(promised: list, plant: Plant) -> int:
    """The highest level promised whose watts the boards that may run now can take."""
    most_w, found = plant.points[-1].watts, 0
    for number, point in enumerate(promised, 1):
        if point.watts <= most_w and plant.boards:
            found = number
    return found


def target_w(promised: list, level: int, next_level: int, part_pm: int) -> int:
    """The watts that were admitted; 0 asleep."""
    if not level:
        return 0
    low_w, high_w = promised[level - 1].watts, promised[next_level - 1].watts
    return low_w + (high_w - low_w) * part_pm // 1000


def step(plant: Plant, ramp: Ramp, now: Request, target_w: int) -> Request:
    """The setting 100 ms on.  now is what was last applied; chips are started elsewhere."""
    if not target_w or not now.on:
        return OFF
    want_khz, want_mv = plant.for_watts(target_w)
    if now.khz < ramp.first_khz:
        return Request(True, now.mv, ramp.first_khz)
    khz = now.khz
    if want_khz > khz:
        khz = max(khz, min(want_khz, khz + ramp.up_khz, plant.rail_khz(now.mv)))
    else:
        khz = max(want_khz, khz - ramp.down_khz)
    rail_mv = max(want_mv, plant.rail_mv(now.khz))
    mv = min(max(rail_mv, now.mv - ramp.step_mv), now.mv + ramp.step_mv)
    return Request(True, mv, khz)


def interpolated(curve: tuple, at: float) -> float:
    """A value of a curve ((x, y), ...) with x rising; held beyond both ends."""
    x0, y0 = curve[0]
    for x, y in curve:
        if at <= x:
            return y0 + (y - y0) * (at - x0) / (x - x0) if x > x0 else y
        x0, y0 = x, y
    return y0
