"""Settings: every mistake is named, on both runtimes."""

import json
import os

from exchange import raises

from firmware import settings
from firmware.settings import SettingsError, load, parse, save

GOOD = {
    "site": "hall-1",
    "rig": "r0001",
    "board": "s21pro",
    "broker_host": "10.0.0.1",
    "broker_port": 1883,
    "budget_key": "62" * 32,
    "rig_key": "72" * 32,
}


def test_good_settings_and_their_defaults():
    parsed = parse(GOOD)
    assert parsed["budget_key"] == b"b" * 32 and parsed["rig_key"] == b"r" * 32
    assert sorted(parsed) == sorted(settings.TABLE)
    assert parsed["state_ms"] == 10_000 and parsed["wifi_name"] == ""


def test_every_mistake_is_named():
    for name, value, words in (
        ("broker_prot", 1, "broker_prot: no such setting"),
        ("broker_port", "1883", "broker_port: not an integer"),
        ("broker_port", True, "broker_port: not an integer"),
        ("broker_port", 0, "broker_port: 0, from 1 to 65535"),
        ("broker_port", 65_536, "broker_port: 65536, from 1 to 65535"),
        ("state_ms", 999, "state_ms: 999, from 1000 to 60000"),
        ("broker_host", "broker.lan", "an IPv4 address like 192.168.1.10, not 'broker.lan'"),
        ("broker_host", "10.0.0.256", "broker_host: an IPv4 address"),
        ("broker_host", "10.0.0.1.2", "broker_host: an IPv4 address"),
        ("site", "Hall 1", "site: a name is made of a-z, 0-9 and -"),
        ("site", "", "site: 1 to 32 characters"),
        ("rig", 7, "rig: not a text"),
        ("rig_key", "72" * 31, "rig_key: 32 bytes in hex"),
        ("rig_key", "72" * 31 + "7x", "rig_key: not hex"),
        ("board", "s99", "board: no such board; there are s21pro"),
        ("wifi_password", "x" * 64, "wifi_password: 0 to 63 characters"),
    ):
        told = raises(SettingsError, parse, dict(GOOD, **{name: value}))
        assert words in told and "settings.json" in told, told


def test_what_is_needed():
    for name in GOOD:
        some = dict(GOOD)
        del some[name]
        if settings.TABLE[name].default is settings.NEEDED:
            assert f"{name}: missing" in raises(SettingsError, parse, some)
        else:
            assert parse(some)[name] == settings.TABLE[name].default


def test_no_file_and_no_object():
    assert "no such file" in raises(SettingsError, load, "nowhere.json")
    assert "not JSON" in raises(SettingsError, load, __file__)
    assert "not an object" in raises(SettingsError, parse, [])


PATH = f"/tmp/surplus-settings-{id(GOOD)}.json"


def written(raw):
    with open(PATH, "w") as file:
        json.dump(raw, file)


def test_what_is_saved_is_read_again_and_the_rest_stays():
    written(GOOD)
    save({"state_ms": 20_000, "wifi_name": "hall"}, PATH)
    assert load(PATH) == dict(parse(GOOD), state_ms=20_000, wifi_name="hall")
    os.remove(PATH)


def test_a_mistake_is_not_saved():
    written(GOOD)
    for changes, words in (
        ({"state_ms": 5}, "state_ms: 5, from 1000 to 60000"),
        ({"stat_ms": 5_000}, "stat_ms: no such setting"),
    ):
        assert words in raises(SettingsError, save, changes, PATH)
        assert load(PATH) == parse(GOOD)
    written([])
    assert "not an object" in raises(SettingsError, save, {}, PATH)
    os.remove(PATH)
    assert "no such file" in raises(SettingsError, save, {}, PATH)


def test_half_a_file_of_a_write_that_lost_its_power_is_nothing():
    written(GOOD)
    with open(PATH + ".new", "w") as file:
        file.write('{"site": "ha')
    assert load(PATH) == parse(GOOD)
    save({"state_ms": 20_000}, PATH)
    assert load(PATH)["state_ms"] == 20_000
    os.remove(PATH)
