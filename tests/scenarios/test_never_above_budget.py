"""The sum of what rigs admit is never above the budget broadcast, whatever happens to them.

Real supervisor, real firmware decisions; hypothesis deals losses, cuts, reboots, faults,
replays, new rigs, new limits and people who hold rigs back, dead supervisors.
"""

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from supervisor.replica import LAG
from tests.scenarios.world import LEASE_S, Rig, World

NAMES = ("r0", "r1", "r2", "r3", "r4", "r5")
TABLES = [
    [[1000, 50_000], [2000, 90_000], [3000, 120_000]],
    [[1100, 60_000], [2100, 99_000]],
    [[900, 30_000], [1800, 70_000], [2600, 88_000], [3300, 99_000]],
    [[1500, 90_000]],
    [[1000, 50_000], [2000, 90_000], [3000, 120_000]],
]
LATE = [[1200, 80_000], [2500, 140_000]]

ALL_BUT_R3 = frozenset(NAMES) - {"r3"}

names = st.sampled_from(NAMES)
events = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 16_000)),
    st.tuples(st.sampled_from(("cut", "mend", "reboot", "fault", "heal")), names),
    st.tuples(st.just("replay"), names, st.integers(0, 60)),
    st.tuples(st.just("lose"), st.frozensets(names)),
    st.tuples(st.just("hold"), names, st.integers(0, 4), st.integers(1, 40)),
    st.tuples(st.just("let_go"), names),
    st.tuples(st.just("wait"), st.integers(1, 14)),
    st.tuples(st.just("silence"), st.integers(1, 14)),
    st.tuples(st.just("kill")),
    st.tuples(st.just("lose_ledger")),
    st.tuples(st.just("takeover"), st.integers(0, 8), st.frozensets(names)),
    st.tuples(st.just("join")),
    st.tuples(st.just("forge"), names),
)


def play(world: World, event: tuple) -> None:
    kind, *what = event
    if kind == "ask":
        world.ask(what[0])
    elif kind == "lose":
        world.tick(lost=what[0])
    elif kind in ("wait", "silence"):
        for _ in range(what[0]):
            world.tick(silent=kind == "silence")
            world.check()
    elif kind in ("kill", "lose_ledger", "takeover"):
        getattr(world, kind)(*what)
    elif kind == "join":
        world.rigs.setdefault("r5", Rig("r5", LATE))
        world.reboot("r5")
    elif kind == "forge" and what[0] in world.rigs:
        rig = world.rigs[what[0]]
        forged = [(t, p.replace(b'"admit_w":', b'"admit_w":9')) for t, p in rig.archive[-3:]]
        before_w = rig.admitted_w
        assert not [
            rig.dispatch.hear(*message)
            for message in forged
            if b"admit" in message[1] and rig.dispatch.hear(*message)
        ]
        assert rig.admitted_w <= before_w
    elif what and what[0] in world.rigs:
        getattr(world, kind)(*what)
    world.tick()
    world.check()


def warm(folder: str, limit_w: int = 9000) -> World:
    world = World(Path(folder), TABLES, limit_w)
    for _ in range(8):
        world.tick()
    assert world.admitted_w > 0.8 * limit_w, "nothing runs, so nothing is tested"
    return world


@given(st.lists(events, min_size=4, max_size=14))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example([("cut", "r3"), ("wait", 14), ("wait", 5), ("mend", "r3"), ("wait", 14), ("wait", 3)])
@example([("fault", "r0"), ("wait", 14), ("heal", "r0"), ("wait", 14), ("ask", 2000), ("wait", 2)])
@example([("kill",), ("wait", 2), ("silence", 14), ("wait", 14), ("ask", 15_000), ("wait", 14)])
@example([("takeover", 0, ALL_BUT_R3), ("wait", 14), ("takeover", 7, frozenset()), ("wait", 14)])
@example([("cut", "r3"), ("wait", 14), ("wait", 6), ("takeover", 0, frozenset()), ("mend", "r3")])
@example([("join",), ("wait", 2), ("takeover", 3, frozenset()), ("wait", 14), ("ask", 2000)])
@example([("hold", "r0", 0, 40), ("wait", 14), ("lose", ALL_BUT_R3), ("let_go", "r0"), ("wait", 5)])
@example([("hold", "r0", 0, 9), ("hold", "r1", 1, 9), ("wait", 9), ("silence", 8), ("wait", 14)])
@example([("join",), ("wait", 14), ("wait", 14), ("ask", 12_000), ("join",), ("wait", 14)])
def test_never_above_budget(story: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = warm(folder)
        for event in story:
            play(world, event)
        world.site.ledger.close()


def test_holes_are_filled_and_given_back(tmp_path: Path) -> None:
    """A rig cut off costs a lease; then others run in its place; and it gets it back."""
    world = warm(str(tmp_path), 6000)
    full_w = world.admitted_w
    world.cut("r3")
    for _ in range(2 * LEASE_S):
        world.tick()
        world.check()
    assert world.rigs["r3"].admitted_w == 0
    assert world.admitted_w > 0.8 * full_w, "the hole was not filled"
    world.mend("r3")
    for _ in range(2 * LEASE_S):
        world.tick()
        world.check()
    assert world.rigs["r3"].admitted_w > 0, "it did not come back"


def test_a_hole_that_wakes_waits_for_those_who_run_in_its_place(tmp_path: Path) -> None:
    """r3 is back, but nobody else hears that they must make room."""
    world = warm(str(tmp_path), 6000)
    world.cut("r3")
    for _ in range(2 * LEASE_S):
        world.tick()
    world.mend("r3")
    for _ in range(LEASE_S - 1):
        world.tick(lost=ALL_BUT_R3)
        world.check()


@pytest.mark.parametrize("seed", range(6))
def test_a_new_epoch_changes_nobody_for_a_moment_above_budget(tmp_path: Path, seed: int) -> None:
    """Newcomers sit at the end until ladders are dealt again, in two steps.

    Half the rigs miss any one second's messages, so old and new leases mix.
    """
    dice = random.Random(seed)
    world = warm(str(tmp_path))
    for name in ("r5", "r6"):
        world.rigs[name] = Rig(name, LATE)
        world.reboot(name)
    for _ in range(60):
        world.tick(lost=frozenset(dice.sample(sorted(world.rigs), 3)))
        world.check()
    assert len(world.epochs) > 1, "ladders were not dealt again"
    best = world.rigs["r5"].dispatch
    assert best.epoch == world.site.dispatcher.line.epoch
    assert best.admitted.level > 0, "the most efficient rig of all does not run"


def test_a_silent_supervisor_ends_in_sleep(tmp_path: Path) -> None:
    world = warm(str(tmp_path))
    for _ in range(LEASE_S + 1):
        world.tick(silent=True)
    assert world.admitted_w == 0


def test_a_lost_ledger_costs_a_lease_and_no_more(tmp_path: Path) -> None:
    """Rigs run on ladders nobody knows any more: they run out, join and are dealt new ones."""
    world = warm(str(tmp_path))
    full_w = world.admitted_w
    world.lose_ledger()
    for _ in range(3 * LEASE_S):
        world.tick()
        world.check()
    assert world.admitted_w > 0.9 * full_w


def test_a_rig_that_was_in_fault_is_counted_before_it_runs(tmp_path: Path) -> None:
    world = warm(str(tmp_path), 6000)
    world.fault("r3")
    for _ in range(5):
        world.tick()
        world.check()
    world.heal("r3")
    for _ in range(3 * LEASE_S):
        world.tick()
        world.check()
    assert world.rigs["r3"].admitted_w > 0


@pytest.mark.parametrize("lag", (0, 3))
def test_a_standby_goes_on_where_the_leader_was(tmp_path: Path, lag: int) -> None:
    """Rigs notice a higher term and nothing else; the old leader is refused by all."""
    world = warm(str(tmp_path))
    full_w, epoch, term = world.admitted_w, world.site.dispatcher.line.epoch, world.site.term
    world.takeover(lag, frozenset())
    world.tick()
    assert world.site.dispatcher.line.epoch == epoch and world.site.term > term
    assert world.admitted_w >= 0.9 * full_w, "somebody was sent to sleep by it"
    assert {rig.dispatch.term for rig in world.rigs.values()} == {world.site.term}


def test_a_standby_that_lacks_what_the_leader_knew_deals_anew(tmp_path: Path) -> None:
    world = warm(str(tmp_path))
    full_w, epoch = world.admitted_w, world.site.dispatcher.line.epoch
    world.takeover(LAG + 1, frozenset())
    for _ in range(3 * LEASE_S):
        world.tick()
        world.check()
    assert world.site.dispatcher.line.epoch > epoch and world.admitted_w > 0.9 * full_w
