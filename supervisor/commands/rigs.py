"""surplus rigs: one line per rig, the sickest first."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.view import RigView

COLUMNS = "{:<16} {:<8} {:>5} {:>9} {:>9} {:>9} {:>6} {:>9} {:>9}  {}"
HEAD = ("RIG", "STATE", "LEVEL", "ADMITTED", "DRAWN", "HASHING", "HOT", "FAN", "HEARD", "WHY")


def register(app: typer.Typer) -> None:
    app.command()(rigs)


def rigs(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="words in name, state or why")] = "",
    limit: Annotated[int, typer.Option(min=1, max=2000, help="rows at most")] = 40,
    order: Annotated[str, typer.Option(help="sickness, rig, power, hot or age")] = "sickness",
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """One line per rig, the sickest first."""
    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        found = supervisor.rigs(limit, order, text)
    if as_json:
        commands.show_json(found)
        return
    if not found:
        commands.remark("no such rig" if text else "no rig has been heard of yet")
        return
    typer.echo(COLUMNS.format(*HEAD))
    typer.echo("\n".join(line(rig) for rig in found))
    if len(found) == limit:
        commands.remark(f"the first {limit}: more with --limit")


def line(rig: "RigView") -> str:
    from supervisor import glance, units

    return COLUMNS.format(
        glance.plain(rig.rig, 16),
        glance.plain(rig.state, 8),
        f"{rig.level}/{rig.cap_level}",
        units.watts(rig.admitted_w),
        units.watts(rig.power_w),
        units.hashrate(rig.hash_ghs),
        f"{rig.hot_dc / 10:.0f} °C",
        f"{rig.fan_rpm} rpm",
        units.age(rig.age_s),
        glance.plain(rig.why),
    ).rstrip()
