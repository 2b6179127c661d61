"""The rig as watts, volts and degrees: what its supply, boards, fans and air do.

    mains -> supply --volts--> boards --> chips --heat--> heatsinks --air--> outlet --.
               |                                             ^                        |
               +-- standby 12 V: fans, controller          fans  <-- recirculation ---'

Plain numbers and step(dt); no clock, no chips, no bytes.  Machines: machines.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.machines import RATED_RPM, S21_PRO, Model, chip_w, loss_w, mhz_max
from hil.silicon import Silicon
from hil.supply import Supply

CHIP_LAG_S, AIR_LAG_S = 1.2, 10.0  # chips to their heatsink; air going round
CHIMNEY = 0.05  # of the rated air is left when the fans stand


@dataclass(slots=True)
class Load:
    """What one board asks for now: set from outside before each step."""

    on: bool = False  # behind a closed MOSFET, out of reset
    mhz: float = 0.0  # mean clock of its chips
    working: float = 0.0  # part of its chips that hash; the rest are clocked idle
    hashing: float = 0.0  # part of the hashes that come out right


@dataclass(slots=True)
class Plant:
    model: Model = S21_PRO
    ambient_c: float = 25.0
    seed: int = 0
    recirculation: float = 0.0  # part of the hot air that comes in again
    supply: Supply = field(init=False)
    loads: list[Load] = field(init=False)
    silicon: list[Silicon] = field(init=False)
    chip_c: list[float] = field(init=False)  # the mean chip of each board
    heatsink_c: list[float] = field(init=False)
    board_w: list[float] = field(init=False)
    wall_w: float = 0.0
    hash_ghs: float = 0.0
    flow: float = 0.0  # of the rated air
    returned_k: float = 0.0  # the air coming in above the hall's
    hottest_c: float = 0.0  # ever

    def __post_init__(self) -> None:
        model, boards = self.model, self.model.boards
        first_v = max(12.0, model.supply_mv[0] / 1000)
        self.supply = Supply(model.supply_w, first_v, model.latch_wait_s)
        self.loads = [Load() for _ in range(boards)]
        self.silicon = [Silicon(model.chips, self.seed + n) for n in range(boards)]
        self.heatsink_c = [self.ambient_c] * boards
        self.chip_c = [self.ambient_c] * boards
        self.board_w = [0.0] * boards

    def step(self, dt_s: float, rpm: Sequence[float]) -> None:
        """Let dt pass with the loads as they are and the fans turning at rpm."""
        self._electrical(dt_s, rpm)
        self.flow = max(CHIMNEY, sum(rpm) / len(rpm) / RATED_RPM)
        settled = 1 - math.exp(-dt_s / CHIP_LAG_S)
        for board, watts in enumerate(self.board_w):
            self._warm(dt_s, board, watts, settled)
        if self.recirculation or self.returned_k:
            self._return_air(dt_s)

    def settle(self, rpm: Sequence[float]) -> None:
        """Go where an hour of these loads would end; for fits and starts."""
        for _ in range(720):
            self.step(5.0, rpm)

    def right(self, board: int, clocks: Sequence[float]) -> tuple[tuple[float, ...], float]:
        """The part of each chip's hashes that come out well at these clocks, and of all."""
        return self.silicon[board].right(mhz_max(self.model, self.supply.volts), clocks)

    def air_c(self) -> float:
        """What the fans blow at the boards."""
        return self.ambient_c + self.returned_k

    def inlet_c(self, board: int) -> float:
        air_c = self.air_c()
        return air_c + self.model.inlet_part * (self.heatsink_c[board] - air_c)

    def outlet_c(self, board: int) -> float:
        """The air takes the heat that leaves the heatsink; less air, hotter air."""
        rise_k = self.heatsink_c[board] - self.air_c()
        return self.inlet_c(board) + self.model.air_k_per_w / self.model.k_per_w * rise_k

    def fan_w(self, rpm: Sequence[float]) -> float:
        return sum([self.model.fan_w * (one / RATED_RPM) ** 3 for one in rpm])

    def _electrical(self, dt_s: float, rpm: Sequence[float]) -> None:
        model, supply = self.model, self.supply
        hashes = 0.0
        for board, load in enumerate(self.loads):
            watts = 0.0
            if load.on and supply.volts > 1:
                each_w = chip_w(model, supply.volts, load.mhz, load.working, self.chip_c[board])
                watts = model.chips * each_w
                hashes += load.mhz * load.working * load.hashing
            self.board_w[board] = watts
        self.hash_ghs = hashes * model.chips * model.hashes_per_clock / 1000
        supply.step(dt_s, sum(self.board_w))
        standby_w = self.fan_w(rpm) + model.controller_w
        out_w = sum(self.board_w) + standby_w
        self.wall_w = out_w + loss_w(model, out_w) + supply.inrush_w if supply.alive else 0.0

    def _warm(self, dt_s: float, board: int, watts: float, settled: float) -> None:
        model, celsius = self.model, self.heatsink_c[board]
        out_w = (celsius - self.air_c()) / model.k_per_w * self.flow
        celsius += (watts - out_w) * dt_s / model.j_per_k
        self.heatsink_c[board] = celsius
        aim_c = celsius + model.chip_k_per_w * watts
        self.chip_c[board] += (aim_c - self.chip_c[board]) * settled
        self.hottest_c = max(self.hottest_c, self.chip_c[board])

    def _return_air(self, dt_s: float) -> None:
        out_c = sum([self.outlet_c(board) for board in range(self.model.boards)])
        rise_k = out_c / self.model.boards - self.ambient_c
        aim_k = self.recirculation * rise_k
        self.returned_k += (aim_k - self.returned_k) * -math.expm1(-dt_s / AIR_LAG_S)
