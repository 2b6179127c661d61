"""Rigs that are slow to fall, or do not: how much of the site's watts they hold.

A rig without a lease draws what it draws, whatever it is admitted.  What it may draw beyond
that is held back from everybody else: the position falls by it, and the quick make room.
"""

from collections.abc import Mapping

import numpy as np

from supervisor.fleet import Fleet
from supervisor.learn import FACTOR_SD, SURE, Learner
from supervisor.merit import Floats


def held_w(fleet: Fleet, learner: Learner, admitted_w: Floats, could_w: Mapping[str, int]) -> int:
    """Watts at the meter, at worst, by which these rigs may exceed what they are admitted.

    could_w: by rig, what it may draw.  admitted_w: by row, above its floor, as listed.
    """
    known = {row: w for name, w in could_w.items() if (row := fleet.row_of.get(name)) is not None}
    rows = np.array(list(known), dtype=np.int64)
    beyond_w = np.array(list(known.values())) - fleet.floor_w[rows] - admitted_w[rows]
    by_model: Floats = np.zeros(len(fleet.models))
    np.add.at(by_model, fleet.group[rows], np.maximum(beyond_w, 0.0))
    return int(_worst_w(learner, by_model))


def _worst_w(learner: Learner, by_model: Floats) -> float:
    """By what is known of each model's word; by what is not, where nothing is yet."""
    listed_w = float(by_model.sum())
    if len(learner.factors) != len(by_model):
        return listed_w * (1 + SURE * FACTOR_SD)
    return max(listed_w, learner.worst_w(by_model) - learner.worst_w(np.zeros(len(by_model))))
