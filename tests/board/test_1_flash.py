"""1: MicroPython is new enough, our files are on the flash, its settings are accepted."""

import pytest

pytestmark = pytest.mark.real_time


def test_micropython_is_new_enough(board):
    board.quiet()
    version = board.ask("list(sys.implementation.version[:2])", "import sys")
    assert version >= [1, 26]


def test_the_port_has_what_the_firmware_needs(board):
    missing = board.ask(
        "[n for n in ('Counter', 'I2C', 'PWM', 'Pin', 'UART', 'WDT') if not hasattr(machine, n)]",
        "import machine",
    )
    assert missing == []


def test_our_files_are_put_and_stay(board, plan):
    board.quiet()
    board.put(plan)
    assert board.put(plan) == [], "what was written is what is read"
    assert board.wrong_settings() == ""
