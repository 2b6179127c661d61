"""5: no bus holds anybody up, and with parts on it every one of them answers."""

import pytest

from tests.board.conftest import needs
from tests.board.test_4_pins import TAKES_UP

pytestmark = pytest.mark.real_time
SLOWEST_MS = 60  # a read of a part that is not there, all its attempts
READS = """
import time
def timed(read):
    begun_ms = time.ticks_ms()
    try:
        value = read()
    except Exception as error:
        value = type(error).__name__
    return [value, time.ticks_diff(time.ticks_ms(), begun_ms)]
"""


@pytest.fixture
def taken_up(board):
    board.quiet()
    board.run(TAKES_UP + READS)
    return board


def test_a_read_takes_its_time_and_no_more(taken_up):
    for name, (value, ms) in read_all(taken_up).items():
        assert ms <= SLOWEST_MS, f"{name}: {ms} ms"
        assert isinstance(value, int) or value in ("SensorError", "SupplyError"), f"{name}: {value}"


def test_every_part_answers(taken_up, desk):
    needs(desk.parts, "no parts on this board: --parts says there are")
    read = {name: value for name, (value, _) in read_all(taken_up).items()}
    assert all(-200 < read[name] < 800 for name in read if "let " in name), read
    assert read["supply"] >= 0, read


def test_fans_turn_and_are_counted(taken_up, desk):
    needs(desk.parts, "no parts on this board: --parts says there are")
    taken_up.run("for _ in range(30):\n    board.fans.rpm()\n    time.sleep_ms(100)")
    assert min(taken_up.ask("board.fans.rpm()")) > 1000


def read_all(board):
    """name: [value or the error's name, milliseconds]."""
    return board.ask(
        "dict([(n, timed(s.read_dc)) for n, s in board.sensors.items()]"
        " + [('supply', timed(board.supply.status))])"
    )
