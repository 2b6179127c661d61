"""A few rigs as columns and as messages, for the tests of the supervisor's core."""

from protocols import messages
from supervisor.fleet import Facts, Fleet

# 1000, 1000 and 500 W above a floor of 20
PLAIN = Facts("plain", 20, ((1020, 50_000), (2020, 90_000), (2520, 105_000)), 4.0, 500.0)
OTHER = Facts("other", 20, ((1120, 60_000), (2220, 99_000)), 5.0, 400.0)


def names(rigs, first=0):
    return [f"r{number}" for number in range(first, first + rigs)]


def fleet_of(rigs=4, others=0, counted=True):
    """A fleet that has joined at 0 s."""
    fleet = Fleet()
    fleet.put_many(names(rigs), PLAIN)
    if others:
        fleet.put_many(names(others, rigs), OTHER)
    if counted:
        fleet.count([*range(rigs + others)], 0.0)
    return fleet


def hello(nonce="0123456789abcdef", **changes):
    return messages.encode(
        "hello",
        {
            "nonce": nonce,
            "model": "plain",
            "firmware": "1",
            "boards": 3,
            "chips": 195,
            "floor_w": 20,
            "points": [list(point) for point in PLAIN.points],
            "wake_ms": 4000,
            "up_w_per_s": 500,
        }
        | changes,
    )


def state(word="joining", **changes):
    return messages.encode(
        "state",
        {
            "up_ms": 1,
            "state": word,
            "level": 0,
            "power_w": 20,
            "hash_ghs": 0,
            "hot_dc": 300,
            "inlet_dc": 200,
            "fan_rpm": 0,
            "fan_pm": 0,
            "cap_level": 3,
            "term": 0,
            "seq": 0,
            "epoch": 0,
            "lease_ms": 0,
            "id": 0,
            "event": 0,
            "why": "",
        }
        | changes,
    )


def event(number=1, code="fan", text="fan 2 stands still"):
    return messages.encode("event", {"event": number, "up_ms": 1, "code": code, "text": text})
