"""A board with MicroPython at the end of a serial port: run, copy, reset, listen.

mpremote's transport speaks the raw REPL (and raw-paste, whose flow control keeps a
small board's buffer from overflowing); this file knows what we ask of it.
"""

import hashlib
import json
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Self

READ_S = 5.0  # a starved machine's board still answers within this
BAUD = 115_200
PROMPT_ATTEMPTS, PROMPT_S = 4, 3.0
BOOT_S = 5.0
RESET_S = 0.1  # how long the reset line is held
COPY_BYTES = 1024  # one chunk of a file, as text of a program about four times that

# each file's digest, or "" for one that is not there; prints as it goes, for small heaps
_HASHES = """
import binascii, hashlib
for path in {paths}:
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while True:
                part = file.read(512)
                if not part:
                    break
                digest.update(part)
        print(binascii.hexlify(digest.digest()).decode())
    except OSError:
        print("")
"""
_FOLDERS = """
import os
for path in {paths}:
    try:
        os.mkdir(path)
    except OSError:
        pass
"""
_RESET = "import machine, time\ntime.sleep_ms(100)\nmachine.reset()"  # says first that it will
_NO_MAIN = """
import os
try:
    os.remove("main.py")
except OSError:
    pass
"""


class BoardError(Exception):
    """The board does not do what it was asked; the text names the port."""


class NoTool(BoardError):
    """A program or library that only real boards need is not installed."""


class SerialBoard:
    """Opens the port; what runs on the board goes on until it is asked for something."""

    def __init__(self, port: str) -> None:
        try:
            from mpremote.transport import TransportError
            from mpremote.transport_serial import SerialTransport
        except ImportError:
            raise NoTool("boards need mpremote: pip install 'surplus[flash]'") from None
        self.port, self._trouble = port, TransportError
        self._open: Callable[[], Any] = lambda: SerialTransport(port, BAUD, timeout=READ_S)
        self._line = self._opened()

    def _opened(self) -> Any:
        try:
            return self._open()
        except (self._trouble, OSError) as error:
            raise BoardError(
                f"{self.port}: cannot be opened ({error}); is it plugged in, "
                "free, and may you use it?"
            ) from None

    def close(self) -> None:
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # programs

    def interrupt(self) -> None:
        """Stop what runs; the board waits for programs, nothing imported.

        Asked again when it says nothing: many a board resets when its port is opened.
        """
        for attempt in range(1, PROMPT_ATTEMPTS + 1):
            try:
                with redirect_stdout(StringIO()):  # mpremote prints what it could not use
                    self._line.enter_raw_repl(soft_reset=True, timeout_overall=PROMPT_S)
                return
            except (self._trouble, OSError) as error:
                if attempt == PROMPT_ATTEMPTS:
                    raise BoardError(f"{self.port}: gives no prompt: {error}") from None

    def quiet(self) -> None:
        """Like interrupt(), for a board that may run the firmware: its watchdog, once started,
        bites whoever sits at the prompt.  So it restarts without its main.py, which put() brings.
        """
        self.interrupt()
        self.run(_NO_MAIN)
        self.restart()
        self.console(BOOT_S, until=">>> ")
        self.interrupt()

    def run(self, program: str, seconds: float = 10.0) -> str:
        """What this printed.  Raises BoardError with the board's own traceback."""
        if not self._line.in_raw_repl:
            self.interrupt()
        out, error = self._try(
            f"said nothing for {seconds:g} s", lambda: self._line.exec_raw(program, seconds)
        )
        if error:
            raise BoardError(f"{self.port}: {error.decode(errors='replace').strip()}")
        return str(out.decode(errors="replace"))

    def ask(self, expression: str, prepared: str = "") -> Any:
        """The value of an expression, as JSON carries it."""
        said = self.run(f"{prepared}\nimport json\nprint(json.dumps({expression}))")
        try:
            return json.loads(said)
        except ValueError:
            raise BoardError(f"{self.port}: {expression} is {said!r}, which is not JSON") from None

    # files

    def put(
        self, files: Mapping[str, bytes], tell: Callable[[str], None] = lambda path: None
    ) -> list[str]:
        """Make the flash hold these; only what differs is copied.  The paths copied.

        A file is written beside its place, compared, and then takes it: a cable that is
        pulled leaves the old one.
        """
        had = dict(zip(files, self.hashes(list(files)), strict=True))
        changed = [path for path, data in files.items() if had[path] != _digest(data)]
        folders = sorted({parent for path in changed for parent in _parents(path)})
        if folders:
            self.run(_FOLDERS.format(paths=folders))
        for path in changed:
            tell(path)
            self._put(path, files[path])
        return changed

    def _put(self, path: str, data: bytes) -> None:
        beside = path + ".new"
        self._try(
            f"does not take {path}",
            lambda: self._line.fs_writefile(beside, data, chunk_size=COPY_BYTES),
        )
        if self.hashes([beside]) != [_digest(data)]:
            raise BoardError(f"{self.port}: {path} arrived damaged; the old one was left")
        self.run(f"import os\nos.rename({beside!r}, {path!r})")

    def hashes(self, paths: list[str]) -> list[str]:
        """SHA-256 of files on the board in hex, "" where there is none."""
        said = self.run(_HASHES.format(paths=paths))
        return said.replace("\r", "").split("\n")[: len(paths)]

    def read(self, path: str) -> bytes:
        if not self._line.in_raw_repl:
            self.interrupt()
        return bytes(self._try(f"has no {path}", lambda: self._line.fs_readfile(path)))

    def wrong_settings(self) -> str:
        """What the firmware on the board says against its settings.json; "" when it is right."""
        return self.run(
            "from firmware import settings\n"
            "try:\n    settings.load()\n"
            "except settings.SettingsError as error:\n    print(error)"
        ).strip()

    # life

    def restart(self) -> None:
        """A reset by the chip itself, as its program does it; main.py runs, we listen."""
        self.leave(_RESET)

    def leave(self, program: str) -> None:
        """Start a program and do not wait for its end; we listen."""
        if not self._line.in_raw_repl:
            self.interrupt()
        try:
            self._line.exec_raw_no_follow(program)
        except (self._trouble, struct.error):
            pass  # a chip that resets is quicker than its last words
        except OSError as error:
            raise BoardError(f"{self.port}: takes no program: {error}") from None
        self._line.in_raw_repl = False

    def reset_line(self) -> None:
        """The reset pin, by the RTS of the serial bridge; main.py runs, we listen."""
        try:
            self._line.serial.dtr = False
            self._line.serial.rts = True
            time.sleep(RESET_S)
            self._line.serial.rts = False
        except OSError:
            raise BoardError(f"{self.port}: no reset line on this port") from None
        self._line.in_raw_repl = False

    def reopen(self, seconds: float = 20.0) -> None:
        """After a reset that took the port with it, as USB inside the chip does."""
        self._line.close()
        until = time.monotonic() + seconds
        while True:
            try:
                self._line = self._opened()
                return
            except BoardError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def console(self, seconds: float, until: str = "") -> str:
        """What the board prints from now on, until these words or for so long."""
        heard, end = b"", time.monotonic() + seconds
        try:
            while time.monotonic() < end and not (until and until.encode() in heard):
                waiting = self._line.serial.in_waiting
                heard += self._line.serial.read(waiting) if waiting else b""
                if not waiting:
                    time.sleep(0.01)
        except OSError as error:
            raise BoardError(f"{self.port}: gone while listening: {error}") from None
        return heard.decode(errors="replace")

    def _try(self, what: str, call: Callable[[], Any]) -> Any:
        """What went wrong at the port, in its name."""
        try:
            return call()
        except struct.error:  # mpremote's word for an answer that ends in the middle
            raise BoardError(f"{self.port}: {what}: it stopped answering") from None
        except self._trouble as error:
            raise BoardError(f"{self.port}: {what}: {error}") from None
        except OSError as error:
            raise BoardError(f"{self.port}: {what}: {error.strerror or error}") from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: size + 1]) for size in range(len(parts))]
