"""The rig as watts, volts and degrees: what its supply, boards, fans and air do.

    mains -> supply --volts--> boards --heat--> heatsinks --air--> outlet
               |                                    ^
               +-- standby 12 V: fans, controller   fans

Plain numbers and step(dt); no clock, no chips, no bytes.  Sources: hardware.md
5.1 and 5.2 of the reference (recorded machines), fitted where the text says so.
"""

from dataclasses import dataclass, field

REFERENCE_C = 65.0  # chip temperature at the recorded S21 Pro point
RATED_RPM = 5900.0


@dataclass(frozen=True, slots=True)
class Model:
    """What makes one kind of rig; the S21 Pro when nothing else is said."""

    boards: int = 3
    chips: int = 65  # on a board
    domains: int = 13
    hashes_per_clock: int = 2040  # of one chip
    c_nf: float = 23.2  # 23.8 by the record, with fans and supply losses told apart here
    leak_w: float = 0.14  # of one chip, at 1 V on its domain and REFERENCE_C (a guess)
    idle_part: float = 0.15  # of C V^2 f while clocked without work (a guess)
    fan_w: float = 15.0  # of one fan at RATED_RPM; falls with the cube
    fans: int = 4
    controller_w: float = 5.0
    # the supply loses a + b P + c P^2: 0.956 at 0.8 kW, 0.93 at 3.2 kW
    loss_w: tuple[float, float, float] = (12.0, 0.0177, 1.59e-5)
    supply_w: float = 3700.0  # DC
    # thermal, of one board
    k_per_w: float = 0.035  # heatsink above ambient at RATED_RPM: 65 C at 1.16 kW and 25 C
    j_per_k: float = 2290.0  # 3.5 kJ/K as the outlet sees it, times its share of the rise
    air_k_per_w: float = 0.0138  # inlet to outlet at RATED_RPM: 0.0046 for three boards
    inlet_part: float = 0.26  # of the heatsink's rise that the inlet sensor feels


S21_PRO = Model()


@dataclass(slots=True)
class Load:
    """What one board asks for now: set from outside before each step."""

    on: bool = False  # behind a closed MOSFET, out of reset
    mhz: float = 0.0  # mean clock of its chips
    working: float = 0.0  # part of its chips that hash; the rest are clocked idle
    hashing: float = 0.0  # part of the hashes that come out right


def chip_w(model: Model, volts: float, mhz: float, working: float, celsius: float) -> float:
    """One chip's watts at a board voltage; leakage doubles every 40 K."""
    domain_v = volts / model.domains
    activity = model.idle_part + (1 - model.idle_part) * working
    dynamic_w = model.c_nf * 1e-9 * domain_v * domain_v * mhz * 1e6 * activity
    return dynamic_w + model.leak_w * domain_v * 2 ** ((celsius - REFERENCE_C) / 40)


def loss_w(model: Model, out_w: float) -> float:
    """What the supply turns into heat at this output."""
    a, b, c = model.loss_w
    return a + b * out_w + c * out_w * out_w


def mhz_max(domain_v: float) -> float:
    """The clock a chip still computes right at (a guess around the recorded points)."""
    return 420 + 1750 * (domain_v - 0.915)


class Supply:
    """The output stage: on-delay, slew, and a latch when overloaded."""

    ON_DELAY_S, UP_V_PER_S, DOWN_V_PER_S, OFF_V_PER_S = 0.25, 40.0, 10.0, 200.0
    OVERLOAD, OVERLOAD_S = 1.1, 0.1

    def __init__(self, rated_w: float, command_v: float) -> None:
        self.rated_w, self.command_v = rated_w, command_v
        self.mains, self.enabled = True, False
        self.volts = self.out_w = 0.0
        self.latched = ""  # why it has switched itself off; cleared by switching it off
        self._on_s = self._over_s = 0.0

    def step(self, dt_s: float, out_w: float) -> None:
        self.out_w = out_w
        if not self.enabled:
            self.latched = ""
        self._over_s = self._over_s + dt_s if out_w > self.rated_w * self.OVERLOAD else 0.0
        if self._over_s > self.OVERLOAD_S:
            self.latched = "over-current"
        on = self.mains and self.enabled and not self.latched
        self._on_s = self._on_s + dt_s if on else 0.0
        wanted_v = self.command_v if on and self._on_s >= self.ON_DELAY_S else 0.0
        down = self.DOWN_V_PER_S if on else self.OFF_V_PER_S
        step_v = max(-down * dt_s, min(self.UP_V_PER_S * dt_s, wanted_v - self.volts))
        self.volts += step_v


@dataclass(slots=True)
class Plant:
    model: Model = S21_PRO
    ambient_c: float = 25.0
    supply: Supply = field(init=False)
    loads: list[Load] = field(init=False)
    heatsink_c: list[float] = field(init=False)
    board_w: list[float] = field(init=False)
    wall_w: float = 0.0
    hash_ghs: float = 0.0
    flow: float = 0.0  # of the rated air
    hottest_c: float = 0.0  # ever

    def __post_init__(self) -> None:
        boards = self.model.boards
        self.supply = Supply(self.model.supply_w, command_v=12.0)
        self.loads = [Load() for _ in range(boards)]
        self.heatsink_c = [self.ambient_c] * boards
        self.board_w = [0.0] * boards

    def step(self, dt_s: float, rpm: list[float]) -> None:
        """Let dt pass with the loads as they are and the fans turning at rpm."""
        self._electrical(dt_s, rpm)
        # a chimney is left when the fans stand
        self.flow = max(0.05, sum(rpm) / len(rpm) / RATED_RPM)
        for board, watts in enumerate(self.board_w):
            self._warm(dt_s, board, watts)

    def settle(self, rpm: list[float]) -> None:
        """Go where an hour of these loads would end; for fits and starts."""
        for _ in range(720):
            self.step(5.0, rpm)

    def inlet_c(self, board: int) -> float:
        rise_k = self.heatsink_c[board] - self.ambient_c
        return self.ambient_c + self.model.inlet_part * rise_k

    def outlet_c(self, board: int) -> float:
        """The air takes the heat that leaves the heatsink; less air, hotter air."""
        rise_k = self.heatsink_c[board] - self.ambient_c
        return self.inlet_c(board) + self.model.air_k_per_w / self.model.k_per_w * rise_k

    def fan_w(self, rpm: list[float]) -> float:
        return sum(self.model.fan_w * (one / RATED_RPM) ** 3 for one in rpm)

    def _electrical(self, dt_s: float, rpm: list[float]) -> None:
        model, volts = self.model, self.supply.volts
        hashes = 0.0
        for board, load in enumerate(self.loads):
            watts = 0.0
            if load.on and volts > 1:
                celsius = self.heatsink_c[board]
                watts = model.chips * chip_w(model, volts, load.mhz, load.working, celsius)
                hashes += load.mhz * load.working * load.hashing
            self.board_w[board] = watts
        self.hash_ghs = hashes * model.chips * model.hashes_per_clock / 1000
        self.supply.step(dt_s, sum(self.board_w))
        standby_w = self.fan_w(rpm) + model.controller_w
        out_w = sum(self.board_w) + standby_w
        self.wall_w = out_w + loss_w(model, out_w) if self.supply.mains else 0.0

    def _warm(self, dt_s: float, board: int, watts: float) -> None:
        celsius = self.heatsink_c[board]
        out_w = (celsius - self.ambient_c) / self.model.k_per_w * self.flow
        celsius += (watts - out_w) * dt_s / self.model.j_per_k
        self.heatsink_c[board] = celsius
        self.hottest_c = max(self.hottest_c, celsius)
