"""After a jump of the clock nothing is deleted by it for a day."""

import pytest

from supervisor.steady import AWAY_S, JUMP_S, WAIT_S, Steady

UNIX_S, YEAR_S = 1_800_000_000.0, 365 * 86_400.0


def test_a_clock_that_runs_on_is_believed_at_once():
    for steady in (Steady(None), Steady(UNIX_S - 60), Steady(UNIX_S - AWAY_S)):
        assert all(steady.step(now_s, UNIX_S + now_s) for now_s in (0.0, 1.0, 5e5))


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S, 1.01 * JUMP_S, -1.01 * JUMP_S])
def test_one_that_jumps_is_not_believed_for_a_day(jump_s):
    steady = Steady(None)
    assert steady.step(0.0, UNIX_S)
    assert not steady.step(1.0, UNIX_S + 1.0 + jump_s)
    assert not steady.step(WAIT_S, UNIX_S + WAIT_S + jump_s)
    assert steady.step(WAIT_S + 1.0, UNIX_S + WAIT_S + 1.0 + jump_s)
    assert not steady.step(WAIT_S + 2.0, UNIX_S + WAIT_S + 2.0), "put right is a jump, too"


def test_a_step_of_ntp_is_no_jump():
    steady = Steady(None)
    assert steady.step(0.0, UNIX_S) and steady.step(1.0, UNIX_S + 900.0)


@pytest.mark.parametrize("written_s", [UNIX_S - YEAR_S, UNIX_S + YEAR_S])
def test_one_that_jumped_while_nobody_ran_is_known_by_the_ledger(written_s):
    steady = Steady(written_s)
    assert not steady.step(0.0, UNIX_S) and not steady.step(WAIT_S - 1, UNIX_S + WAIT_S - 1)
    assert steady.step(WAIT_S, UNIX_S + WAIT_S)
