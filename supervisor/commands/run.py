"""surplus run: the service, from a site's settings."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands

if TYPE_CHECKING:
    from supervisor.config import Config


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    settings: Annotated[Path, typer.Argument(metavar="SITE.TOML", help="the site's settings")],
    check: Annotated[bool, typer.Option("--check", help="read the settings and stop")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="a JSON object a line")] = False,
) -> None:
    """Supervise a site until told to stop (SIGTERM, Ctrl-C)."""
    from supervisor import logs
    from supervisor.config import ConfigError, load

    try:
        config = load(settings)
    except ConfigError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.BAD_CALL) from None
    if check:
        commands.remark(f"{settings}: good")
        return
    logs.set_up(logging.INFO if verbose else logging.WARNING, log_json)
    raise typer.Exit(_serve(config))


def _serve(config: "Config") -> int:
    from supervisor import app
    from supervisor.api import ApiError
    from supervisor.keys import SecretError
    from supervisor.lasting import first
    from supervisor.ledger import LedgerError
    from supervisor.nats import BrokerError
    from supervisor.roster import RosterError
    from supervisor.sources.registers import MapError
    from supervisor.sources.signal_csv import CsvError
    from supervisor.tokens import TokenError

    known = (
        TokenError,
        app.AppError,
        ApiError,
        BrokerError,
        SecretError,
        LedgerError,
        MapError,
        CsvError,
        RosterError,
    )
    try:
        asyncio.run(app.run(config))
    except known as error:
        commands.remark(f"surplus: {error}")
        return commands.WRONG
    except BaseExceptionGroup as group:
        _, unexpected = group.split(known)
        if unexpected is not None:
            raise
        commands.remark(f"surplus: {first(group)}")
        return commands.WRONG
    return 0
