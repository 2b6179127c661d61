"""A controller that keeps restarting waits, longer each time; on both runtimes."""

from bench_board import TestBoard

from firmware import restarts
from firmware.dispatch import Dispatch
from firmware.rig import Rig


def test_how_long_each_start_waits():
    waits_s = [restarts.wait_ms(starts) // 1000 for starts in range(13)]
    assert waits_s == [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert restarts.wait_ms(1_000_000) == 600_000


def test_why_and_until_when():
    assert restarts.because(3, 0) == ""
    assert restarts.because(4, 9_999) == "started 4 times without ten good minutes"
    assert restarts.because(4, 10_000) == ""


def test_a_rig_keeps_its_starts_and_forgets_them_after_ten_good_minutes():
    board = TestBoard()
    rig = Rig(board, Dispatch("here", "rig-7", b"b" * 32, b"r" * 32, lambda: "0" * 16))
    rig.begin(board.restarts() + 1)
    assert board.kept == 1
    rig.begin(4)
    rig.safety_turn(100)
    assert rig.faulty() and rig.verdict.code == "restarts" and board.kept == 4
    rig.up_ms = 9_900
    rig.safety_turn(100)
    assert not rig.faulty()
    rig.up_ms = restarts.GOOD_MS - 200
    rig.safety_turn(100)
    assert board.kept == 4
    rig.safety_turn(100)
    assert board.kept == 0 and rig.starts == 0
