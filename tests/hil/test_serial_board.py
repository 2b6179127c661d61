"""The serial path to a board, against MicroPython's own REPL behind a pseudo-terminal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hil.boards import files, terminal_rig
from hil.boards.copper import Copper
from hil.boards.serial_board import BoardError, SerialBoard
from hil.boards.terminal_rig import TerminalRig
from hil.link import shared_loop
from hil.rig import POWER_ON, SOFTWARE, settings
from hil.virtual import wire

pytestmark = pytest.mark.real_time
CONFIG = settings("bench", "desk", "127.0.0.1", 1883, bytes(32))


@pytest.fixture
def desk(tmp_path):
    with TerminalRig(tmp_path / "flash", CONFIG) as rig:
        yield rig


@pytest.fixture
def board(desk):
    with SerialBoard(desk.port) as board:
        yield board


def test_a_program_runs_and_what_it_prints_comes_back(board):
    said = board.run("for n in range(3):\n    print('line', n)")
    assert said.splitlines() == ["line 0", "line 1", "line 2"]
    assert board.ask("[1, 'two', None]") == [1, "two", None]
    assert board.ask("machine.Pin(10, machine.Pin.OUT, value=1).value()", "import machine") == 1


def test_what_goes_wrong_on_the_board_is_told_with_its_traceback_and_port(board, desk):
    with pytest.raises(BoardError, match="ZeroDivisionError") as told:
        board.run("1 / 0")
    assert desk.port in str(told.value)
    with pytest.raises(BoardError, match="not JSON"):
        board.ask("print('chatter') or 1")
    assert board.ask("1 + 1") == 2, "and it goes on"


def test_a_long_program_goes_by_raw_paste_with_its_flow_control(board, desk):
    """Many windows long, and every byte value a text can hold; nothing lost, nothing echoed."""
    text = "".join(chr(32 + n % 95) for n in range(30_000))
    board.run(f"kept = {text!r}")
    assert board.ask("len(kept)") == 30_000
    assert board.run("print(kept)").rstrip("\r\n") == text
    assert board._line.use_raw_paste, "not the plain raw mode mpremote falls back to"


def test_without_raw_paste_it_still_arrives(board):
    board.interrupt()
    board._line.use_raw_paste = False
    assert board.ask("sum(range(1000))") == 499_500


def test_only_what_differs_is_copied(board, desk):
    plan = files.of_rig()
    assert {"main.py", "firmware/rig.py", "firmware/boards/s21pro.py", "protocols/crc.py"} <= set(
        plan
    )
    assert "settings.json" not in plan, "those on the board stay"
    assert board.put(plan) == list(plan)
    for path, data in plan.items():
        assert (desk.flash / path).read_bytes() == data
    assert board.put(plan) == []
    assert board.put({**plan, "main.py": b"print('other')\n"}) == ["main.py"]
    assert board.read("main.py") == b"print('other')\n"
    assert not list(desk.flash.rglob("*.new"))


def test_a_file_that_arrives_damaged_does_not_take_the_place_of_the_old(board, desk):
    board.put({"a/b.txt": b"good"})
    desk.cable = lambda data: data.replace(b"better", b"bitter")
    with pytest.raises(BoardError, match=r"a/b.txt arrived damaged"):
        board.put({"a/b.txt": b"better"})
    assert board.read("a/b.txt") == b"good"


def test_a_plug_pulled_while_copying_leaves_the_old_file(board, desk):
    board.put({"a.txt": b"old" * 2000})

    def pull(data):
        if b"new" * 20 in data:
            desk.switch(False)
        return data

    desk.cable = pull
    board._line.serial.timeout = 0.2
    with pytest.raises(BoardError, match=r"does not take a\.txt"):
        board.put({"a.txt": b"new" * 2000})
    assert (desk.flash / "a.txt").read_bytes() == b"old" * 2000
    assert not desk.alive


def test_a_reset_runs_main_and_its_words_are_heard(board, desk):
    board.put({"main.py": b"import machine\nprint('cause', machine.reset_cause())\n"})
    desk.resets.clear()
    board.restart()
    assert f"cause {SOFTWARE}" in board.console(10, until=f"cause {SOFTWARE}")
    assert desk.resets == [SOFTWARE]
    desk.switch(False)
    desk.switch(True)
    assert f"cause {POWER_ON}" in board.console(10, until=f"cause {POWER_ON}")


def test_a_main_that_never_ends_is_interrupted(board):
    board.put({"main.py": b"print('begun')\nwhile True:\n    pass\n"})
    board.restart()
    assert "begun" in board.console(10, until="begun")
    assert board.ask("6 * 7") == 42


def test_the_firmware_itself_says_what_is_wrong_with_its_settings(board):
    board.put(files.of_rig())
    assert board.wrong_settings() == ""
    board.put({"settings.json": json.dumps({**CONFIG, "broker_port": 0}).encode()})
    assert "broker_port: 0, from 1 to 65535" in board.wrong_settings()


def typed(board, line, until):
    """A line at the firmware's own console, and what it says."""
    board._line.serial.write(line.encode() + b"\r")
    said = board.console(20, until=until)
    assert until in said, said
    return said


@pytest.fixture
def roomy(tmp_path, monkeypatch):
    """A board with the heap of an S3: words are compiled when they are asked for."""
    monkeypatch.setattr(terminal_rig, "HEAP", "512K")
    with TerminalRig(tmp_path / "flash", CONFIG) as rig, SerialBoard(rig.port) as board:
        yield board


@pytest.mark.timeout(120)
def test_the_rigs_console_over_usb(roomy):
    board = roomy
    board.put(files.of_rig())
    board.restart()
    board.console(20, until="broker: ")  # it runs, and finds no broker
    typed(board, "status", "started by software")
    assert "from 1000 to 60000" in typed(board, "set state_ms=5", "60000")
    typed(board, "set state_ms=20000", "state_ms: holds")


@pytest.mark.timeout(120)
def test_a_board_without_settings_is_set_up_at_its_console(board, desk):
    board.put(files.of_rig())
    (desk.flash / "settings.json").unlink()
    board.restart()
    board.console(20, until="no such file")
    for name, value in CONFIG.items():
        typed(board, f"set {name}={value}", f"{name}: ")
    typed(board, "restart", "restarting")
    assert "broker: " in board.console(20, until="broker: "), "it runs, and looks for its broker"


def test_settings_that_are_none_are_refused_before_anything_is_copied(tmp_path):
    path = tmp_path / "settings.json"
    with pytest.raises(files.FilesError, match="No such file"):
        files.of_rig(path)
    path.write_text("{'site'")
    with pytest.raises(files.FilesError, match="not JSON"):
        files.of_rig(path)
    path.write_text("[1]")
    with pytest.raises(files.FilesError, match="not an object"):
        files.of_rig(path)


def test_a_port_that_is_not_there():
    with pytest.raises(BoardError, match="/dev/no-such-port: cannot be opened"):
        SerialBoard("/dev/no-such-port")


def test_no_reset_line_on_a_pseudo_terminal(board):
    with pytest.raises(BoardError, match="no reset line"):
        board.reset_line()


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_the_numbered_tests_pass_on_a_board_with_nothing_on_it(tmp_path):
    """As `make board PORT=...` runs them: what needs more is skipped, and says what."""
    copper = Copper(shared_loop().time, [], lambda bus, address, out, size: (wire.I2C_NACK, b""))
    with TerminalRig(tmp_path, CONFIG, copper.rig) as bare:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/board", "-rs", "--board", bare.port],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "13 passed, 4 skipped" in done.stdout, done.stdout
    assert "pulling the plug needs --plug" in done.stdout
