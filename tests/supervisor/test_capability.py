"""What a site can promise the grid, worked out by hand on a few rigs."""

import numpy as np
import pytest

from supervisor.fleet import ASLEEP, FAULT, RUNNING, WAKING, Fleet
from supervisor.grid.capability import capability
from tests.supervisor.small import PLAIN, fleet_of


def rigs(*words):
    """(state, watts, cap) of each; PLAIN wakes in 4 s and climbs 500 W/s to 2520 W."""
    fleet = fleet_of(len(words))
    for row, (state, power_w, cap) in enumerate(words):
        fleet.state[row], fleet.power_w[row], fleet.cap_level[row] = state, power_w, cap
    return fleet


def test_down_is_everything_above_asleep_within_two_seconds():
    fleet = rigs((RUNNING, 2520, 3), (RUNNING, 1020, 3), (ASLEEP, 20, 3))
    assert capability(fleet, (1, 5, 600)).down_w == (0, 3500, 3500)


@pytest.mark.parametrize(
    "rig, within_s, up_w",
    [
        ((RUNNING, 1020, 3), (1, 2, 3, 600), (500, 1000, 1500, 1500)),
        ((ASLEEP, 20, 3), (4, 5, 9, 600), (0, 500, 2500, 2500)),
        ((WAKING, 20, 3), (4, 5), (0, 500)),
        ((RUNNING, 1020, 2), (600,), (1000,)),  # capped at 2020 W
        ((RUNNING, 1020, 0), (600,), (0,)),  # capped at sleep
        ((RUNNING, 2520, 3), (600,), (0,)),
    ],
)
def test_up_is_what_each_rigs_own_times_allow(rig, within_s, up_w):
    assert PLAIN.wake_s == 4 and PLAIN.up_w_per_s == 500
    assert capability(rigs(rig), within_s).up_w == up_w


def test_who_is_not_counted_promises_nothing():
    fleet = rigs((RUNNING, 2520, 3), (FAULT, 20, 3))
    fleet.uncount(np.array([1]))
    found = capability(fleet, (600,))
    assert (found.down_w, found.up_w) == ((2500,), (0,))
    assert capability(Fleet()).down_w == (0, 0, 0)


def test_more_time_is_never_less_power():
    fleet = rigs((ASLEEP, 20, 3), (WAKING, 20, 2), (RUNNING, 1500, 3))
    found = capability(fleet, tuple(range(0, 60)))
    assert list(found.up_w) == sorted(found.up_w) and list(found.down_w) == sorted(found.down_w)
