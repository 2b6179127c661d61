"""Which temperatures are believed, as stories; on both runtimes."""

from firmware.vitals import FAR, FROZEN, Vitals, hottest

THREE = (("outlet 0", "outlet"), ("outlet 1", "outlet"), ("outlet 2", "outlet"))


def heard(*rows, sensors=THREE):
    """Rows of samples, one for each sensor, 250 ms apart."""
    vitals = Vitals(sensors)
    for row in rows:
        vitals.elapse(250)
        for (name, _), dc in zip(sensors, row):
            vitals.hear(name, dc)
    return vitals.sensors()


def test_nothing_is_known_until_three_samples_are_heard():
    assert [sensor.dc for sensor in heard()] == [None] * 3
    assert [sensor.dc for sensor in heard((250, 260, 270), (251, 261, 271))] == [None] * 3
    assert [sensor.dc for sensor in heard(*[(250, 260, 270)] * 3)] == [250, 260, 270]


def test_one_odd_sample_is_outvoted():
    rows = [(500, 500, 500), (500, 500, 500), (1100, 500, -390), (500, 500, 500)]
    assert [sensor.dc for sensor in heard(*rows)] == [500, 500, 500]
    assert [sensor.dc for sensor in heard(*rows[:3])] == [500, 500, 500]


def test_a_real_change_is_followed():
    assert heard((500, 500, 500), (500, 500, 500), (520, 500, 500), (540, 500, 500))[0].dc == 520


def test_nonsense_is_no_sample_and_the_sensor_ages():
    for nonsense in (None, float("nan"), 1279, 1200, -1280, -400, 50.0, True):
        rows = [(500, 500, 500)] * 3 + [(nonsense, 500, 500)] * 4
        sensor = heard(*rows)[0]
        assert (sensor.dc, sensor.age_ms) == (500, 1000), nonsense
    for fine in (1199, -399):
        assert heard(*[(fine, fine, fine)] * 3)[0].age_ms == 0


def test_a_frozen_sensor_is_told_by_its_likes():
    # known from 401 on; the median of the others is one sample behind
    warming = [(400 + step, 400, 400 + step) for step in range(32)]
    assert [sensor.doubt for sensor in heard(*warming)] == ["", "", ""]
    warming += [(432, 400, 432)]
    assert [sensor.doubt for sensor in heard(*warming)] == ["", FROZEN, ""]
    thawed = warming + [(432, 401, 432)]
    assert not heard(*thawed)[1].doubt


def test_one_like_that_moves_is_enough():
    rows = [(400 + step, 400, 400) for step in range(34)]
    assert [sensor.doubt for sensor in heard(*rows)] == ["", FROZEN, FROZEN]


def test_a_frozen_sensor_stays_frozen_when_the_others_return():
    rows = [(400 + step, 400, 400 + step) for step in range(35)] + [(400, 400, 400)] * 5
    assert heard(*rows)[1].doubt == FROZEN


def test_steady_is_not_frozen_and_others_of_another_kind_do_not_count():
    assert not any(sensor.doubt for sensor in heard(*[(500, 510, 520)] * 100))
    pair = (("inlet 0", "inlet"), ("outlet 0", "outlet"))
    rows = [(250, 300 + step) for step in range(100)]
    assert not any(sensor.doubt for sensor in heard(*rows, sensors=pair))


def test_silence_is_not_frozen_it_is_lost():
    rows = [(400, 400, 400)] * 3 + [(400 + step, None, 400) for step in range(60)]
    sensor = heard(*rows)[1]
    assert sensor.age_ms == 60 * 250 and sensor.doubt != FROZEN


def test_one_that_is_far_from_all_its_likes_is_doubted_and_nobody_else():
    well = [(500, 510, 490)] * 40
    for nonsense in (0, -1):
        jumped = heard(*well, *[(500, nonsense, 490)] * 40)
        assert [sensor.doubt for sensor in jumped] == ["", FAR, ""], nonsense
    # its likes are not blamed for standing still while it fell
    assert [sensor.doubt for sensor in heard(*well, *[(500, 0, 490)] * 3)] == ["", FAR, ""]
    assert [sensor.doubt for sensor in heard(*[(500, 300, 490)] * 3)] == ["", "", ""]
    assert [sensor.doubt for sensor in heard(*[(500, 289, 490)] * 3)] == ["", FAR, ""]


def test_of_two_that_are_far_apart_none_is_believed():
    pair = (("outlet 0", "outlet"), ("outlet 1", "outlet"))
    assert [s.doubt for s in heard(*[(500, 0)] * 4, sensors=pair)] == [FAR, FAR]
    alone = (("outlet 0", "outlet"), ("inlet 0", "inlet"))
    assert [s.doubt for s in heard(*[(500, 0)] * 4, sensors=alone)] == ["", ""]


def test_one_that_comes_back_to_its_likes_is_believed_again():
    rows = [(500, 510, 490)] * 4 + [(500, 0, 490)] * 4 + [(500, 509, 490)] * 3
    assert [sensor.doubt for sensor in heard(*rows)] == ["", "", ""]


def test_hottest_of_a_kind():
    sensors = heard(*[(500, 510, 490)] * 3)
    assert hottest(sensors, "outlet") == 510
    assert hottest(sensors, "inlet") is None
    assert hottest(heard(*[(500, None, 490)] * 3), "outlet") is None


def test_the_sensor_of_a_board_that_is_off_is_compared_with_nobody():
    """It is cold and stands still while the others warm; neither is a doubt."""
    vitals = Vitals(THREE)
    vitals.compare(["outlet 0", "outlet 2"])
    for step in range(300):
        vitals.elapse(250)
        for name, dc in (("outlet 0", 250 + step), ("outlet 1", 250), ("outlet 2", 252 + step)):
            vitals.hear(name, dc)
        assert [sensor.doubt for sensor in vitals.sensors()] == ["", "", ""]
    vitals.compare(["outlet 0", "outlet 1", "outlet 2"])
    vitals.hear("outlet 1", 250)
    assert vitals.sensors()[1].doubt == FAR


def test_the_others_are_still_compared():
    vitals = Vitals(THREE)
    vitals.compare(["outlet 0", "outlet 2"])
    for step in range(40):
        for name, dc in (("outlet 0", 250 + step), ("outlet 1", 250), ("outlet 2", 250)):
            vitals.hear(name, dc)
    assert [sensor.doubt for sensor in vitals.sensors()] == ["", "", FROZEN]
    vitals.compare(["outlet 0", "outlet 2"])
    assert vitals.sensors()[2].doubt == FROZEN, "the same again changes nothing"
    vitals.compare(["outlet 1", "outlet 2"])
    assert vitals.sensors()[2].doubt == ""
