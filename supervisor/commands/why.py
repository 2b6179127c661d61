"""surplus why: the chain of reasons from the grid's signal to the site, or to one rig."""

import time
from typing import Annotated

import typer

from supervisor import commands, units
from supervisor.commands import AsJson, StateDir


def register(app: typer.Typer) -> None:
    app.command()(why)


def moment(text: str) -> float:
    try:
        return units.parse_moment(text, time.time())
    except units.UnitError as error:
        raise typer.BadParameter(str(error)) from None


def why(
    rig: Annotated[str, typer.Argument(metavar="RIG", help="the whole site when left out")] = "",
    at: Annotated[
        float | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="as 14:03, 2026-12-01T14:03Z, or 10m for ten minutes ago",
        ),
    ] = None,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Why a rig does what it does, from the signal down to it; now, or at any past time."""
    from supervisor.glance import plain

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        found = supervisor.why(rig, at)
    if as_json:
        commands.show_json(found)
    else:
        typer.echo("\n".join(plain(line) for line in found.lines))
