"""Quantities as people write and read them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import units

POWERS = {
    "3.2MW": 3_200_000,
    "900kW": 900_000,
    "900 kw": 900_000,
    " 25w ": 25,
    "2GW": 2_000_000_000,
    "0": 0,
    "0MW": 0,
}
TIMES = {"15m": 900, "90s": 90, "2h": 7200, "1h30m": 5400, "1 h 30 min": 5400, "1.5d": 129_600}


@pytest.mark.parametrize("text", POWERS)
def test_powers(text):
    assert units.parse_watts(text) == POWERS[text]


@pytest.mark.parametrize(
    "text", ["", "3.2", "MW", "3,2MW", "-3MW", "3.2MWh", "1e3kW", "nanMW", "3TW"]
)
def test_what_is_no_power_is_refused_with_an_example(text):
    with pytest.raises(units.UnitError, match=r"as in 3\.2MW"):
        units.parse_watts(text)


@pytest.mark.parametrize("text", TIMES)
def test_times(text):
    assert units.parse_seconds(text) == TIMES[text]


@pytest.mark.parametrize("text", ["", "15", "0m", "-5m", "m", "15 weeks", "5m later", "infh"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(units.UnitError, match="as in 15m"):
        units.parse_seconds(text)


def test_watts_for_people():
    shown = [0, 25, 999, 999.6, 3510, 99_960, 999_499, 999_600, 3_200_000, 104_800_000, 2e9, None]
    assert [units.watts(w) for w in shown] == [
        "0 W",
        "25 W",
        "999 W",
        "1.00 kW",
        "3.51 kW",
        "100 kW",
        "999 kW",
        "1.00 MW",
        "3.20 MW",
        "105 MW",
        "2.00 GW",
        "?",
    ]


def test_hashrate_for_people():
    shown = [0, 750, 234_000, 18_200_000, 6.7e9]
    assert [units.hashrate(ghs) for ghs in shown] == [
        "0 GH/s",
        "750 GH/s",
        "234 TH/s",
        "18.2 PH/s",
        "6.70 EH/s",
    ]


def test_ages_for_people():
    shown = [-0.3, 0.84, 9.96, 59.4, 59.6, 200, 3599.7, 7500, 200_000, None, 1e9]
    assert [units.age(s) for s in shown] == [
        "0.0 s",
        "0.8 s",
        "10 s",
        "59 s",
        "1 m 00 s",
        "3 m 20 s",
        "1 h 00 m",
        "2 h 05 m",
        "2 d 07 h",
        "?",
        "?",
    ]


def test_efficiency_is_unknown_when_nothing_hashes():
    assert units.joules_per_th(3510, 234_000) == "15.0 J/TH"
    assert units.joules_per_th(3510, 0) == "?" == units.joules_per_th(None, 234_000)


@given(st.integers(0, 10**10))
def test_a_power_shown_reads_back_within_its_three_digits(w):
    assert units.parse_watts(units.watts(w)) == pytest.approx(w, rel=0.0051, abs=0.5)


def test_a_time_of_day_is_the_last_such_one():
    noon_s = datetime(2026, 12, 1, 12, 0).timestamp()
    assert units.parse_moment("11:30", noon_s) == noon_s - 1800
    assert units.parse_moment("9:00:30", noon_s) == noon_s - 3 * 3600 + 30
    assert units.parse_moment("12:01", noon_s) == noon_s - 86_400 + 60
    with pytest.raises(units.UnitError):
        units.parse_moment("25:00", noon_s)


def test_moments_name_their_zone_or_are_ago():
    assert units.parse_moment("1970-01-01T01:00+01:00", 5) == 0
    assert units.parse_moment("2026-12-01T14:00Z", 5) == 1_796_133_600
    assert units.parse_moment("now", 5) == 5 and units.parse_moment("1h30m", 6000) == 600
    for text, why in (("2026-12-01T14:00", "names no zone"), ("soon", "no moment")):
        with pytest.raises(units.UnitError, match=why):
            units.parse_moment(text, 0)
