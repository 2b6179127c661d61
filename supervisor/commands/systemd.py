"""surplus systemd: the unit that keeps a supervisor running, shown or installed."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands

if TYPE_CHECKING:
    from supervisor.config import Config

UNIT = Path(__file__).parents[1] / "systemd" / "surplus.service"
STATE = "/var/lib/"
FILES = 65_536


def register(app: typer.Typer) -> None:
    app.command()(systemd)


def systemd(
    settings: Annotated[Path, typer.Argument(metavar="SITE.TOML", help="the site's settings")],
    user: Annotated[str, typer.Option(help="whose the supervisor is")] = "surplus",
    install: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write it there, as /etc/systemd/system")
    ] = None,
) -> None:
    """The systemd unit of this site on stdout, or installed."""
    from supervisor.config import ConfigError, load

    try:
        text = unit(load(settings), settings.absolute(), user)
    except ConfigError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.BAD_CALL) from None
    if install is None:
        typer.echo(text, nl=False)
        return
    path = install / "surplus.service"
    try:
        path.write_text(text)
    except OSError as error:
        commands.remark(f"surplus: {path}: {error.strerror}")
        raise typer.Exit(commands.WRONG) from None
    commands.remark(f"{path}: then systemctl daemon-reload && systemctl enable --now surplus")


def unit(config: "Config", settings: Path, user: str) -> str:
    """The unit's text, with what this site needs."""
    state = str(config.state_dir)
    own = state.startswith(STATE) and "/" not in state.removeprefix(STATE)
    text = UNIT.read_text().format(
        user=user,
        surplus=surplus(),
        settings=settings,
        state=state,
        state_name=state.removeprefix(STATE) if own else "surplus",
        files=FILES,
        home="read-only" if _at_home(state, settings, Path(surplus())) else "yes",
        private_devices="no" if any(g.device for g in config.all_gateways) else "yes",
    )
    if not own:  # a directory that systemd does not make
        text = "".join(
            line for line in text.splitlines(keepends=True) if not line.startswith("StateDirectory")
        )
    return text


def surplus() -> str:
    """This command, by its full path."""
    beside = Path(sys.executable).with_name("surplus")
    return str(beside) if beside.exists() else f"{sys.executable} -m supervisor"


def _at_home(*paths: str | Path) -> bool:
    homes = ("/home/", "/root/", os.path.expanduser("~") + "/")
    return any(str(path).startswith(homes) for path in paths)
