"""The benchmarks of the loop measure what they say: small ones, in a moment."""

import numpy as np
import pytest

from hil.benches import band, dispatch, firmware, frequency, learn, mqtt_libraries, tls_memory
from hil.models import MODELS
from hil.playback import Playback
from supervisor.sources.signal_csv import Series


def test_a_band_saves_sleeps_on_a_signal_that_swings():
    told = band.compare(band.agc(100, last_s=900.0), 100, 1.0, foreseen=False)
    assert told["band_sleeps_per_rig_day"] < 0.1 * told["merit_sleeps_per_rig_day"]
    assert told["errors"] == 0 and told["band_overshoot_s"] == 0
    assert abs(told["energy_lost_pct"]) < 10


def test_the_first_hours_of_a_series():
    whole = Series((0.0, 1800.0, 3600.0, 5400.0), (1, 2, 3, 4), 1800.0)
    assert band.first_hours(whole, 1.0).w == (1, 2)


def test_a_fall_of_the_frequency_sheds_before_it_is_too_late_and_comes_back():
    told = frequency.play(40, frequency.made_up(), 2.0, frequency.FAST_S)
    assert 49.9 < told["first_shed_hz"] <= 49.95
    assert told["shed_mw_before_49_5"] > 0.6 * told["full_mw"]
    assert told["all_asleep_s_after_49_5"] <= 0.5
    assert 55 <= told["back_begins_s"] <= 65
    assert told["back_begins_s"] < told["back_half_s"] < told["back_all_s"]


def test_series_of_frequencies_are_read_or_refused(tmp_path):
    path = tmp_path / "hz.csv"
    path.write_text("time,AnalyzerL1Frequency\n1,50.0\n2,NaN\n3,49.8\n\n")
    assert frequency.read(path).tolist() == [50.0, pytest.approx(49.9), 49.8]
    for text, word in (("a,b\n1,2\n", "no column"), ("hz\nx\n1\n", "number"), ("hz\n50\n", "two")):
        path.write_text(text)
        with pytest.raises(frequency.SeriesError, match=word):
            frequency.read(path)


def test_what_is_far_before_the_fall_is_left_out():
    hz = np.array([50.0] * 1000 + [49.0] * 3)
    assert len(frequency.from_the_fall(hz, 2.0)) == 63
    assert len(frequency.from_the_fall(hz[:1000], 2.0)) == 1000


def test_models_that_misreport_are_found_out():
    models = learn.misreporting(0.2)
    assert [m.report_error for m in models] == [0.2, -0.2, 0.2, -0.2, 0.2]
    assert np.ptp(Playback(50, models=models).fleet.factor) > 0.35
    told = learn.play(100, 0.2, 300, seed=1)
    assert told["error_pct_0s"] > 15 and told["error_pct_300s"] < 10
    assert told["models"] == len(MODELS) and told["overshoot_s"] == 0


def test_policies_are_all_in_use_where_they_are_timed():
    site = dispatch.with_policies(dispatch.random_points(200, 4))
    everybody = np.arange(200)
    line = site.dealer.deal(everybody, 1, 0.0)
    assert line.length_w < site.fleet.points.watts[:, -1].sum() * 0.95
    assert len(set(site.fleet.priority.tolist())) == 5
    assert (np.diff(site.fleet.priority[line.rig]) >= 0).all()


def test_the_firmwares_moments_are_the_quickest_of_their_rounds():
    assert firmware.quickest([[3, 9, 4], [5, 2, 4, 7]]) == [3, 2, 4]
    assert firmware.percentile(list(range(200)), 99) == 198
    assert firmware.percentile([5], 99) == 5


def test_turns_of_the_firmwares_safety_loop():
    told = firmware.turns(30, 1)
    assert told["ticks"] == 300
    assert 0 < told["tick_us_p50"] <= told["tick_us_p99"] <= told["tick_us_max"]
    assert told["held_up_us_max"] >= told["held_up_us_p99"] > 0 and told["tick_loops_p50"] > 10


def test_a_library_is_taken_from_the_users_folder_or_said_not_to_be_there(tmp_path, monkeypatch):
    monkeypatch.setattr(mqtt_libraries, "fetch", lambda name, folder: None)
    mine = tmp_path / "mine"
    (mine / "umqtt").mkdir(parents=True)
    (mine / "umqtt" / "simple.py").write_text("raise ValueError('not a client')")
    told = mqtt_libraries.compared(tmp_path, mine)
    assert told["mqtt_publish_us"] > 0
    assert told["umqtt_simple_publish_us"] == "failed: ['ValueError: not a client']"
    assert told["mqtt_async_publish_us"] == "no mqtt_async.py to be had"


@pytest.mark.real_time
def test_tls_costs_memory_outside_the_heap_and_some_of_it():
    told = tls_memory.measured()
    assert 1_000 < told["tls_heap_bytes"] < 20_000
    assert 0 < told["tls_resident_kb"] < 500
