"""surplus backup: the site's state in one file, while the site runs."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir


def register(app: typer.Typer) -> None:
    app.command()(backup)


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="written anew; nobody else's to read")
    ],
    history: Annotated[bool, typer.Option("--history", help="telemetry too")] = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Save ledger, keys and tokens of a site.  It may run meanwhile."""
    from supervisor.backup import BackupError, save

    try:
        made = save(state, file, history)
    except BackupError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.WRONG) from None
    size = file.stat().st_size
    if as_json:
        commands.show_json({"file": str(file), "bytes": size, "files": len(made.files)})
        return
    typer.echo(f"{file}: {len(made.files)} files, {size / 1e6:.1f} MB")
    commands.remark("it holds the site's key: whoever has it commands the site")
