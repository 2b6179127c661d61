"""Ladders from nothing, one change, and hash rate against the exact optimum."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
import typer

from supervisor import line as lines
from supervisor.dispatcher import Dispatcher, Means
from supervisor.fleet import Facts, Fleet
from supervisor.merit import Ints, Points, steps_of
from supervisor.policy import Policy
from supervisor.tree import grown

LOAD = 0.6  # of capacity: where the budget is put
EXACT_RIGS = 1000
TIGHT = 0.9  # of what hangs below: what feeders and containers carry
GAP = 1e-7  # HiGHS stops when this close to a proof


def command(
    rigs: Annotated[int, typer.Option(min=10, max=200_000)] = 28_571,
    levels: Annotated[int, typer.Option(min=1, max=32)] = 8,
) -> dict[str, float]:
    try:
        import highspy  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError("highspy; make setup installs it") from None
    return dispatch(rigs, levels)


def random_points(rigs: int, levels: int, seed: int = 1) -> Points:
    """Rigs like those of hil/models.py, every one a little different, in whole watts."""
    random = np.random.default_rng(seed)
    top_w = random.uniform(2800, 3900, (rigs, 1))
    share = np.linspace(0.35, 1.0, levels)[None, :] * random.uniform(0.97, 1.03, (rigs, levels))
    watts = np.sort((top_w * share).astype(np.int64), axis=1) + np.arange(levels)
    best = random.uniform(14.0, 30.0, (rigs, 1))
    joules_per_th = best * (1 + 0.5 * (watts / top_w - 0.45) ** 2)
    ghs = np.maximum.accumulate((watts / joules_per_th * 1000).astype(np.int64), axis=1)
    floor_w = np.full((rigs, 1), 25)
    return Points(np.hstack((floor_w, watts)), np.hstack((np.zeros((rigs, 1), np.int64), ghs)))


def best_of(call: Callable[[], object], runs: int) -> float:
    """Milliseconds of the median run."""
    spent = []
    for _ in range(runs):
        before = time.perf_counter()
        call()
        spent.append(time.perf_counter() - before)
    return float(np.median(spent) * 1000)


def fleet_of(points: Points) -> Fleet:
    """A supervisor's columns with these points, everybody counted."""
    fleet, levels = Fleet(), points.watts.shape[1] - 1
    for row in range(5):
        facts = Facts(f"model {row}", 25, tuple((n + 26, n) for n in range(levels)), 10.0, 340.0)
        fleet.put_many(
            [f"rig-{row}-{n}" for n in range(len(range(row, len(points.watts), 5)))], facts
        )
    fleet.points.watts[:, : levels + 1] = points.watts
    fleet.points.ghs[:, : levels + 1] = points.ghs
    fleet.points.watts[:, levels + 1 :] = points.watts[:, -1:]
    fleet.points.ghs[:, levels + 1 :] = points.ghs[:, -1:]
    fleet.count(np.arange(len(fleet)), 0.0)
    return fleet


def dispatch(rigs: int, levels: int) -> dict[str, float]:
    """Dealing from nothing; one rig lost and the position found anew; against the optimum."""
    points = random_points(rigs, levels)
    everybody = np.arange(rigs)
    solve_ms = best_of(lambda: lines.deal(points, everybody, 1), 7)
    plain = Dispatcher(fleet_of(points), Means())
    plain.take_line(lines.deal(points, everybody, 1), 0.0)
    wished = with_policies(points)
    policy_ms = best_of(lambda: wished.dealer.deal(everybody, 1, 0.0), 7)
    wished.take_line(wished.dealer.deal(everybody, 1, 0.0), 0.0)
    share, exact_ms = against_exact(random_points(EXACT_RIGS, levels, seed=2))
    return {
        "rigs": rigs,
        "levels": levels,
        "solve_ms": round(solve_ms, 2),
        "change_ms": round(changed_ms(plain), 2),
        "policy_solve_ms": round(policy_ms, 2),
        "policy_change_ms": round(changed_ms(wished), 2),
        "policy_left_out_pct": round(100 * (1 - wished.line.length_w / plain.line.length_w), 1),
        "hashrate_share_of_exact": share,
        "exact_ms": round(exact_ms, 1),
        "exact_rigs": EXACT_RIGS,
    }


def with_policies(points: Points) -> Dispatcher:
    """Every policy in use: priorities, wear, failed wakes, feeders and containers too small."""
    random, rigs, fleet = np.random.default_rng(3), len(points.watts), fleet_of(points)
    fleet.priority[:] = random.integers(3, 8, rigs)
    fleet.starts[:], fleet.on_share[:] = 9 * random.random(rigs), random.random(rigs)
    fleet.tried[:], fleet.failed[:] = 3.0, 1.0 * (random.random(rigs) < 0.1)
    places = [f"feeder-{n % 8}/container-{n % 96}/rack-{n % 960}" for n in range(rigs)]
    top_w = float(points.watts[:, -1].sum())
    limits_w = {place.rsplit("/", 1)[0]: TIGHT * top_w / 96 for place in places}
    limits_w |= {f"feeder-{n}": TIGHT * top_w / 8 for n in range(8)}
    tree = grown(limits_w, places)
    node = {path: number for number, path in enumerate(tree.paths)}
    fleet.node[:] = [node[place] for place in places]
    return Dispatcher(fleet, Means(), policy=Policy(), tree=tree)


def changed_ms(site: Dispatcher) -> float:
    """One rig lost, and the position found anew."""
    fleet, clock = site.fleet, iter(range(10_000_000))
    limit_w = int(fleet.points.watts[:, -1].sum() * LOAD)
    clock = iter(range(10_000_000))
    for _ in range(400):
        site.tick(float(next(clock)), limit_w, None)

    def change() -> None:
        fleet.uncount(np.array([next(clock) % len(fleet)]))
        site.tick(float(next(clock)), limit_w, None)

    return best_of(change, 25)


def against_exact(points: Points) -> tuple[float, float]:
    """(hash rate by merit order / the integer optimum, milliseconds of the optimum).

    Whole levels only on both sides: what the marginal rig adds at a fraction is left out.
    """
    budget_w = int((points.watts[:, -1] - points.watts[:, 0]).sum() * LOAD)
    levels = merit_levels(points, budget_w)
    ours = float(points.ghs[np.arange(len(levels)), levels].sum())
    before = time.perf_counter()
    with quiet_stdout():
        exact = exact_ghs(points, budget_w)
    return ours / exact, (time.perf_counter() - before) * 1000


def merit_levels(points: Points, budget_w: int) -> Ints:
    """The level of every rig with this budget, whole steps only."""
    steps = steps_of(points)
    within = np.cumsum(steps.width_w) <= budget_w
    levels = np.zeros(len(points.watts), dtype=np.int64)
    np.maximum.at(levels, steps.rig[within], steps.level[within])
    return levels


def exact_ghs(points: Points, budget_w: int) -> float:
    """The most hash rate any choice of one level a rig gives, by HiGHS."""
    import highspy

    rigs, levels = points.watts.shape
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", GAP)
    chosen = [
        [solver.addBinary(obj=float(points.ghs[r, n])) for n in range(1, levels)]
        for r in range(rigs)
    ]
    for row in chosen:
        solver.addConstr(sum(row[1:], row[0]) <= 1)
    above_w = points.watts[:, 1:] - points.watts[:, :1]
    terms = [float(above_w[r, n]) * chosen[r][n] for r in range(rigs) for n in range(levels - 1)]
    solver.addConstr(highspy.Highs.qsum(terms) <= float(budget_w))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solver.run()
    return float(solver.getInfo().objective_function_value)


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """A native library's banner goes to stderr: stdout is for results."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
