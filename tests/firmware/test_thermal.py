"""The fan loop, as stories; on both runtimes."""

from firmware.thermal import AIR, FULL_PM, Curve, Thermal

SECOND = 1000
# the same, but down as fast as up
FAST = Curve(AIR.start_dc, AIR.target_dc, AIR.full_dc, AIR.integral_pm, 10_000)


def settled(hottest_dc, hashing=True, trouble=False, seconds=300):
    thermal = Thermal(AIR, 200, 300)
    duty_pm = FULL_PM
    for _ in range(seconds):
        duty_pm = thermal.step(hottest_dc, hashing, trouble, SECOND)
    return duty_pm


def test_full_speed_until_everything_is_known():
    assert settled(None) == FULL_PM
    assert settled(200, trouble=True) == FULL_PM


def test_cool_air_needs_the_least():
    assert settled(200) == 300
    assert settled(200, hashing=False) == 200


def test_the_curve_without_its_integral():
    curve = Curve(start_dc=350, target_dc=500, full_dc=600, integral_pm=0, down_pm_per_s=10_000)
    for dc, duty_pm in ((349, 300), (350, 300), (475, 650), (500, 720), (600, 1000), (900, 1000)):
        thermal = Thermal(curve, 200, 300)
        thermal.step(dc, True, False, SECOND)
        assert thermal.step(dc, True, False, SECOND) == duty_pm, dc


def test_hotter_is_never_less_fan():
    last_pm = 0
    for dc in range(200, 800, 25):
        duty_pm = settled(dc, seconds=100)
        assert duty_pm >= last_pm, dc
        last_pm = duty_pm
    assert last_pm == FULL_PM


def test_up_at_once_and_down_slowly():
    thermal = Thermal(AIR, 200, 300)
    while thermal.step(200, True, False, SECOND) > 300:
        pass
    assert thermal.step(700, True, False, SECOND) == FULL_PM
    assert thermal.step(200, True, False, SECOND) == FULL_PM - AIR.down_pm_per_s


def test_a_small_error_adds_up_and_is_bounded():
    # one degree for ten seconds is one percent
    thermal = Thermal(FAST, 0, 0)
    first = thermal.step(510, True, False, SECOND)
    for _ in range(10):
        last = thermal.step(510, True, False, SECOND)
    assert last - first == 10
    for _ in range(1000):
        last = thermal.step(510, True, False, SECOND)
    assert last == 640 + AIR.integral_pm


def test_what_the_fans_cannot_follow_is_not_added_up():
    """After an hour of cool air, heat is answered as quickly as after a minute."""
    answers = []
    for minutes in (1, 60):
        thermal = Thermal(FAST, 200, 300)
        for _ in range(60 * minutes):
            thermal.step(300, True, False, SECOND)
        answers.append(thermal.step(550, True, False, SECOND))
    assert answers[0] == answers[1] >= 850


def test_trouble_clears_the_integral():
    thermal = Thermal(FAST, 200, 300)
    for _ in range(200):
        thermal.step(520, True, False, SECOND)
    thermal.step(520, True, True, SECOND)
    assert thermal.step(400, True, False, SECOND) == 435
