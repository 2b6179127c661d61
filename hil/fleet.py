"""Thousands of rigs as columns: they hold ladders, hear a position, wake, climb, draw.

    asleep --admitted--> waking (wake_s) --> clock and rail climb --> holding
       ^                    |                                            |
       '------ not admitted: hash power off within a second -------------'
                            '--fails to wake--> fault, tries again later

A rig draws floor + clock * rail^2, as silicon does; clock and rail move as the firmware
moves them (tests/hil/test_fidelity.py plays both).  Its true draw is that times its model's error
and its own; that is what the meter sees.  Only rigs on the move cost anything in a step.
"""

import math

import numpy as np

from hil.models import MODELS, Model
from supervisor.merit import Bools, Floats, Ints

STEPS = 12  # steps of a ladder a modelled rig has room for
FAR_W = np.iinfo(np.int64).max
# of the top clock a second: 62.5 MHz up and 250 MHz down, of 630; where climbing begins
UP_PART, DOWN_PART, FIRST_PART = 0.099, 0.397, 0.089
RAIL_PART = 0.084  # of the first point's rail a second: 1 V of 11.9
WAKING_W = 40.0  # supply and fans, chips clocked without work
# listed watts are those of a rig that is as warm as its load makes it: fans and leakage
# follow, slowly up and faster down, and are this part of the top point's watts
WARM_PART, WARMING_S, COOLING_S = 0.0175, 150.0, 40.0
LEAKAGE = 0.4  # of what warmth adds; it ends with the volts, the fans run on
OWN_SPREAD = 0.02  # rigs of one model differ by this (one standard deviation)
NOISE = 0.004  # of a rig's draw, from second to second
FAILS_TO_WAKE = 0.002
RETRY_S = (60.0, 180.0)

ASLEEP, WAKING, RUNNING, FAULT = range(1, 5)  # numbered as in the messages' STATES


class ModelFleet:
    """Rigs in rows, grouped by model.  Watts are true ones unless called listed.

    alike: every rig is its model to the watt, none fails to wake, nothing is left to chance.
    warms: fans and leakage lag behind the load, up to 1.75 % of a rig's watts.
    """

    def __init__(
        self,
        rigs: int,
        seed: int = 1,
        models: tuple[Model, ...] = MODELS,
        alike: bool = False,
        warms: bool = False,
    ) -> None:
        self.models = models
        # of all, or of each; None: FAILS_TO_WAKE
        self.fails_to_wake: float | Floats | None = 0.0 if alike else None
        self._odd = 0.0 if alike else 1.0
        self._warm_part = WARM_PART if warms else 0.0
        self._random = np.random.default_rng(seed)
        parts = np.array([m.part for m in models])
        edges = np.rint(np.cumsum(parts) / parts.sum() * rigs).astype(int)
        self.group: Ints = np.repeat(np.arange(len(models)), np.diff([0, *edges]))
        self.names = [f"rig-{row:05d}" for row in range(rigs)]
        self._take_facts(rigs)
        self._start_asleep(rigs)

    def _take_facts(self, rigs: int) -> None:
        levels = max(len(m.points) for m in self.models)
        watts = np.zeros((len(self.models), levels + 1))
        ghs = np.zeros((len(self.models), levels + 1))
        for row, m in enumerate(self.models):
            beyond = levels - len(m.points)
            watts[row] = [m.floor_w, *(w for w, _ in m.points), *[m.points[-1][0]] * beyond]
            ghs[row] = [0, *(g for _, g in m.points), *[m.points[-1][1]] * beyond]
        self._watts, self._ghs = watts, ghs
        column = self._by_model
        own = 1 + self._odd * OWN_SPREAD * np.clip(self._random.standard_normal(rigs), -3, 3)
        self.factor: Floats = (1 + self._odd * column("report_error")) * own
        self.floor_w: Floats = column("floor_w")
        self._wake_s: Floats = column("wake_s") * (
            1 + self._odd * self._random.uniform(-0.1, 0.1, rigs)
        )
        self._top_ghs: Floats = ghs[:, -1][self.group]
        # as quick as its hello says, in shares of what the firmware does
        self._pace: Floats = column("up_w_per_s") / watts[:, -1][self.group] / UP_PART
        self._rail_1: Floats = np.sqrt((watts[:, 1] - watts[:, 0]) / ghs[:, 1])[self.group]

    def _by_model(self, name: str) -> Floats:
        values: Floats = np.array([float(getattr(m, name)) for m in self.models])[self.group]
        return values

    def _start_asleep(self, rigs: int) -> None:
        self.start_w: Ints = np.full((rigs, STEPS), FAR_W)
        self.end_w: Ints = np.full((rigs, STEPS), FAR_W)
        self.steps_level: Ints = np.zeros((rigs, STEPS), dtype=np.int64)
        self.state: Ints = np.full(rigs, ASLEEP)
        self.power_w: Floats = self.floor_w.copy()
        self.listed_w: Floats = self.floor_w.copy()  # what is aimed at
        self.aim_ghs: Floats = np.zeros(rigs)
        self.level: Ints = np.zeros(rigs, dtype=np.int64)
        self._clock_ghs: Floats = np.zeros(rigs)
        self._rail: Floats = self._rail_1.copy()  # as the root of watts by GH/s
        self._warm_w = self._cold_w = 0.0  # what warmth adds now, and adds in the end: listed
        self._warmth_w: Floats = np.zeros(rigs)  # the latter, of each
        self._wait_s: Floats = np.zeros(rigs)
        self._moving: Bools = np.zeros(rigs, dtype=bool)
        self._retries: dict[int, float] = {}
        self._changed: set[int] = set()
        self.sleeps = 0  # how often a rig that ran, or was about to, was sent to sleep
        self._now_s = 0.0
        self._noise_w = 0.0
        self._sum_w = float(self.power_w.sum())
        self._sum_ghs = 0.0

    # ---- what the supervisor says

    def hold(self, rows: Ints, start_w: Ints, end_w: Ints, level: Ints) -> None:
        """Give rigs their ladders: one row of steps each, padded with FAR_W."""
        self.start_w[rows], self.end_w[rows], self.steps_level[rows] = start_w, end_w, level

    def drop(self, rows: Ints) -> None:
        """These hold no ladder any more and sleep."""
        self.end_w[rows] = self.start_w[rows] = FAR_W
        self.admit(0, rows)

    def admit(self, position_w: int, rows: Ints) -> None:
        """These rigs hear a position: each takes what its ladder admits."""
        ends, row = self.end_w[rows], np.arange(len(rows))
        done = (ends <= position_w).sum(axis=1)
        level = np.where(done > 0, self.steps_level[rows, np.maximum(done - 1, 0)], 0)
        into_w = position_w - self.start_w[rows][row, np.minimum(done, STEPS - 1)]
        follows = ends[row, np.minimum(done, STEPS - 1)]
        parted = (done > 0) & (done < STEPS) & (follows < FAR_W) & (into_w > 0)
        upper = np.where(parted, self.steps_level[rows, np.minimum(done, STEPS - 1)], level)
        width_w = np.where(parted, follows - position_w + into_w, 1)
        part = np.where(parted, into_w / np.maximum(width_w, 1), 0.0)
        group = self.group[rows]
        low, high = self._watts[group, level], self._watts[group, upper]
        low_g, high_g = self._ghs[group, level], self._ghs[group, upper]
        self._aim(rows, level, low + (high - low) * part, low_g + (high_g - low_g) * part)

    def _aim(self, rows: Ints, level: Ints, listed_w: Floats, ghs: Floats) -> None:
        able = self.state[rows] != FAULT
        rows, level, listed_w, ghs = rows[able], level[able], listed_w[able], ghs[able]
        self.level[rows], self.listed_w[rows], self.aim_ghs[rows] = level, listed_w, ghs
        wakes = rows[(level > 0) & (self.state[rows] == ASLEEP)]
        self.state[wakes], self._wait_s[wakes] = WAKING, self._wake_s[wakes]
        self.power_w[wakes] = self.floor_w[wakes] + WAKING_W
        sleeps = rows[(level == 0) & (self.state[rows] != ASLEEP)]
        self.state[sleeps], self.power_w[sleeps] = ASLEEP, self.floor_w[sleeps]
        self._clock_ghs[sleeps] = 0.0
        self._cool(sleeps)
        self.sleeps += len(sleeps)
        self._changed.update(wakes.tolist(), sleeps.tolist())
        self._moving[rows] = level > 0
        self.sum_up()

    def _cool(self, sleeps: Ints) -> None:
        """Their share of the warmth loses its leakage."""
        if len(sleeps) and self._cold_w:
            self._warm_w *= 1 - LEAKAGE * float(self._warmth_w[sleeps].sum()) / self._cold_w

    # ---- time

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds
        rows = np.flatnonzero(self._moving)
        if len(rows):
            self._climb(rows, seconds)
            self.sum_up()
        for row in [row for row, at_s in self._retries.items() if at_s <= self._now_s]:
            del self._retries[row]
            self.state[row] = ASLEEP
            self._changed.add(row)
        after_s = WARMING_S if self._cold_w > self._warm_w else COOLING_S
        self._warm_w += (self._cold_w - self._warm_w) * (1 - math.exp(-seconds / after_s))
        self._noise_w = float(self._random.standard_normal()) * self._noise_sd_w

    def _climb(self, rows: Ints, seconds: float) -> None:
        left_s = np.clip(seconds - self._wait_s[rows], 0, None)
        self._wait_s[rows] = np.clip(self._wait_s[rows] - seconds, 0, None)
        up = rows[(self.state[rows] == WAKING) & (self._wait_s[rows] <= 0)]
        self.state[up], self._rail[up] = RUNNING, self._rail_1[up]
        self._clock_ghs[up] = np.minimum(FIRST_PART * self._top_ghs[up], self.aim_ghs[up])
        fails = FAILS_TO_WAKE if self.fails_to_wake is None else self.fails_to_wake
        fails_here = np.broadcast_to(np.asarray(fails), self.state.shape)[up]
        self.fail(up[self._random.random(len(up)) < fails_here])
        self._changed.update(up.tolist())
        rows, left_s = rows[self.state[rows] == RUNNING], left_s[self.state[rows] == RUNNING]
        self._move(rows, left_s)

    def _move(self, rows: Ints, left_s: Floats) -> None:
        """Clock and rail towards their aims: the clock fast down and slow up."""
        aim_ghs, floor_w, top_ghs = self.aim_ghs[rows], self.floor_w[rows], self._top_ghs[rows]
        aim_rail = np.sqrt((self.listed_w[rows] - floor_w) / aim_ghs)
        step_rail = RAIL_PART * self._rail_1[rows] * self._pace[rows] * left_s
        clock_ghs, rail = self._clock_ghs[rows], self._rail[rows]
        lowest_ghs = -DOWN_PART * top_ghs * left_s
        highest_ghs = UP_PART * self._pace[rows] * top_ghs * left_s
        clock_ghs = clock_ghs + np.clip(aim_ghs - clock_ghs, lowest_ghs, highest_ghs)
        rail = rail + np.clip(aim_rail - rail, -step_rail, step_rail)
        self._clock_ghs[rows], self._rail[rows] = clock_ghs, rail
        self.power_w[rows] = (floor_w + clock_ghs * rail * rail) * self.factor[rows]
        self._moving[rows] = (clock_ghs != aim_ghs) | (rail != aim_rail)

    def fail(self, rows: Ints) -> None:
        """These are in fault: off at once, and try again later."""
        self.state[rows] = FAULT
        self._changed.update(rows.tolist())
        self.end_w[rows] = self.start_w[rows] = FAR_W  # a faulted rig joins anew
        self.level[rows], self.aim_ghs[rows], self._clock_ghs[rows] = 0, 0.0, 0.0
        self.power_w[rows], self._moving[rows] = self.floor_w[rows], False
        for row in rows.tolist():
            self._retries[row] = self._now_s + float(self._random.uniform(*RETRY_S))
        if len(rows):
            self.sum_up()

    def sum_up(self) -> None:
        """After power_w was changed."""
        self._sum_w = float(self.power_w.sum())
        self._noise_sd_w = self._odd * NOISE * float(np.sqrt(np.square(self.power_w).sum()))
        self._sum_ghs = float(self._clock_ghs.sum())
        top_w = self._watts[self.group, -1]
        load = np.where(self.state == RUNNING, self.listed_w / top_w, 0.0)
        self._warmth_w = self._warm_part * top_w * load * load * load
        self._cold_w = float(self._warmth_w.sum())

    _noise_sd_w = 0.0

    # ---- what is seen

    @property
    def drawn_w(self) -> float:
        """All rigs together, with their noise."""
        return self._sum_w + self._warm_w - self._cold_w + self._noise_w

    @property
    def moving(self) -> bool:
        """Whether any rig is on its way to what it is admitted."""
        return bool(self._moving.any())

    @property
    def hash_ghs(self) -> float:
        return self._sum_ghs

    def able_w(self) -> float:
        """What all rigs that are able would draw at their top level."""
        top_w = self.top_w(np.arange(len(self.names)))
        return float(np.where(self.state == FAULT, self.floor_w, top_w).sum())

    def top_w(self, rows: Ints) -> Floats:
        """What each of these draws at its top level."""
        watts: Floats = self._watts[self.group[rows], -1] * self.factor[rows]
        return watts

    def take_changed(self) -> Ints:
        """Rows whose state has changed since the last call."""
        changed = np.array(sorted(self._changed), dtype=np.int64)
        self._changed.clear()
        return changed
