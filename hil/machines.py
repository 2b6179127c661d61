"""The machines a plant can be: what makes each kind draw, hash, blow and warm as it does.

Fitted to recorded machines (hardware.md 5.1 and 5.2 of the reference); what each is
off by at every recorded point: `pytest tests/hil/test_machines.py -rP`.
"""

from dataclasses import dataclass

REFERENCE_C = 65.0  # chip temperature the electrical figures are for
RATED_RPM = 5900.0


@dataclass(frozen=True, slots=True)
class Model:
    """What makes one kind of rig; the S21 Pro when nothing else is said."""

    chip: int = 1370
    boards: int = 3
    chips: int = 65  # on a board
    domains: int = 13
    hashes_per_clock: int = 2040  # of one chip
    c_nf: float = 23.2  # 23.8 by the record, with fans and supply losses told apart here
    leak_w: float = 0.14  # of one chip, at 1 V on its domain and REFERENCE_C (a guess)
    leak_power: float = 1.0  # goes with this power of the volts
    idle_part: float = 0.15  # of C V^2 f while clocked without work (a guess)
    # the clock a typical chip still computes right at: so many MHz at so many volts on
    # its domain, and MHz more per volt (a guess around the recorded points)
    limit_mhz: tuple[float, float, float] = (420.0, 0.915, 1750.0)
    fan_w: float = 15.0  # of one fan at RATED_RPM; falls with the cube
    # each fan's speed to that of hil/chips/fan.py; two in front, two behind
    fan_spread: tuple[float, ...] = (1.0, 1.01, 0.97, 0.98)
    controller_w: float = 5.0
    # the supply loses a + b P + c P^2: 0.956 at 0.8 kW, 0.93 at 3.2 kW
    loss_w: tuple[float, float, float] = (12.0, 0.0177, 1.59e-5)
    supply_w: float = 3700.0  # DC
    supply_mv: tuple[int, int] = (11_900, 15_000)
    latch_wait_s: float = 0.0  # to be left off for so long before an overload is forgotten
    # thermal, of one board
    chip_k_per_w: float = 0.004  # chips above the heatsink
    k_per_w: float = 0.031  # heatsink above the air at RATED_RPM: chips 65 C at 1.16 kW and 25 C
    j_per_k: float = 2290.0  # 3.5 kJ/K as the outlet sees it, times its share of the rise
    air_k_per_w: float = 0.0129  # inlet to outlet at RATED_RPM
    inlet_part: float = 0.294  # of the heatsink's rise that the inlet sensor feels


S21_PRO = Model()

# An APW supply of this age loses nearly the same at any load: 82 % efficient at a
# quarter, 94.6 % at full load, inside the ranges its maker gives.
_APW_LOSS = (190.0, 0.003, 0.0)
_NEW_APW_LOSS = (100.0, 0.012, 0.0)  # what the tables of S19 XP and S19k Pro ask for: 89 and 96 %

S19J_PRO = Model(
    chip=1362,
    chips=126,
    domains=42,
    hashes_per_clock=514,
    c_nf=106.2,
    leak_w=38.0,
    leak_power=3.0,
    limit_mhz=(575.0, 0.3286, 7000.0),
    loss_w=_APW_LOSS,
    supply_w=3600.0,
    supply_mv=(11_960, 15_120),
    latch_wait_s=30.0,
    # nothing is recorded: as the S19 XP
    k_per_w=0.0332,
    air_k_per_w=0.01385,
    inlet_part=0.272,
)
S19_XP = Model(
    chip=1366,
    chips=110,
    domains=11,
    hashes_per_clock=894,
    c_nf=12.6,
    leak_w=0.3,
    limit_mhz=(510.0, 1.176, 1833.0),
    loss_w=_NEW_APW_LOSS,
    supply_w=3600.0,
    supply_mv=(11_960, 15_200),
    latch_wait_s=30.0,
    k_per_w=0.0332,
    air_k_per_w=0.01385,
    inlet_part=0.272,
)
S19K_PRO = Model(
    chip=1366,
    chips=77,
    domains=11,
    hashes_per_clock=894,
    c_nf=12.56,
    leak_w=0.2,
    limit_mhz=(635.0, 1.227, 1833.0),
    loss_w=_NEW_APW_LOSS,
    fan_spread=(0.901, 0.901, 1.099, 1.099),
    supply_w=4400.0,  # the recorded table ends at 4195 W from the wall
    supply_mv=(11_880, 15_200),
    latch_wait_s=30.0,
    k_per_w=0.0342,
    air_k_per_w=0.0134,
    inlet_part=0.27,
)
S19_PRO = Model(
    chip=1398,  # of which there is no chain here: watts and degrees only
    chips=114,
    domains=38,
    hashes_per_clock=623,
    c_nf=124.8,
    leak_w=38.0,
    leak_power=3.0,
    limit_mhz=(550.0, 0.334, 7000.0),
    loss_w=_APW_LOSS,
    fan_spread=(1.008, 0.988, 0.847, 0.847),
    supply_w=3600.0,
    supply_mv=(11_960, 15_120),
    latch_wait_s=30.0,
    k_per_w=0.0451,
    j_per_k=2450.0,
    air_k_per_w=0.0246,
    inlet_part=0.253,
)
MACHINES = {
    "s21pro": S21_PRO,
    "s19jpro": S19J_PRO,
    "s19xp": S19_XP,
    "s19kpro": S19K_PRO,
    "s19pro": S19_PRO,
}


def chip_w(model: Model, volts: float, mhz: float, working: float, celsius: float) -> float:
    """One chip's watts at a board voltage; leakage doubles every 40 K."""
    domain_v = volts / model.domains
    activity = model.idle_part + (1 - model.idle_part) * working
    dynamic_w = model.c_nf * 1e-9 * domain_v * domain_v * mhz * 1e6 * activity
    warm = 2 ** ((celsius - REFERENCE_C) / 40)
    return float(dynamic_w + model.leak_w * domain_v**model.leak_power * warm)


def loss_w(model: Model, out_w: float) -> float:
    """What the supply turns into heat at this output."""
    a, b, c = model.loss_w
    return a + b * out_w + c * out_w * out_w


def mhz_max(model: Model, volts: float) -> float:
    """The clock a typical chip still computes right at."""
    mhz, at_v, per_v = model.limit_mhz
    return mhz + per_v * (volts / model.domains - at_v)
