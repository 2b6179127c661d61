"""surplus replay: a recorded signal against the whole site, on a simulated clock."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor import commands


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    signal: Annotated[Path, typer.Option(help="CSV: time,mw or AEMO price and demand")],
    rigs: Annotated[int, typer.Option(min=1, max=200_000)] = 2000,
    step: Annotated[float, typer.Option(min=0.2, max=60.0, help="simulated seconds a tick")] = 1.0,
    seed: Annotated[int, typer.Option(help="of the fleet's differences and noise")] = 1,
    as_json: commands.AsJson = False,
) -> None:
    """The same decisions and fleet model as the demo, no sockets, as fast as it goes."""
    from hil.playback import play
    from supervisor.sources.signal_csv import CsvError, read

    try:
        series = read(signal)
    except CsvError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.BAD_CALL) from None
    result = play(series, rigs, step, seed)
    if as_json:
        commands.show_json(result)
    else:
        for key, value in result.items():
            typer.echo(f"{key:24} {value}")
    raise typer.Exit(commands.WRONG if result["errors"] else 0)
