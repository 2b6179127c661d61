"""When the frequency band is put, and around what."""

import numpy as np

from supervisor.band import AGAIN_S, BAND, Band
from supervisor.line import deal
from tests.supervisor.test_merit import table

LINE = deal(table(*[[(100, 100), (200, 150)]] * 5), np.arange(5), 1)  # 1000 W


def watch(band, positions, from_s=0.0, settled=True):
    """One position a second; when it was due first, and around what."""
    for number, position_w in enumerate(positions):
        if band.due(LINE, position_w, settled, from_s + number):
            return number, band.centre(LINE, position_w)
    return None


def test_the_first_comes_when_the_position_has_come_to_rest():
    assert watch(Band(), [100 * n for n in range(5)] + [500] * 9) == (11, 500)
    assert watch(Band(), [500] * 50, settled=False) is None


def test_or_when_it_has_swung_about_the_same_middle_for_a_minute():
    due_s, centre_w = watch(Band(), [450, 450, 550, 550] * 30)
    assert 60 <= due_s <= 64 and abs(centre_w - 500) <= 10
    assert watch(Band(), [150, 150, 850, 850] * 30) is None, "wider than a band"


def test_with_all_or_nothing_there_is_nothing_to_put_it_around():
    assert watch(Band(), [90] * 200) is None and watch(Band(), [990] * 200) is None


def placed(centre_w=500):
    band = Band()
    band.put(centre_w, 0.0)
    return band


def test_within_the_band_it_stays():
    edge = int(500 + BAND * 1000)
    assert watch(placed(), [500, edge] * 400) is None


def test_another_comes_when_it_has_been_outside_for_half_a_minute_but_not_too_soon():
    assert watch(placed(), [500] * 320 + [800] * 60)[0] in range(348, 354)
    due_s, centre_w = watch(placed(), [800] * 400)
    assert due_s == AGAIN_S + 1 and centre_w == 800


def test_a_visit_outside_is_none():
    assert watch(placed(), [500] * 320 + [800] * 20 + [500] * 200) is None


def test_a_position_that_has_just_gone_elsewhere_is_waited_for():
    band = placed(200)
    assert watch(band, [800] * 299 + [200] * 3) is None
    assert band.centre(LINE, 200) > 500
