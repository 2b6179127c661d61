"""surplus restore: a state directory from a backup."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir


def register(app: typer.Typer) -> None:
    app.command()(restore)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="made by surplus backup")],
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put a backup back, where there is no state yet.  Then start the site as ever."""
    from supervisor.backup import BackupError
    from supervisor.backup import restore as put_back

    try:
        made = put_back(file, state)
    except BackupError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.WRONG) from None
    if as_json:
        commands.show_json({"state": str(state), "made_s": made.made_s, "files": len(made.files)})
        return
    typer.echo(f"{state}: {len(made.files)} files")
    commands.remark("rigs are dealt new ladders: those that run will sleep for one lease")
