"""The command line: collects the commands and starts one.

A command is a module with register(app), here or in any package that names it under the
entry-point group "surplus.commands".  One that cannot be loaded costs only itself.
"""

import io
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points, version

import typer

GROUP = "surplus.commands"
OWN = (
    "alarms",
    "audit",
    "backup",
    "doctor",
    "drill",
    "history",
    "report",
    "restore",
    "rig",
    "rigs",
    "run",
    "signal",
    "status",
    "systemd",
    "token",
    "top",
    "why",
)

Register = Callable[[typer.Typer], None]


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a poor terminal shows ?, not a traceback
    named = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    build(named)()


def build(named: str = "") -> typer.Typer:
    """The application.  When one of our own commands is named, only that one is loaded:
    `surplus status` in a script starts without the libraries of the others.
    """
    app = typer.Typer(
        name="surplus",
        help="Turns surplus megawatts into hashrate, and gives them back within seconds.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    for name in [named] if named in OWN else OWN:
        add(app, name, partial(_own, name))
    if named not in OWN:
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            add(app, entry.name, entry.load)
    return app


def add(app: typer.Typer, name: str, load: Callable[[], Register]) -> None:
    """Let a command register itself; whatever it raises is its own loss."""
    try:
        load()(app)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        print(f"surplus: the command {name} cannot be loaded: {reason}", file=sys.stderr)


def _own(name: str) -> Register:
    register: Register = import_module(f"supervisor.commands.{name}").register
    return register


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"surplus {version('surplus')}")
        raise typer.Exit


def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    pass
