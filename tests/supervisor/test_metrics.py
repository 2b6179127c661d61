"""Metrics as Prometheus reads them, and a dashboard that names none that is not there."""

import json
import re
from pathlib import Path

import pytest
from fake_site import FakeSite, get, served
from prometheus_client.parser import text_string_to_metric_families
from test_people import Seen

from supervisor import metrics

DASHBOARD = Path(__file__).parents[2] / "supervisor" / "grafana" / "site.json"


def read(text):
    """{(name, *labels by their names): value}"""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()) if value)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_site_in_numbers():
    seen = FakeSite().seen([], 2)
    found = read(metrics.text(seen).decode())
    assert found["surplus_envelope_watts",] == 3_200_000
    assert found["surplus_committed_watts",] == 3_080_000
    assert found["surplus_metered_watts", "site"] == 3_190_000
    assert found["surplus_meter_age_seconds", "site"] == 0.8
    assert found["surplus_hashrate_hashes_per_second",] == 182e15
    assert found["surplus_rigs", "running"] == 912
    assert found["surplus_signal_fresh", "dispatch"] == 1
    assert found["surplus_place_power_watts", "c07"] == 900_000
    assert found["surplus_place_rigs", "c07", "fault"] == 1
    assert found["surplus_place_hot_celsius", "c07"] == pytest.approx(64.3)
    assert found["surplus_alarm", "rig-silent", "warning", "c07"] == 300
    assert found["surplus_messages_lost_total", "inbox"] == 0
    assert [key[1] for key in found if key[0] == "surplus_rig_sickness"] == ["rig-0007", "rig-0042"]
    assert found["process_resident_memory_bytes",] > 1e6


def test_the_dashboard_names_only_what_is_there():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    named = set(re.findall(r"\b(?:surplus|process)_\w+", asked))
    seen = FakeSite().seen([], 2)
    totals = {"messages_lost": {"a": 1}, "messages_refused": {"a": 1}, "requests_refused": {"a": 1}}
    there = {key[0] for key in read(metrics.text(seen._replace(totals=totals)).decode())}
    assert len(named) > 12 and not named - there
    labels = set(re.findall(r"\{\{(\w+)\}\}", json.dumps(panels)))
    assert labels <= {"meter", "source", "place", "state", "rig", "severity", "by"}
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.real_time
def test_over_the_api():
    with served(FakeSite()) as port:
        answer = get(port, "/metrics?rig=rig-0003&rig=rig-0005")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = read(answer.text)
        assert {key[1] for key in found if key[0] == "surplus_rig_power_watts"} == {
            "rig-0003",
            "rig-0005",
        }
        assert found["surplus_requests_refused_total", "401"] == 0
        assert get(port, "/metrics?top=3").text.count("surplus_rig_power_watts{") == 3
        assert get(port, "/metrics?top=1000").status_code == 400
        assert get(port, "/metrics", token="wrong").status_code == 401


def test_the_metrics_of_a_living_site(tmp_path):
    seen = Seen(tmp_path)
    seen.world.inbox.put_meter(seen.world.admitted_w + 40, seen.world.now_s + 1)
    seen.tick(2)
    found = read(metrics.text(seen.people.seen(["r1", "nobody"], 5)).decode())
    assert found["surplus_metered_watts", "site"] > 0
    assert sum(value for key, value in found.items() if key[0] == "surplus_place_rigs") == 4
    assert {key[1] for key in found if key[0] == "surplus_rig_level"} == {"r1"}
    (place,) = seen.people.places()
    assert (place.place, place.rigs, place.sick) == ("", 4, 0)
    assert place.power_w == 40 and place.admitted_w == seen.world.admitted_w + 40
    seen.world.site.ledger.close()
