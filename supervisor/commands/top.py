"""surplus top: the site live, on a terminal."""

import sys

import typer

from supervisor import commands
from supervisor.commands import StateDir


def register(app: typer.Typer) -> None:
    app.command()(top)


def top(state: StateDir = commands.STATE_DEFAULT) -> None:
    """The site live on this terminal, the sickest rigs first."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        commands.remark("surplus: top needs a terminal; for scripts there is surplus status --json")
        raise typer.Exit(commands.BAD_CALL)
    from supervisor.tui.app import run_top

    run_top(state)
