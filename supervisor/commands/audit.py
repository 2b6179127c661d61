"""surplus audit: what people did, when, and with what result."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.view import AuditView


def register(app: typer.Typer) -> None:
    app.command()(audit)


def audit(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="rows at most")] = 50,
    who: Annotated[str, typer.Option(metavar="NAME", help="only this one's")] = "",
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What people did through the supervisor, newest first."""
    with commands.asking(state) as supervisor:
        found = supervisor.audit(limit, who)
    if as_json:
        commands.show_json(found)
    elif found:
        typer.echo("\n".join(line(deed) for deed in found))
    else:
        commands.remark("nobody has done anything")


def line(deed: "AuditView") -> str:
    import msgspec

    from supervisor.glance import plain

    at = datetime.fromtimestamp(deed.at_s).astimezone().isoformat(sep=" ", timespec="seconds")
    said = "" if deed.said is None else msgspec.json.encode(deed.said).decode()
    text = f"{deed.who} ({deed.role})  {deed.what} {said}: {deed.status} {deed.result}"
    return f"{at}  {plain(text)}"
