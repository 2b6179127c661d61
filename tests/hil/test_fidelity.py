"""The fleet model draws what the firmware draws: the same signal on both, second by second.

The bounds are the promise of hil/README.md; the worst errors are printed (pytest -rP).
"""

import pytest

from firmware.boards import s21pro
from hil import fidelity, fleet

HOLDING, IN_RAMPS = 0.02, 0.05
# a wake, steps up, the top, a fraction, a deep step down, a sleep, a second wake
SIGNAL = (
    (3, 1, 0),
    (18, 4, 0),
    (32, 8, 0),
    (52, 6, 500),
    (66, 2, 0),
    (82, 0, 0),
    (94, 5, 0),
)


def keeps_to_the_firmware(samples):
    worst = fidelity.worst(samples)
    print(worst)
    assert abs(worst.holding.error) <= HOLDING, str(worst)
    assert abs(worst.ramp.error) <= IN_RAMPS, str(worst)


def test_the_same_signal_gives_the_same_power():
    samples = fidelity.compare(SIGNAL, seconds=112, rigs=3)
    assert 10 < sum(sample.ramp for sample in samples) < 60, "both kinds were looked at"
    keeps_to_the_firmware(samples)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_any_signal_gives_the_same_power(seed):
    """Steps and fractions as they come, some held for minutes, so that fans come and go."""
    signal, seconds = fidelity.random_signal(len(s21pro.POINTS), changes=25, seed=seed)
    keeps_to_the_firmware(fidelity.compare(signal, seconds, rigs=3, seed=seed))


def test_the_models_rates_are_the_board_files():
    top_khz = s21pro.POINTS[-1][0] * 1000
    facts = (
        10 * s21pro.UP_KHZ / top_khz,
        10 * s21pro.DOWN_KHZ / top_khz,
        s21pro.FIRST_KHZ / top_khz,
        10 * s21pro.STEP_MV / s21pro.POINTS[0][1],
    )
    rates = (fleet.UP_PART, fleet.DOWN_PART, fleet.FIRST_PART, fleet.RAIL_PART)
    assert rates == pytest.approx(facts, rel=0.01)


def test_an_error_is_noticed():
    """A model that climbs half as fast, or lists 3 % too much, is not the firmware's."""
    samples = [
        fidelity.Sample(1, 1000.0, 1030.0, False, 0.03),
        fidelity.Sample(2, 1000.0, 900.0, True, -0.10),
    ]
    assert fidelity.worst(samples).ramp.error == -0.10
    with pytest.raises(AssertionError, match=r"holding 3\.00 % at 1 s"):
        keeps_to_the_firmware(samples)
