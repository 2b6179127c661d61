"""Who is on the way up: rigs are believed to keep their times, unless they say they sleep."""

import numpy as np

from supervisor import line as lines
from supervisor.fleet import ASLEEP, RUNNING
from supervisor.flight import HEARD_S, Flight
from supervisor.wear import Wear
from tests.supervisor.small import fleet_of

RIGS, TOP_W = 4, 4 * 2500


def taken_off():
    """Everybody admitted in full at 0 s; now_w(when, what they say then)."""
    fleet = fleet_of(RIGS)
    line = lines.deal(fleet.points, np.arange(RIGS), 1)
    flight = Flight(fleet, Wear(fleet))
    flight.weigh(line, TOP_W, 0.0)

    def now_w(at_s, state=None):
        if state is not None:
            fleet.state[:], fleet.heard_s[:] = state, at_s
        flight.weigh(line, TOP_W, at_s)
        return sum(curve.at(TOP_W) for curve in flight.now)

    return fleet, flight, now_w


def test_rigs_nobody_has_heard_are_believed_to_climb():
    _, flight, now_w = taken_off()
    assert [now_w(at_s) for at_s in (3.0, 4.0, 5.0, 9.0)] == [0, 0, 2000, TOP_W]
    assert not len(flight.rows)


def test_rigs_that_say_they_sleep_draw_nothing_until_they_say_otherwise():
    fleet, flight, now_w = taken_off()
    assert now_w(HEARD_S, ASLEEP) == 0 and fleet.admitted_s[0] == 0, "too soon to mean anything"
    assert now_w(HEARD_S + 1, ASLEEP) == 0
    assert [now_w(at_s) for at_s in (20.0, 40.0)] == [0, 0], "though they say nothing more"
    assert now_w(41.0, RUNNING) == 0, "their time runs from when they were last known asleep"
    assert [now_w(at_s) for at_s in (44.0, 45.0, 49.0)] == [0, 2000, TOP_W]
    assert sum(curve.at(TOP_W) for curve in flight.full) == TOP_W, "and they count all the time"


def test_a_rig_that_ran_and_has_lost_its_lease_climbs_anew():
    _, _, now_w = taken_off()
    assert now_w(30.0, RUNNING) == TOP_W
    assert now_w(31.0, ASLEEP) == 0
