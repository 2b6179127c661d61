"""Rig models with the operating points their users have published.

Wall watts and TH/s of whole machines.  S19j Pro and S19k Pro: LuxOS profile tables;
S19 XP and S21 Pro: Braiins tuner records; S21: maker's rated and low-power points.  Lower
points of these three follow from P = C V^2 f and the records.  Times are those of our
firmware on the bench: chains powered, enumerated and climbing 6.25 MHz per 100 ms.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of rig.  points: (watts, GH/s) by level from 1."""

    name: str
    boards: int
    chips: int
    floor_w: int
    points: tuple[tuple[int, int], ...]
    wake_s: float
    up_w_per_s: float
    report_error: float  # its own word about its power is off by this share
    part: float  # of a mixed site


MODELS = (
    Model(
        "Antminer S19j Pro",
        3,
        378,
        22,
        (
            (997, 28_100),
            (1162, 37_800),
            (1349, 47_600),
            (1588, 57_300),
            (1852, 67_000),
            (2142, 76_700),
            (2297, 81_600),
            (3126, 105_800),
        ),
        3.2,
        330.0,
        +0.08,
        0.20,
    ),
    Model(
        "Antminer S19k Pro",
        3,
        231,
        22,
        (
            (1080, 54_700),
            (1299, 65_000),
            (1657, 80_500),
            (2052, 96_000),
            (2485, 111_500),
            (2954, 127_000),
            (3461, 142_400),
            (3820, 152_800),
        ),
        2.65,
        340.0,
        -0.06,
        0.25,
    ),
    Model(
        "Antminer S19 XP",
        3,
        330,
        24,
        ((1520, 77_300), (1900, 95_100), (2472, 119_970), (3137, 142_880)),
        3.0,
        360.0,
        +0.15,
        0.15,
    ),
    Model(
        "Antminer S21",
        3,
        324,
        25,
        ((1880, 114_300), (2390, 142_900), (3000, 175_000), (3500, 200_000)),
        3.0,
        370.0,
        -0.11,
        0.20,
    ),
    Model(
        "Antminer S21 Pro",
        3,
        195,
        25,
        (
            (1170, 89_500),
            (1530, 119_300),
            (1990, 149_200),
            (2340, 169_100),
            (2700, 189_000),
            (3070, 214_800),
            (3480, 252_600),
        ),
        2.5,
        345.0,
        +0.05,
        0.20,
    ),
)
