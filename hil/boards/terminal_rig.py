"""A virtual rig whose MicroPython sits behind a pseudo-terminal, as an ESP32 does behind USB.

    serial client -- its pty -- pump -- board's pty -- MicroPython's own REPL
                                 |                         '-- pipe -- wiring, chips, plant
                            soft resets

The REPL, raw mode, raw-paste and its flow control are MicroPython's own; what the unix
port lacks is that Ctrl-D starts it again instead of ending it, and this adds that.
"""

import asyncio
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping
from pathlib import Path

from hil.boards.copper import End
from hil.rig import HEAP, SOFTWARE, VIRTUAL, VirtualRig

RAW, FRIENDLY, INTERRUPT = 0x01, 0x02, 0x03  # Ctrl-A, Ctrl-B, Ctrl-C
PROMPT_S = 5.0


class TerminalRig(VirtualRig):
    """port is the path a serial client opens.  Its flash is what was copied there."""

    def __init__(self, flash: Path, config: Mapping[str, object], board: End | None = None) -> None:
        super().__init__(flash, config, program="")
        if board is not None:
            self.wiring = board  # type: ignore[assignment]
        self.wiring.on_reset = self._hard_reset
        self._client, client_end = pty.openpty()
        tty.setraw(client_end)
        self.port = os.ttyname(client_end)
        self._client_end = client_end  # held open, so that clients may come and go
        self._board = -1  # our end of the board's own pty
        self._raw, self._main = False, True  # how it starts: in the raw REPL; with main.py
        self._powered = True
        self.cable: Callable[[bytes], bytes] = bytes  # what becomes of bytes on their way there
        self._stop_in, self._stop_out = os.pipe()
        self._pump = threading.Thread(target=self._carry, name="terminal", daemon=True)
        self._lock = threading.Lock()

    def start(self) -> None:
        super().start()
        self._pump.start()

    def close(self) -> None:
        os.write(self._stop_out, b"x")
        self._pump.join(5)
        super().close()
        for fd in (self._client, self._client_end, self._board, self._stop_in, self._stop_out):
            os.close(fd)

    def switch(self, on: bool) -> None:
        """The plug: see hil/boards/mains.py."""
        if on and not self._powered:
            self._powered = True
            self.restart()
        elif not on:
            self._powered = False
            self.kill()

    def _spawn(self, read_fd: int, write_fd: int) -> subprocess.Popen[bytes]:
        env = dict(os.environ, BENCH_IN=str(read_fd), BENCH_OUT=str(write_fd))
        env["MICROPYPATH"] = f"{VIRTUAL}:{self.flash}:.frozen"
        command = [str(self._micropython), "-X", f"heapsize={HEAP}"]
        if self._main and not self._raw and (self.flash / "main.py").exists():
            command += ["-i", "main.py"]
        ours, theirs = pty.openpty()
        _cook(theirs)
        with self._lock:
            if self._board >= 0:
                os.close(self._board)
            self._board = ours
        process = subprocess.Popen(
            command,
            cwd=self.flash,
            env=env,
            pass_fds=(read_fd, write_fd),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - one ioctl, no lock is taken
        )
        os.close(theirs)
        if self._raw:
            os.write(ours, bytes((RAW,)))
        return process

    def _carry(self) -> None:
        """Bytes both ways until closed."""
        while True:
            with self._lock:
                board = self._board
            ends = [self._client, self._stop_in] + ([board] if self._powered else [])
            ready, _, _ = select.select(ends, [], [], 0.1)
            if self._stop_in in ready:
                return
            if self._client in ready:
                self._from_client(os.read(self._client, 4096))
            if board in ready:
                self._from_board(board)

    def _from_client(self, data: bytes) -> None:
        """What follows a Ctrl-C waits for the prompt: the unix port would throw it away."""
        at = data.find(INTERRUPT) + 1
        if not at or not _interruptible(self._board):
            self._to_board(data)
            return
        self._to_board(data[:at])
        end = time.monotonic() + PROMPT_S
        while self._powered and _interruptible(self._board) and time.monotonic() < end:
            board = self._board
            if select.select([board], [], [], 0.01)[0]:
                self._from_board(board)
        self._from_client(data[at:])

    def _to_board(self, data: bytes) -> None:
        for byte in data:
            if byte in (RAW, FRIENDLY):
                self._raw = byte == RAW
        if data and self._powered:
            with self._lock:
                os.write(self._board, self.cable(data))

    def _from_board(self, board: int) -> None:
        try:
            data = os.read(board, 4096)
        except OSError:  # its process has ended: Ctrl-D, or a reset that is being done
            data = b""
        if data:
            os.write(self._client, data)
        else:
            asyncio.run_coroutine_threadsafe(self._ended(board), self._loop).result(10)

    async def _ended(self, board: int) -> None:
        """In the bench's thread, as all restarts; a reset may have come first."""
        if self._powered and board == self._board and not self.alive:
            os.write(self._client, b"MPY: soft reboot\r\n")
            # one that was interrupted while it started goes to its prompt, as an ESP32 does
            interrupted = self._process is not None and self._process.returncode == -signal.SIGINT
            self._begin_again(self._raw, main=not interrupted)

    def _hard_reset(self) -> None:
        self._begin_again(raw=False, main=True)

    def _begin_again(self, raw: bool, main: bool) -> None:
        self._raw, self._main = raw, main
        super()._restart(SOFTWARE)

    def _restart(self, cause: int) -> None:
        """By its power or its watchdog: from the very beginning."""
        self._raw, self._main = False, True
        super()._restart(cause)


def _take_terminal() -> None:
    """The board's Ctrl-C reaches its program, through a terminal of its own."""
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _interruptible(fd: int) -> bool:
    """Whether Ctrl-C means that there now: a program runs, not the prompt."""
    return bool(termios.tcgetattr(fd)[3] & termios.ISIG)


def _cook(fd: int) -> None:
    """No echo, no translation; but Ctrl-C interrupts, as on the ESP32."""
    tty.setraw(fd)
    mode = termios.tcgetattr(fd)
    mode[3] |= termios.ISIG
    mode[6][termios.VQUIT] = mode[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(fd, termios.TCSANOW, mode)
