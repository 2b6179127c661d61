"""Points and the ramp, on both runtimes."""

from firmware import power
from firmware.boards import s21pro
from firmware.limits import OFF, Request
from firmware.power import Plant, Ramp, interpolated, step

PLANT = Plant(s21pro)
RAMP = Ramp(s21pro.FIRST_KHZ, s21pro.UP_KHZ, s21pro.DOWN_KHZ, s21pro.STEP_MV)
TOP_W = PLANT.points[-1].watts
LEAST_W = PLANT.points[0].watts


def climb(now, target_w, steps):
    """The settings of so many steps."""
    path = [now]
    for _ in range(steps):
        path.append(step(PLANT, RAMP, path[-1], target_w))
    return path


def pairs(path):
    return [(path[at], path[at + 1]) for at in range(len(path) - 1)]


def woken():
    return Request(True, 11_900, 0)


def test_the_recorded_machine():
    """An S21 Pro at 631.9 MHz and 13.739 V was recorded with 3480 W and 252.6 TH/s."""
    point = PLANT.point(631_900, 13_739)
    assert abs(point.watts - 3480) < 3480 * 0.02
    assert abs(point.ghs - 252_600) < 252_600 * 0.01


def test_points_rise():
    for low, high in pairs(PLANT.points):
        assert low.watts < high.watts and low.ghs < high.ghs and low.khz < high.khz
    assert PLANT.points[0].ghs == 200 * 2040 * 195 // 1000


def test_the_points_of_this_rig():
    watts = [point.watts for point in PLANT.points]
    expected = [829, 1227, 1716, 2030, 2375, 2752, 3107, 3491]
    # an ESP32 has 24 bits of a float: half a watt may fall to the other side
    assert all(abs(one - other) <= 1 for one, other in zip(watts, expected)), watts


def test_fans_draw_with_the_cube_of_their_speed():
    assert abs(PLANT.fan_w(920) - 60 * (5950 / 5900) ** 3) < 0.01
    assert abs(PLANT.fan_w(200) - 60 * (2130 / 5900) ** 3) < 0.01
    assert PLANT.fan_w(0) == 0
    assert (PLANT.rpm(0), PLANT.rpm(200), PLANT.rpm(560), PLANT.rpm(1000)) == (0, 2130, 4040, 5950)


def test_watts_and_back():
    for watts in range(LEAST_W, TOP_W, 37):
        khz, mv = PLANT.for_watts(watts)
        assert watts - 3 <= PLANT.watts(khz, mv) <= watts, watts
    for point in PLANT.points:
        assert PLANT.for_watts(point.watts) == (point.khz, point.mv)
    assert PLANT.for_watts(TOP_W + 1) == (630_000, 13_700)
    assert PLANT.for_watts(LEAST_W - 1)[0] == 200_000


def test_the_rail_feeds_the_clock():
    assert PLANT.rail_mv(56_250) == PLANT.rail_mv(200_000) == PLANT.rail_mv(300_000) == 11_900
    assert PLANT.rail_mv(350_000) == 12_050
    assert PLANT.rail_mv(350_001) == 12_051
    assert PLANT.rail_mv(630_000) == PLANT.rail_mv(700_000) == 13_700
    assert PLANT.rail_khz(11_899) == 0
    assert PLANT.rail_khz(11_900) == 300_000
    assert PLANT.rail_khz(12_050) == 350_000
    assert PLANT.rail_khz(13_700) == PLANT.rail_khz(15_000) == 630_000
    for khz in range(300_000, 630_000, 777):
        assert PLANT.rail_khz(PLANT.rail_mv(khz)) >= khz, khz


def held(khz, plant=PLANT):
    return power.level(PLANT.points, plant, khz)


def test_levels_are_held_from_their_clock_on():
    clocks = (0, 56_250, 198_000, 199_500, 200_000, 299_999)
    assert [held(khz) for khz in clocks] == [0, 0, 0, 1, 1, 2]
    assert held(630_000) == 8


def test_targets_between_levels():
    two, three = PLANT.points[1].watts, PLANT.points[2].watts
    target_w = power.target_w
    assert target_w(PLANT.points, 0, 0, 0) == 0
    assert target_w(PLANT.points, 2, 2, 0) == two
    assert target_w(PLANT.points, 2, 3, 500) == two + (three - two) // 2
    assert target_w(PLANT.points, 1, 8, 999) < TOP_W


def fitted(boards, chips=None):
    plant = Plant(s21pro)
    plant.fit(boards, 65 * boards if chips is None else chips)
    return plant


def test_fewer_boards_draw_and_hash_so_much_less():
    two = fitted(2)
    for all_three, some in zip(PLANT.points, two.points):
        assert (some.khz, some.mv) == (all_three.khz, all_three.mv)
        assert abs(some.ghs * 3 - all_three.ghs * 2) < 5
        assert 0.6 < some.watts / all_three.watts < 0.7
    assert fitted(3).points == PLANT.points


def test_a_silent_chip_hashes_nothing_and_may_draw():
    plant = fitted(3, 194)
    assert [p.watts for p in plant.points] == [p.watts for p in PLANT.points]
    assert abs(plant.points[7].ghs - PLANT.points[7].ghs * 194 // 195) < 50


def test_the_watts_of_a_level_are_held_by_the_boards_there_are():
    two = fitted(2)
    for number in (1, 2, 3, 4):
        khz, mv = two.for_watts(PLANT.points[number - 1].watts)
        assert khz > PLANT.points[number - 1].khz
        assert abs(two.watts(khz, mv) - PLANT.points[number - 1].watts) <= 2
        assert held(khz, two) == number


def test_the_highest_level_that_the_boards_there_are_can_hold():
    assert power.highest(PLANT.points, PLANT) == 8
    assert power.highest(PLANT.points, fitted(2)) == 4  # 2030 of 2343 W
    assert power.highest(PLANT.points, fitted(1)) == 1
    assert power.highest(fitted(1).points, fitted(3)) == 8, "and never more watts than promised"
    assert power.highest(fitted(3).points, fitted(0, 0)) == 0


def test_one_board_more_takes_a_little():
    """The clock it starts at, on the rail of the others: 1/3 of what three draw, and 10 %."""
    more_w = PLANT.board_w(56_250, 13_400)
    assert 85 < more_w < 125 and more_w == fitted(2).board_w(56_250, 13_400)
    assert fitted(1).board_ghs(630_000) == PLANT.board_ghs(630_000) == 83_538


def test_up_the_rail_leads_and_steps_are_kept():
    path = climb(woken(), TOP_W, 200)
    assert path[1] == Request(True, 11_900, 56_250)
    assert path[2] == Request(True, 12_000, 62_500)
    for old, new in pairs(path[1:]):
        assert 0 <= new.khz - old.khz <= 6_250
        assert 0 <= new.mv - old.mv <= 100
        assert new.khz <= max(PLANT.rail_khz(old.mv), old.khz)
    assert path[-1] == Request(True, 13_700, 630_000)
    # 573.75 MHz at 6.25 MHz a step, and the two of the start
    assert path.index(path[-1]) == 93


def test_down_the_clock_leads_and_the_rail_is_never_short():
    path = climb(Request(True, 13_700, 630_000), LEAST_W, 60)
    for old, new in pairs(path):
        assert 0 <= old.khz - new.khz <= 25_000
        assert 0 <= old.mv - new.mv <= 100
        assert new.mv >= PLANT.rail_mv(old.khz)
    assert path[-1] == Request(True, 11_900, 200_000)
    assert path[1].mv == 13_700 and path[1].khz == 605_000
    assert [setting.khz for setting in path].index(200_000) == 18


def test_a_turn_on_the_way():
    up = climb(woken(), TOP_W, 60)[-1]
    down = climb(up, LEAST_W, 1)[-1]
    assert down.khz == up.khz - 25_000
    again = climb(down, TOP_W, 1)[-1]
    assert again.khz == down.khz + 6_250


def test_off_at_once_from_anywhere():
    for setting in (woken(), Request(True, 13_700, 630_000), OFF):
        assert step(PLANT, RAMP, setting, 0) == OFF
    assert step(PLANT, RAMP, OFF, TOP_W) == OFF


def test_interpolated():
    curve = ((10, 100), (20, 200), (20, 250), (30, 250))
    for x, y in ((0, 100), (10, 100), (15, 150), (20, 200), (25, 250), (40, 250)):
        assert interpolated(curve, x) == y, x
