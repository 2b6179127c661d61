"""Cable and Wi-Fi: which one is used when; on both runtimes."""

from firmware.net import network
from firmware.net.choice import DEAF_MS, GRACE_MS, JOIN_MS, RETRY_MS, STEADY_MS, Choice
from firmware.net.network import Network, Only

CABLE, WIFI = 0, 1


def after(choice, up, served=True, limit_ms=4_000_000):
    """Milliseconds until it changes its mind; None when it does not."""
    for at_ms in range(0, limit_ms, 500):
        if choice.step(up, served, 500):
            return at_ms + 500
    return None


def test_a_cable_that_works_is_kept_for_ever():
    choice = Choice(2)
    assert after(choice, [True, False]) is None and choice.at == CABLE
    assert choice.wanted(CABLE) and not choice.wanted(WIFI)


def test_one_way_is_kept_whatever_happens():
    choice = Only()
    assert after(choice, [False], served=False) is None and choice.wanted(0) and choice.at == 0


def test_no_cable_at_the_start_is_wifi_after_the_time_to_join():
    choice = Choice(2)
    assert after(choice, [False, False], False) == JOIN_MS
    assert choice.at == WIFI and choice.wanted(CABLE) and choice.wanted(WIFI)


def test_a_cable_pulled_is_wifi_at_once_and_back_when_it_is_steady():
    choice = Choice(2)
    choice.step([True, False], True, 500)
    assert after(choice, [False, False]) == GRACE_MS and choice.at == WIFI
    assert after(choice, [False, True]) is None
    for _ in range(20):  # a plug that wobbles
        choice.step([True, True], True, STEADY_MS - 500)
        assert not choice.step([False, True], True, 500) and choice.at == WIFI
    assert after(choice, [True, True]) == STEADY_MS and choice.at == CABLE
    assert choice.changes == 2 and not choice.wanted(WIFI)


def test_a_cable_that_leads_nowhere_is_left_and_switched_off_for_a_while():
    choice = Choice(2)
    choice.step([True, False], False, 500)
    assert after(choice, [True, False], served=False) == DEAF_MS - 500 and choice.at == WIFI
    assert not choice.wanted(CABLE), "packets of the same subnet would go there"
    while not choice.wanted(CABLE):
        assert not choice.step([False, True], True, 500)
    assert after(choice, [True, True]) == STEADY_MS and choice.at == CABLE


def test_it_is_tried_again_after_half_an_hour():
    choice = Choice(2)
    after(choice, [True, False], served=False)
    assert after(choice, [True, True]) == RETRY_MS + STEADY_MS - 500


def test_where_nothing_works_both_are_tried_for_ever():
    choice, seen = Choice(2), []
    for _ in range(10):
        assert after(choice, [True, True], served=False) == DEAF_MS
        seen.append(choice.at)
    assert seen == [WIFI, CABLE] * 5


class Nic:
    def __init__(self):
        self.on = self.linked = False
        self.asked = []

    def active(self, on=None):
        if on is None:
            return self.on
        self.on = on

    def isconnected(self):
        return self.on and self.linked

    def connect(self, name, password):
        self.asked.append((name, password))


def test_interfaces_are_switched_and_wifi_is_asked_again():
    cable, wifi = Nic(), Nic()
    one = Network([("ethernet", cable), ("wifi", wifi)], "hall", "secret")
    cable.linked = True
    one.turn(False, 500)
    one.turn(True, 500)
    assert one.name == "ethernet" and one.up() and not wifi.on and wifi.asked == []
    cable.linked = False
    while not one.turn(False, 500):
        pass
    assert one.name == "wifi" and wifi.on and cable.on and wifi.asked == [("hall", "secret")]
    for _ in range(network.ASK_MS // 500):
        one.turn(False, 500)
    assert wifi.asked == [("hall", "secret")] * 2 or one.name == "ethernet"
    wifi.linked = True
    asked = len(wifi.asked)
    for _ in range(100):
        one.turn(True, 500)
    assert one.up() and len(wifi.asked) == asked


def test_wifi_alone_is_asked_every_twenty_seconds():
    wifi = Nic()
    one = Network([("wifi", wifi)], "hall", "secret")
    for _ in range(4 * network.ASK_MS // 500):
        one.turn(False, 500)
    assert len(wifi.asked) == 4 and not one.up()
