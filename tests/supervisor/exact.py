"""The exact optimum of a small site, by HiGHS: one level a rig, under every node's limit.

Written from the definition and without a line of the supervisor's dispatch, to judge it by.
"""

import highspy
import numpy as np


def best(watts, ghs, budget_w, below=(), caps_w=(), weight=None):
    """The most hash rate.  watts, ghs: by rig, each level above asleep.  below: for every
    limited node the rigs under it, and in caps_w what it carries of weight * watts."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    chosen = [[solver.addBinary(obj=float(g)) for g in row] for row in ghs]
    weight = np.ones(len(watts)) if weight is None else weight
    for row in chosen:
        solver.addConstr(sum(row[1:], row[0]) <= 1)

    def drawn(rigs, factor):
        terms = [
            float(w * factor[rig]) * x for rig in rigs for w, x in zip(watts[rig], chosen[rig])
        ]
        return highspy.Highs.qsum(terms)

    solver.addConstr(drawn(range(len(watts)), np.ones(len(watts))) <= float(budget_w))
    for rigs, cap_w in zip(below, caps_w, strict=True):
        if len(rigs):
            solver.addConstr(drawn(rigs, weight) <= float(cap_w))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solver.run()
    return float(solver.getInfo().objective_function_value)
