"""Chips that differ: what a factory table wastes, and what tuning chip by chip gets back."""

import pytest

from hil.machines import MACHINES, S21_PRO, chip_w, loss_w, mhz_max
from hil.silicon import BEST, WORST, Silicon


def test_the_same_seed_is_the_same_board_and_another_is_not():
    one, same, other = Silicon(65, 3), Silicon(65, 3), Silicon(65, 4)
    assert one.factors == same.factors != other.factors
    assert all(WORST <= factor <= BEST for factor in one.factors)
    assert max(one.factors) - min(one.factors) > 0.06


def test_each_chip_fails_at_its_own_clock():
    board = Silicon(65, 1)
    right, mean = board.right(600.0, [600.0 * WORST] * 65)
    assert set(right) == {1.0} and mean == 1.0
    right, mean = board.right(600.0, [600.0 * 1.05] * 65)
    bad = [factor < 1.05 for factor in board.factors]
    assert [part < 1 for part in right] == bad and 0 < sum(bad) < 65
    assert mean == pytest.approx(sum(right) / 65)
    right, mean = board.right(600.0, [600.0 * 0.99] * 65)
    assert min(right) < 1 and mean < 1, "below a typical chip's limit, above the worst one's"
    right, mean = board.right(1.0, [600.0] * 65)
    assert set(right) == {0.0} and mean == 0.0


def test_it_is_worked_out_again_only_when_something_changed():
    board, clocks = Silicon(65, 1), [630.0] * 65
    first = board.right(600.0, clocks)[0]
    assert board.right(600.04, clocks)[0] is first
    assert board.right(600.2, clocks)[0] is not first
    assert board.right(600.2, [620.0] * 65)[1] > board.right(600.2, list(clocks))[1]


@pytest.mark.parametrize("name", MACHINES)
def test_a_tuned_table_beats_a_factory_table(name):
    """The same hashes for fewer joules: each chip at its limit, at the lower volts that takes."""
    model = MACHINES[name]
    boards = [Silicon(model.chips, seed) for seed in range(model.boards)]
    factory_v = (model.supply_mv[0] + model.supply_mv[1]) / 2000
    worst = min(min(board.factors) for board in boards)
    mean = sum(sum(board.factors) for board in boards) / (model.boards * model.chips)
    factory_mhz = mhz_max(model, factory_v) * worst
    per_v = model.limit_mhz[2] / model.domains
    tuned_v = factory_v - (mhz_max(model, factory_v) - factory_mhz / mean) / per_v
    for board in boards:
        clocks = [mhz_max(model, tuned_v) * factor * 0.9999 for factor in board.factors]
        assert board.right(mhz_max(model, tuned_v), clocks)[1] == pytest.approx(1.0, abs=0.002)
    factory_w, tuned_w = (wall_w(name, volts, factory_mhz) for volts in (factory_v, tuned_v))
    saved = 1 - tuned_w / factory_w
    print(
        f"{name}: {factory_w:.0f} W at {factory_v:.2f} V, tuned {tuned_w:.0f} W, {saved:.1%} less"
    )
    assert 0.01 < saved < 0.12


def wall_w(name: str, volts: float, mhz: float) -> float:
    model = MACHINES[name]
    out_w = model.boards * model.chips * chip_w(model, volts, mhz, 1.0, 65.0) + 60
    return out_w + loss_w(model, out_w)


def test_the_factory_points_of_the_rig_are_right_for_every_chip():
    for seed in range(20):
        board = Silicon(S21_PRO.chips, seed)
        for mhz, volts in ((200, 11.9), (400, 12.2), (500, 12.8), (630, 13.7)):
            assert board.right(mhz_max(S21_PRO, volts), [float(mhz)] * 65)[1] == 1.0
