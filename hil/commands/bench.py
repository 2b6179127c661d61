"""surplus bench NAME: measure one thing and print it."""

import inspect
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from hil.benches import BENCHES
from supervisor import commands

Measure = Callable[..., dict[str, Any]]


class _Benches(TyperGroup):
    """Imports a benchmark when it is asked for, so that no other command pays for it."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(BENCHES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in BENCHES:
            return None
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(help=BENCHES[cmd_name])(_printed(cmd_name))
        return typer.main.get_command(alone)


def register(app: typer.Typer) -> None:
    bench = typer.Typer(
        cls=_Benches,
        help="Measure one thing and print it.",
        no_args_is_help=False,
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    bench.callback()(listed)
    app.add_typer(bench, name="bench")


def listed(context: typer.Context) -> None:
    """Lists the benchmarks when none is named."""
    if context.invoked_subcommand is None:
        for name, about in BENCHES.items():
            typer.echo(f"{name:10} {about}")


def _printed(name: str) -> Callable[..., None]:
    """A benchmark as a command: its own options, and --json."""
    measure: Measure = import_module(f"hil.benches.{name}").command

    def shown(*, as_json: bool, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what it has started
        try:
            result = measure(**options)
        except ModuleNotFoundError as error:
            commands.remark(f"surplus: bench {name} needs {error}")
            raise typer.Exit(commands.WRONG) from None
        show(result, as_json)

    own = inspect.signature(measure, eval_str=True)
    last = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=commands.AsJson
    )
    parameters = [*own.parameters.values(), last]
    shown.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    shown.__annotations__ = {one.name: one.annotation for one in parameters}
    return shown


def show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        commands.show_json(result)
        return
    for key, value in result.items():
        typer.echo(f"{key:24} {value}")
