"""surplus doctor: what is wrong with this installation, and how to mend it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.doctor import Finding


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    settings: Annotated[
        Path | None, typer.Argument(metavar="SITE.TOML", help="the site's settings")
    ] = None,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Look at settings, state, clock, disk, broker, meter; exit code 1 when something is wrong."""
    from supervisor import doctor as doctors

    findings = list(doctors.examined(_config(settings, state)))
    if as_json:
        commands.show_json(findings)
    else:
        typer.echo("\n".join(line for finding in findings for line in lines(finding)))
    if any(finding.verdict == doctors.WRONG for finding in findings):
        raise typer.Exit(commands.WRONG)


def _config(settings: Path | None, state: Path) -> "Config":
    """The settings, or what can be known of a state directory without them."""
    from supervisor.config import Config, ConfigError, load
    from supervisor.sections.site import SiteConfig

    if settings is None:
        return Config(site=SiteConfig(name="unknown", limit_mw=1.0, state_dir=str(state)))
    try:
        return load(settings)
    except ConfigError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.WRONG) from None


def lines(finding: "Finding") -> list[str]:
    from supervisor.glance import plain

    head = f"{finding.verdict:<7} {finding.name:<11} {plain(finding.found)}"
    return [head] + ([f"{'':<20}{plain(finding.mend)}"] if finding.mend else [])
