"""3: the board knows why it started: by its program, by the watchdog, by its power."""

import pytest

from hil.rig import POWER_ON, SOFTWARE, WATCHDOG
from tests.board.conftest import needs

pytestmark = pytest.mark.real_time
TELLS = b"import machine\nprint('cause', machine.reset_cause())\n"
STARVES = "import machine\nmachine.WDT(timeout=1000)\nwhile True:\n    pass"


def told(board, cause):
    return f"cause {cause}" in board.console(15, until=f"cause {cause}")


@pytest.fixture
def telling(board):
    board.quiet()
    board.put({"main.py": TELLS})
    return board


def test_its_own_reset(telling):
    telling.restart()
    assert told(telling, SOFTWARE)


def test_a_watchdog_that_is_not_fed(telling):
    telling.leave(STARVES)
    assert told(telling, WATCHDOG)


def test_its_power(telling, desk):
    needs(desk.plug is not None, "pulling the plug needs --plug")
    desk.plug.switch(False)
    desk.plug.switch(True)
    assert told(telling, POWER_ON)
