"""surplus bench NAME: measure one thing and print it."""

from typing import Annotated

import typer

from supervisor import commands


def register(app: typer.Typer) -> None:
    bench = typer.Typer(
        help="Measure one thing and print it.",
        no_args_is_help=False,
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    bench.callback()(listed)
    bench.command()(dispatch)
    app.add_typer(bench, name="bench")


def listed(context: typer.Context) -> None:
    """Lists the benchmarks when none is named."""
    if context.invoked_subcommand is None:
        typer.echo("dispatch   ladders from nothing, one change, and against the exact optimum")


def dispatch(
    rigs: Annotated[int, typer.Option(min=10, max=200_000)] = 28_571,
    levels: Annotated[int, typer.Option(min=1, max=32)] = 8,
    as_json: commands.AsJson = False,
) -> None:
    """Ladders from nothing, one change, and hash rate against the exact optimum."""
    try:
        import highspy  # noqa: F401
    except ImportError:
        commands.remark("surplus: bench dispatch needs highspy; make setup installs it")
        raise typer.Exit(commands.WRONG) from None
    from hil.benches import dispatch as measure

    result = measure(rigs, levels)
    if as_json:
        commands.show_json(result)
    else:
        for key, value in result.items():
            typer.echo(f"{key:24} {value}")
