"""What the rig says, checked by the contract's own decoder; on both runtimes."""

from firmware import report, telemetry
from firmware.boards import s21pro
from firmware.power import Plant
from protocols import messages

PLANT = Plant(s21pro)
STATE = {
    "up_ms": 1,
    "state": "running",
    "level": 3,
    "power_w": 2000,
    "hash_ghs": 159_000,
    "hot_dc": 650,
    "inlet_dc": 300,
    "fan_rpm": 4000,
    "fan_pm": 500,
    "cap_level": 8,
    "term": 1,
    "seq": 2,
    "epoch": 3,
    "lease_ms": 5000,
    "id": 4,
    "event": 5,
    "why": "because",
}


def test_hello():
    hello = messages.decode(
        "hello", telemetry.hello("0" * 16, report.identity(s21pro, PLANT.points, 195))
    )
    assert hello["boards"] == 3 and hello["chips"] == 195 and hello["floor_w"] == 25
    assert hello["points"] == [[point.watts, point.ghs] for point in PLANT.points]
    # 430 MHz at 62.5 MHz/s
    rise_w = PLANT.points[-1].watts - PLANT.points[0].watts
    assert hello["up_w_per_s"] == rise_w * 1000 // 6880


def test_state_as_it_is():
    assert messages.decode("state", telemetry.state(STATE)) == dict(STATE, v=messages.VERSION)


def test_state_never_fails_for_a_number_out_of_range():
    wild = dict(STATE, power_w=-5, fan_rpm=1_000_000, hot_dc=-30_000, why="x" * 500)
    state = messages.decode("state", telemetry.state(wild))
    assert (state["power_w"], state["fan_rpm"], state["hot_dc"]) == (0, 65_535, -1000)
    assert len(state["why"]) == 120
    assert messages.decode("state", telemetry.state(dict(STATE, why="5 \xb0\n")))["why"] == "5 ??"
