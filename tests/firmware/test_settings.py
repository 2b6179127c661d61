"""Settings: every mistake is named, on both runtimes."""

import json

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
        ("broker_host", "broker..lan", "an address like 192.168.1.10 or a name, not 'broker..lan'"),
        ("broker_host", "10.0.0.256", "broker_host: an address like"),
        ("broker_host", "10.0.0.1.2", "broker_host: an address like"),
        ("broker_host", "a b", "broker_host: an address like"),
        ("broker_host", "x" * 64 + ".site", "broker_host: an address like"),
        ("broker_host", "mqtt://broker", "broker_host: an address like"),
        ("broker_host", "", "broker_host: 1 to 128 characters"),
        ("site", "Hall 1", "site: a name is made of a-z, 0-9 and -"),
        ("site", "", "site: 1 to 32 characters"),
        ("rig", 7, "rig: not a text"),
        ("rig_key", "72" * 31, "rig_key: 32 bytes in hex"),
        ("rig_key", "72" * 31 + "7x", "rig_key: not hex"),
        ("board", "s99", "board: not 's99'; there are s21pro"),
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
OTHER = dict(GOOD, rig="r0002")


def written(raw):
    """A flash that just got this settings.json."""
    cleared()
    with open(PATH, "w") as file:
        json.dump(raw, file)


def cleared():
    settings.erase(PATH)


def slot(end, text=None):
    """What is in a slot; with a text, put there."""
    if text is None:
        with open(PATH + end) as file:
            return file.read()
    with open(PATH + end, "w") as file:
        file.write(text)


def test_what_is_saved_is_read_again_and_the_rest_stays():
    written(GOOD)
    save({"state_ms": 20_000, "wifi_name": "hall"}, PATH)
    save({"wifi_name": "hall 2"}, PATH)
    assert load(PATH) == dict(parse(GOOD), state_ms=20_000, wifi_name="hall 2")
    with open(PATH) as file:
        assert json.load(file) == GOOD, "what was flashed is never written over"
    cleared()


def test_a_mistake_is_not_saved():
    written(GOOD)
    for changes, words in (
        ({"state_ms": 5}, "state_ms: 5, from 1000 to 60000"),
        ({"stat_ms": 5_000}, "stat_ms: no such setting"),
    ):
        assert words in raises(SettingsError, save, changes, PATH)
        assert load(PATH) == parse(GOOD)
    written([])
    assert "not an object" in raises(SettingsError, save, {"state_ms": 5_000}, PATH)
    cleared()
    assert "no such file" in raises(SettingsError, save, {}, PATH)


def test_a_write_cut_at_any_byte_leaves_the_old_or_the_new():
    for saves in (1, 2, 3):
        written(GOOD)
        for turn in range(saves):
            save({"state_ms": 10_000 + turn}, PATH)
        before = load(PATH)
        held = {end: slot(end) for end in (".1", ".2")[:saves]}
        save({"state_ms": 30_000}, PATH)
        after = load(PATH)
        changed = [end for end in (".1", ".2") if held.get(end) != slot(end)]
        assert len(changed) == 1 and after["state_ms"] == 30_000
        whole = slot(changed[0])
        for size in range(len(whole)):
            slot(changed[0], whole[:size])
            assert load(PATH) == before, size
        slot(changed[0], whole)
        assert load(PATH) == after
    cleared()


def test_a_slot_of_which_a_bit_fell_counts_for_nothing():
    written(GOOD)
    save({"state_ms": 20_000}, PATH)
    slot(".1", slot(".1").replace("20000", "20001"))
    assert load(PATH)["state_ms"] == 10_000
    save({"state_ms": 30_000}, PATH)
    assert load(PATH)["state_ms"] == 30_000
    cleared()


def test_other_settings_flashed_put_an_end_to_the_rigs_changes():
    written(GOOD)
    save({"state_ms": 20_000}, PATH)
    with open(PATH, "w") as file:
        json.dump(OTHER, file)
    assert load(PATH) == parse(OTHER)
    save({"state_ms": 30_000}, PATH)
    assert load(PATH) == dict(parse(OTHER), state_ms=30_000)
    cleared()


def test_a_factory_reset_keeps_who_it_is_and_nothing_else():
    written(GOOD)
    save({"state_ms": 20_000, "rig": "r0099", "wifi_password": "new"}, PATH)
    settings.reset(PATH)
    assert load(PATH) == dict(parse(GOOD), rig="r0099", wifi_password="new")
    settings.erase(PATH)
    assert "no such file" in raises(SettingsError, load, PATH)


def test_a_bare_flash_takes_its_settings_when_they_are_complete():
    cleared()
    some = dict(GOOD)
    del some["rig_key"]
    assert "rig_key: missing" in raises(SettingsError, save, some, PATH)
    save(GOOD, PATH)
    assert load(PATH) == parse(GOOD)
    cleared()


def test_a_setting_that_this_firmware_does_not_know_is_not_its_end():
    """Kept by a newer firmware, which was rolled back."""
    written(GOOD)
    save({"state_ms": 20_000}, PATH)
    settings.TABLE["state_mz"] = settings.TABLE.pop("state_ms")
    try:
        assert load(PATH) == dict(parse(GOOD), state_mz=10_000)
    finally:
        settings.TABLE["state_ms"] = settings.TABLE.pop("state_mz")
    cleared()


def test_what_was_typed():
    assert settings.value_of("state_ms", "20000") == 20_000
    assert settings.value_of("wifi_name", "hall 1") == "hall 1"
    assert settings.value_of("rig_key", "72" * 32) == "72" * 32
    for name, text, words in (
        ("state_ms", "2e4", "not an integer"),
        ("state_ms", "1", "from 1000"),
        ("nothing", "1", "no such setting; there are board"),
    ):
        assert words in raises(SettingsError, settings.value_of, name, text)


def test_secrets_are_never_told():
    parsed = dict(parse(GOOD), wifi_password="hush", state_ms=5_000)
    told = " ".join(settings.shown(name, parsed) for name in settings.TABLE)
    assert "5000 ms" in told and "r0001" in told and "(set)" in told and "(not set)" in told
    for secret in ("hush", "bbbb", "62" * 4, "rrrr", "72" * 4):
        assert secret not in told
    marked = [name for name in settings.TABLE if settings.SECRET in settings.TABLE[name].marks]
    assert sorted(marked) == ["broker_password", "budget_key", "rig_key", "wifi_password"]


def test_a_broker_by_name():
    for name in ("broker", "Broker.hall-1.site", "10.0.0.1"):
        assert parse(dict(GOOD, broker_host=name))["broker_host"] == name
