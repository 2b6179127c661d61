"""What the commands share: the state directory, and asking the supervisor in it.

stdout is for results, stderr for remarks.  Exit codes: 0 good, 1 found something wrong,
2 bad call.  Heavy imports are made inside the commands, so that each starts quickly.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from supervisor.client import Client

WRONG, BAD_CALL = 1, 2
STATE_DEFAULT = Path("surplus-state")

StateDir = Annotated[
    Path,
    typer.Option("--state", envvar="SURPLUS_STATE", metavar="DIR", help="the site's state"),
]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document, for scripts")]


@contextmanager
def asking(state_dir: Path, refused: int = WRONG) -> Iterator["Client"]:
    """The supervisor of this state directory; what goes wrong ends the command in one line.

    refused: the exit code when the supervisor says no.
    """
    from supervisor.client import ClientError, RefusedError, connected

    try:
        with connected(state_dir) as client:
            yield client
    except ClientError as error:
        remark(f"surplus: {error}")
        raise typer.Exit(refused if isinstance(error, RefusedError) else WRONG) from None


def seconds(text: str | float) -> float:
    """A stretch of time on the command line, as 15m; an option's own default is a number."""
    from supervisor import units

    if isinstance(text, float):
        return text
    try:
        return units.parse_seconds(text)
    except units.UnitError as error:
        raise typer.BadParameter(str(error)) from None


def remark(text: str) -> None:
    typer.echo(text, err=True)


def bad_call(text: str) -> NoReturn:
    """Ends the command: it was called with what cannot be."""
    remark(f"surplus: {text}")
    raise typer.Exit(BAD_CALL)


def show_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
