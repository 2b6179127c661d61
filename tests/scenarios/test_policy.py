"""Policies on a site of real firmware decisions: feeders and priorities."""

import random
from pathlib import Path

import pytest

from supervisor.roster import Stand, roster
from tests.scenarios.test_never_above_budget import LATE, TABLES
from tests.scenarios.world import Rig, World

EAST_W = 3100
PLACES = {"r0": "east/c1", "r1": "east/c2", "r2": "east/c1", "r3": "west/c1", "r6": "east/c2"}


def site(folder: Path, limit_w=9000, limits=None, **priorities):
    names = {*PLACES, *priorities}
    stands = {n: Stand(PLACES.get(n, ""), priorities.get(n, 5)) for n in names}
    limits = {"east": float(EAST_W)} if limits is None else limits
    world = World(folder, TABLES, limit_w, roster=roster(stands, limits))
    for _ in range(8):
        world.tick()
    return world


def east_w(world):
    """At the meter of the feeder, as listed."""
    east = [rig for name, rig in world.rigs.items() if PLACES.get(name, "").startswith("east")]
    return sum(rig.admitted_w + 10 for rig in east)


def test_a_feeder_is_never_asked_for_more_than_it_carries(tmp_path):
    world = site(tmp_path)
    for _ in range(10):
        world.tick()
        world.check()
        assert east_w(world) <= EAST_W
    assert east_w(world) > 0.3 * EAST_W, "nothing runs there"
    assert world.admitted_w > EAST_W + 2000, "the others run on"


@pytest.mark.parametrize("seed", range(4))
def test_nor_while_ladders_change_and_messages_are_lost(tmp_path, seed):
    dice, world = random.Random(seed), site(tmp_path)
    for name in ("r5", "r6"):
        world.rigs[name] = Rig(name, LATE)
        world.reboot(name)
    for second in range(60):
        if second % 15 == 7:
            world.ask(dice.choice((2000, 9000, 15_000)))
        world.tick(lost=frozenset(dice.sample(sorted(world.rigs), 3)))
        world.check()
        assert east_w(world) <= EAST_W
    assert len(world.epochs) > 1, "ladders were not dealt again"


def test_what_is_protected_is_the_last_to_sleep(tmp_path):
    """r2 is the least efficient of all."""
    world = site(tmp_path, 15_000, limits={}, r2=0)
    for limit_w in range(15_000, 900, -300):
        world.ask(limit_w)
        world.tick()
        world.check()
        others_w = world.admitted_w - world.rigs["r2"].admitted_w
        assert world.rigs["r2"].admitted_w > 0 or others_w == 0
