"""surplus flash PORT: MicroPython and our files onto an ESP32, and its settings checked by it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.boards import files, image
from hil.boards.serial_board import BoardError, SerialBoard

WRONG, BAD_CALL = 1, 2


def register(app: typer.Typer) -> None:
    app.command("flash")(flash)


def flash(
    port: Annotated[str, typer.Argument(help="the board's serial port, /dev/ttyUSB0")],
    chip: Annotated[str, typer.Option(help="esp32, esp32s3, ...")] = "esp32s3",
    image_file: Annotated[
        Path | None, typer.Option("--image", help="MicroPython for that chip, a .bin")
    ] = None,
    erase: Annotated[bool, typer.Option(help="the whole flash first; with --image")] = False,
    settings: Annotated[
        Path | None, typer.Option(help="this rig's settings.json; without it the old ones stay")
    ] = None,
    tls: Annotated[
        Path | None, typer.Option(help="folder with ca.pem, and rig.pem with rig.key if it has any")
    ] = None,
    probe: Annotated[bool, typer.Option("--probe", help="the bench's probe, not a rig")] = False,
) -> None:
    """Write MicroPython (with --image) and our files, start the board, tell what it says."""
    try:
        plan = files.of_probe() if probe else files.of_rig(settings, tls=tls)
        if erase and image_file is None:
            raise ValueError("--erase leaves nothing to run: give --image too")
        if image_file is not None:
            tell(f"{port}: {image_file.name} onto {chip}")
            image.flash(port, chip, image_file, erase)
        copied = copy(port, plan, check=not probe)
    except (ValueError, files.FilesError) as error:
        tell(f"surplus flash: {error}")
        raise typer.Exit(BAD_CALL) from None
    except BoardError as error:
        tell(f"surplus flash: {error}")
        raise typer.Exit(WRONG) from None
    print(f"{port}: {len(copied)} of {len(plan)} files copied, started")


def copy(port: str, plan: dict[str, bytes], check: bool) -> list[str]:
    """The files onto the board, which is then started.  The paths that were copied."""
    with SerialBoard(port) as board:
        board.quiet()
        copied = board.put(plan, tell)
        if check and (wrong := board.wrong_settings()):
            raise BoardError(f"{port}: {wrong}")
        board.restart()
    return copied


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
