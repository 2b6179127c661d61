"""surplus rig show, sleep, limit, maintenance, wake, held: rigs, and what holds them."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands, units
from supervisor.commands import AsJson, StateDir, seconds

if TYPE_CHECKING:
    from supervisor.view import HoldsResult, RigDetail

Rigs = Annotated[list[str], typer.Argument(metavar="RIG...", help="names, see surplus rigs")]
For = Annotated[float, typer.Option("--for", parser=seconds, metavar="TIME", help="as 30m or 2d")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="whose word it is")]
Why = Annotated[str, typer.Option("--why", help="for whoever asks later")]
Try = Annotated[bool, typer.Option("--preview", help="say what it would do, and do nothing")]
HELP = "One rig in full; rigs held back until a time, and let go."


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=HELP)
    for command in (show, sleep, limit, maintenance, wake, held):
        group.command(command.__name__)(command)
    app.add_typer(group, name="rig")


def show(
    rig: Annotated[str, typer.Argument(metavar="RIG", help="a rig's name")],
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """All that is known of one rig."""
    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        found = supervisor.rig(rig)
    if as_json:
        commands.show_json(found)
    else:
        typer.echo("\n".join(lines(found)))


def lines(detail: "RigDetail") -> list[str]:
    from supervisor.glance import plain

    rig = detail.rig
    rows = {
        "rig": f"{rig.rig}, {rig.model}" + (f", in {rig.place}" if rig.place else ""),
        "state": f"{rig.state}, heard {units.age(rig.age_s)} ago {rig.why}".rstrip(),
        "level": f"{rig.level} of {len(detail.points)}, holds itself at {rig.cap_level} at most",
        "power": f"{units.watts(rig.power_w)} of {units.watts(rig.admitted_w)} admitted",
        "hashing": units.hashrate(rig.hash_ghs),
        "hottest": f"{rig.hot_dc / 10:.1f} °C, fan {rig.fan_rpm} rpm",
        "held": rig.held or "by nobody",
        "points": ", ".join(f"{units.watts(w)} {units.hashrate(g)}" for w, g in detail.points),
        "ladder": ", ".join(f"{s.level} to {units.watts(s.end_w)}" for s in detail.ladder)
        or ("no steps" if detail.counted else "none"),
    }
    shown = [f"{name:<10}{plain(text)}" for name, text in rows.items()]
    return [*shown, *(f"{'event':<10}{plain(event.text)}" for event in detail.events[:5])]


def sleep(
    rigs: Rigs,
    for_s: For,
    why: Why = "",
    by: By = "operator",
    preview: Try = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Rigs sleep for TIME, whatever the budget."""
    _hold(state, preview, as_json, rigs=rigs, for_s=for_s, level=0, by=by, why=why)


def limit(
    rigs: Rigs,
    watts: Annotated[int | None, typer.Option(help="each draws no more than this")] = None,
    level: Annotated[int | None, typer.Option(min=0, help="or runs no higher than this")] = None,
    for_s: For = 3600.0,
    why: Why = "",
    by: By = "operator",
    preview: Try = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Rigs run no higher for TIME, an hour when not said."""
    more = {"watts": watts, "level": level}
    _hold(state, preview, as_json, rigs=rigs, for_s=for_s, by=by, why=why, **more)


def maintenance(
    rigs: Rigs,
    for_s: For,
    why: Why = "",
    by: By = "operator",
    preview: Try = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Rigs sleep for TIME, and the site does without them."""
    _hold(state, preview, as_json, rigs=rigs, for_s=for_s, maintenance=True, by=by, why=why)


def wake(
    rigs: Rigs,
    by: By = "operator",
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Rigs are let go: they run again as the budget allows."""
    from supervisor.view import ReleaseOrder

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        _show(supervisor.release(ReleaseOrder(rigs=rigs, by=by)), "released", as_json)


def held(state: StateDir = commands.STATE_DEFAULT, as_json: AsJson = False) -> None:
    """Rigs that people hold back, until when, and why."""
    from supervisor.glance import plain

    with commands.asking(state) as supervisor:
        found = supervisor.holds()
    if as_json:
        commands.show_json(found)
        return
    for hold in found:
        what = "maintenance" if hold.maintenance else f"level {hold.level} at most"
        left = units.age(hold.until_s - time.time())
        typer.echo(plain(f"{hold.rig:<16} {what}, {left} more, by {hold.by}  {hold.why}"))
    if not found:
        commands.remark("nobody holds any rig")


def _hold(state: "StateDir", preview: bool, as_json: bool, **order: object) -> None:
    from supervisor.glance import effect
    from supervisor.view import HoldOrder

    wish: HoldOrder = HoldOrder(**order)  # type: ignore[arg-type]
    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        if preview:
            found = supervisor.preview_hold(wish)
            if as_json:
                commands.show_json(found)
            else:
                typer.echo("\n".join(effect(found)))
            return
        _show(supervisor.hold(wish), "held", as_json)


def _show(result: "HoldsResult", good: str, as_json: bool) -> None:
    """Exit code 1 when one of them was not."""
    if as_json:
        commands.show_json(result)
    else:
        typer.echo("\n".join(f"{rig:<16} {what}" for rig, what in result.rigs.items()))
    if any(what != good for what in result.rigs.values()):
        raise typer.Exit(commands.WRONG)
