"""What a site wants besides the most hash rate per watt: the order in which rigs run.

Everything here becomes three numbers per rig, and they shape the line when it is dealt;
nothing here touches the sum that is admitted.  Priority comes first: the protected, then 1
to 9; within a priority, those that had better rest go last; then gain per watt decides,
times a handicap close to 1.
"""

from dataclasses import dataclass

import numpy as np

from supervisor.merit import Bools, Floats, Ints, Order

PROTECTED, PRIORITY, LEAST = 0, 5, 9  # the first to run; what nobody has said; the last
STAY = 0.05  # of gain: what running already counts, so that nobody changes places for little,
TURN_S = (6 * 3600.0, 18 * 3600.0)  # for so long, from to, every rig its own
TURNS = 0.004  # of gain: between a rig that always runs and one that always sleeps
CYCLES = 0.001  # of gain, by start above or below the others: who has started often is left alone
CYCLES_MOST = 3.0  # starts
TRUST = 20.0  # wakes a rig is believed to have done well before we knew it
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a rig runs or rests at least, and how often it may start in a day.

    A limit comes first: these choose who sleeps, and when somebody wakes, never whether
    the site obeys.
    """

    min_on_s: float = 15.0
    min_off_s: float = 15.0
    starts_per_day: float = 24.0


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What is known of each rig when a line is dealt, one row each."""

    priority: Ints  # 0 protected, 1 to 9
    awake: Bools
    changed_s: Floats  # how long ago it last woke or slept
    starts: Floats  # within the last day, fading
    on_share: Floats  # of the last day, fading
    tried: Floats  # wakes, fading
    failed: Floats  # of those


def order(policy: Policy, wish: Wish) -> Order:
    """Priority, who rests, and handicap of every rig."""
    return Order(wish.priority, _late(policy, wish), _handicap(wish))


def _late(policy: Policy, wish: Wish) -> Ints:
    """Within a priority: -1 who had better go on, 1 who had better rest, 0 the others.

    Who has just woken goes on, who has just gone to sleep rests, and who has used up its
    starts stays what it is.
    """
    spent = wish.starts >= policy.starts_per_day
    resting = ~wish.awake & (spent | (wish.changed_s < policy.min_off_s))
    fresh = wish.awake & (spent | (wish.changed_s < policy.min_on_s))
    late: Ints = resting.astype(np.int64) - fresh.astype(np.int64)
    return late


def _handicap(wish: Wish) -> Floats:
    """About 1: the chance that it wakes at all, staying as it is, and taking turns."""
    sure: Floats = (wish.tried - wish.failed + TRUST) / (wish.tried + TRUST)
    often: Floats = np.clip(wish.starts - _middle(wish.starts), -CYCLES_MOST, CYCLES_MOST)
    turn_s = TURN_S[0] + (TURN_S[1] - TURN_S[0]) * _spread(len(wish.starts))
    stay = STAY * (wish.awake & (wish.changed_s < turn_s))
    turns: Floats = TURNS * (0.5 - wish.on_share) + stay
    cycles = CYCLES * np.where(wish.awake, often, -often)
    handicap: Floats = np.where(wish.awake, 1.0, sure) * (1.0 + turns + cycles)
    return handicap


def _middle(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0


def _spread(rigs: int) -> Floats:
    """0..1, every rig's its own, so that rigs that are alike take turns one by one."""
    golden: Floats = np.arange(rigs, dtype=float) * 0.6180339887498949 % 1.0
    return golden
