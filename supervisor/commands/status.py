"""surplus status: the site in a few lines, or JSON; exit code 1 when something is wrong."""

import time
from typing import TYPE_CHECKING

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.view import SiteView, StandbyView


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(state: StateDir = commands.STATE_DEFAULT, as_json: AsJson = False) -> None:
    """The site in a few lines; exit code 1 when something is wrong."""
    from supervisor import glance
    from supervisor.client import FollowingError

    now_s = time.time()
    with commands.asking(state) as supervisor:
        try:
            site = supervisor.site()
        except FollowingError:
            standby = supervisor.standby()
            _show(following(standby), glance.standby_wrongs(standby), standby, as_json, "standby")
        else:
            _show(lines(site, now_s), glance.wrongs(site, now_s), site, as_json, "site")


def _show(said: list[str], found: list[str], view: object, as_json: bool, name: str) -> None:
    if as_json:
        commands.show_json({"wrong": found, name: view})
    else:
        typer.echo("\n".join(said))
        for wrong in found:
            typer.echo(f"{'wrong':<10}{wrong}")
    if found:
        raise typer.Exit(commands.WRONG)


def following(standby: "StandbyView") -> list[str]:
    """What `status` prints of a supervisor that does not lead."""
    from supervisor import units

    rows = {
        "site": f"{standby.site}, supervisor {standby.rank} of 0 and 1",
        "standby": f"following term {standby.term}, last heard {units.age(standby.heard_s)} ago",
        "record": "all that the leader has" if standby.ready else "not all that the leader has",
    }
    return [f"{name:<10}{text}" for name, text in rows.items()]


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
