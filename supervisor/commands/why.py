"""surplus why RIG: the chain of reasons from the grid's signal to one rig."""

from typing import Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    rig: Annotated[str, typer.Argument(metavar="RIG", help="a rig's name, see surplus rigs")],
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Why one rig does what it does, from the signal down to it."""
    from supervisor.glance import plain

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        found = supervisor.why(rig)
    if as_json:
        commands.show_json(found)
    else:
        typer.echo("\n".join(plain(line) for line in found.lines))
