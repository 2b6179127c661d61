"""surplus status: the site in a few lines, or JSON; exit code 1 when something is wrong."""

import time
from typing import TYPE_CHECKING

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.view import SiteView


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(state: StateDir = commands.STATE_DEFAULT, as_json: AsJson = False) -> None:
    """The site in a few lines; exit code 1 when something is wrong."""
    from supervisor.glance import wrongs

    with commands.asking(state) as supervisor:
        site = supervisor.site()
    now_s = time.time()
    found = wrongs(site, now_s)
    if as_json:
        commands.show_json({"wrong": found, "site": site})
    else:
        typer.echo("\n".join(lines(site, now_s)))
        for wrong in found:
            typer.echo(f"{'wrong':<10}{wrong}")
    if found:
        raise typer.Exit(commands.WRONG)


def lines(site: "SiteView", now_s: float) -> list[str]:
    """What `status` prints, a fact to a line."""
    from supervisor import glance, units

    meter = (
        f"{units.watts(site.metered_w)}, read {units.age(glance.meter_age(site, now_s))} ago"
        if site.metered_w is not None
        else "never read"
    )
    rows = {
        "site": f"{site.site}, decided {units.age(glance.tick_age(site, now_s))} ago",
        "signal": f"{units.watts(site.envelope_w)} from {glance.plain(site.envelope_source)}: "
        f"{glance.plain(site.because)}",
        "next": glance.next_change(site, now_s) or "no change announced",
        "asked": f"{units.watts(site.asked_w)} of {units.watts(site.capacity_w)} capacity",
        "metered": meter,
        "rigs": f"{units.watts(site.budget_w)} budget, {units.watts(site.committed_w)} committed",
        "": f"{glance.count(site.rigs, 'rig')}: {glance.states(site) or 'none heard yet'}",
        "hashing": f"{units.hashrate(site.hash_ghs)}, {glance.efficiency(site)} at the meter",
    }
    return [f"{name:<10}{text}" for name, text in rows.items()]
