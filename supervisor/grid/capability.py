"""How many megawatts the site could give back or take up, and how soon.

Down is quick: hash power goes off within a second of a budget, whatever the rig does.  Up
is what each rig's own times allow: the rest of the climb for who is awake, waking first
for who sleeps.  Only rigs that hold a ladder count; capped ones only to their cap.
"""

from dataclasses import dataclass

import numpy as np

from supervisor.fleet import ASLEEP, JOINING, WAKING, Fleet

WITHIN_S = (5, 60, 600)
OFF_S = 2.0  # from a budget on its way to hash power off, with room for the network


@dataclass(frozen=True, slots=True)
class Capability:
    """Watts from now on, by how many seconds they are promised in (WITHIN_S)."""

    down_w: tuple[int, ...]
    up_w: tuple[int, ...]


def capability(fleet: Fleet, within_s: tuple[float, ...] = WITHIN_S) -> Capability:
    """From what rigs said of themselves and their power last."""
    counted = fleet.counted
    rows = np.arange(len(fleet))
    asleep = (fleet.state == ASLEEP) | (fleet.state == JOINING)
    drawn_w = np.where(asleep, fleet.floor_w, np.maximum(fleet.power_w, fleet.floor_w))
    level = np.minimum(fleet.top_level, fleet.cap_level)
    most_w = fleet.points.watts[rows, np.clip(level, 0, None)] if len(fleet) else drawn_w
    rise_w = np.where(counted, np.maximum(most_w - drawn_w, 0), 0)
    wait_s = np.where(asleep | (fleet.state == WAKING), fleet.wake_s, 0.0)
    down_w = int(np.where(counted, drawn_w - fleet.floor_w, 0).sum())
    up_w = [
        int(np.minimum(rise_w, np.maximum(within - wait_s, 0) * fleet.up_w_per_s).sum())
        for within in within_s
    ]
    return Capability(tuple(down_w if within >= OFF_S else 0 for within in within_s), tuple(up_w))
