"""MicroPython itself onto a chip, by esptool as a program of its own.

esptool is under the GPL: it is never imported, and installed by whoever flashes
(pip install 'surplus[flash]').
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from hil.boards.serial_board import BoardError, NoTool

BAUD = 460_800
# where MicroPython's image starts: the ROM of the first two looks behind a sector for itself
OFFSETS = {
    "esp32": 0x1000,
    "esp32s2": 0x1000,
    "esp32s3": 0x0,
    "esp32c3": 0x0,
    "esp32c6": 0x0,
}
SECONDS = 300


def calls(port: str, chip: str, image: Path, erase: bool) -> list[list[str]]:
    """esptool's arguments, one call after the other.  Raises ValueError."""
    if chip not in OFFSETS:
        raise ValueError(f"no chip {chip!r}; there are {', '.join(OFFSETS)}")
    common = ["--chip", chip, "--port", port, "--baud", str(BAUD)]
    write = [*common, "write-flash", hex(OFFSETS[chip]), str(image)]
    return [[*common, "erase-flash"], write] if erase else [write]


def flash(port: str, chip: str, image: Path, erase: bool = False) -> None:
    """Raises BoardError with esptool's last words."""
    todo = calls(port, chip, image, erase)
    if not image.is_file():
        raise BoardError(f"{image}: no such file; MicroPython's image for {chip} is a .bin")
    if importlib.util.find_spec("esptool") is None:
        raise NoTool("writing an image needs esptool: pip install 'surplus[flash]'")
    for arguments in todo:
        _run([sys.executable, "-m", "esptool", *arguments])


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BoardError(f"esptool is not done after {SECONDS} s") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise BoardError("esptool: " + "; ".join(said[-3:]))
