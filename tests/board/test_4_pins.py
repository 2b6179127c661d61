"""4: taking up the board switches nothing on: hash power low, boards in reset, fans full."""

import pytest

from firmware.boards import s21pro

pytestmark = pytest.mark.real_time
TAKES_UP = "import machine\nfrom firmware.board import open_board\nboard = open_board('s21pro')"


def test_taking_up_the_board_switches_nothing_on(board):
    board.quiet()
    board.run(TAKES_UP)
    dangerous = [s21pro.HASH_POWER_PIN, *[pin for wires in s21pro.BOARDS for pin in wires[3:]]]
    levels = board.ask(f"[machine.Pin(pin).value() for pin in {dangerous}]")
    assert dict(zip(dangerous, levels)) == dict.fromkeys(dangerous, 0)
    assert board.ask("board.fans.duty_pm") == 1000


def test_hash_power_obeys_its_line_and_falls_again(board):
    board.quiet()
    board.run(TAKES_UP)
    board.run("board.light((0, 50, 0))")
    assert board.ask("board.pressed()") is False
    assert board.ask("machine.Pin(board.facts.HASH_POWER_PIN).value()") == 0
