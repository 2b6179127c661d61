"""surplus token add, list, revoke: who else may ask the supervisor, and for how long."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.view import TokenView

Name = Annotated[str, typer.Argument(metavar="NAME", help="whose it is, as ann or grafana")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Who may ask the supervisor, and for how long.")
    group.command("add")(add)
    group.command("list")(list_)
    group.command("revoke")(revoke)
    app.add_typer(group, name="token")


def add(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer, technician, operator or admin")],
    days: Annotated[float, typer.Option(help="how long it opens anything; 0: no end")] = 90.0,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make a token.  It is shown this once: nobody can see it again."""
    from supervisor.view import TokenOrder

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        made = supervisor.add_token(TokenOrder(name=name, role=role, days=days or None))
    if as_json:
        commands.show_json(made)
        return
    typer.echo(made.token)
    commands.remark(f"for {name}, {role}: keep it in a file nobody else can read, it is shown once")


def list_(state: StateDir = commands.STATE_DEFAULT, as_json: AsJson = False) -> None:
    """All tokens, without what would let anybody in."""
    with commands.asking(state) as supervisor:
        found = supervisor.tokens()
    if as_json:
        commands.show_json(found)
    elif found:
        typer.echo("\n".join(line(token, time.time()) for token in found))
    else:
        commands.remark("nobody has a token but this machine's own admin")


def line(token: "TokenView", now_s: float) -> str:
    if token.until_s is None:
        end = "no end"
    elif token.until_s <= now_s:
        end = "has ended"
    else:
        end = f"until {datetime.fromtimestamp(token.until_s, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{token.name:<32} {token.role:<10} {end}"


def revoke(name: Name, state: StateDir = commands.STATE_DEFAULT) -> None:
    """A token opens nothing from now on, also on connections that stand."""
    with commands.asking(state) as supervisor:
        supervisor.revoke_token(name)
    typer.echo(f"{name} is let in no more")
