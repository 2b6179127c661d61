"""2: programs run, their words and their mistakes come back, and there is heap for the firmware."""

import pytest

from hil.boards.serial_board import BoardError

pytestmark = pytest.mark.real_time
HEAP_LEFT = 40_000  # bytes, with all of the firmware imported


def test_words_and_mistakes_come_back(board):
    board.quiet()
    assert board.run("for n in range(100):\n    print(n)").split() == [str(n) for n in range(100)]
    with pytest.raises(BoardError, match="ZeroDivisionError"):
        board.run("1 / 0")


def test_all_of_the_firmware_is_imported_and_leaves_heap(board):
    board.quiet()
    left = board.ask("gc.mem_free()", "import gc\nimport firmware.main\ngc.collect()")
    print(f"{left} bytes of heap are left")
    assert left > HEAP_LEFT


def test_what_main_prints_is_heard(board, plan):
    board.quiet()
    board.put({"main.py": b"print('good', 'morning')\n"})
    board.restart()
    assert "good morning" in board.console(15, until="good morning")
