"""surplus signal set, clear, list: a person's own limit for the site, and everybody's."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands, units
from supervisor.commands import AsJson, StateDir, seconds
from supervisor.sections.kinds import W_PER_MW

if TYPE_CHECKING:
    from supervisor.view import SignalView

SOURCE = "operator"  # all people together: the newest word of theirs holds
By = Annotated[str, typer.Option("--by", metavar="NAME", help="whose word it is")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="What is said to the site, and saying it.")
    group.command("set")(set_)
    group.command("preview")(preview)
    group.command("clear")(clear)
    group.command("list")(list_)
    group.command("excuse")(excuse)
    app.add_typer(group, name="signal")


def watts(text: str) -> int:
    try:
        return units.parse_watts(text)
    except units.UnitError as error:
        raise typer.BadParameter(str(error)) from None


def set_(
    power: Annotated[int, typer.Argument(parser=watts, metavar="POWER", help="as 3.2MW or 900kW")],
    for_s: Annotated[float, typer.Option("--for", parser=seconds, metavar="TIME", help="as 15m")],
    by: By = SOURCE,
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """Limit the site to POWER for TIME; the lowest of all signals is what holds."""
    from supervisor.view import SignalOrder

    with commands.asking(state) as supervisor:
        supervisor.order_signal(SignalOrder(mw=power / W_PER_MW, for_s=for_s, by=by))
    typer.echo(f"{units.watts(power)} for {units.age(for_s)}, by {by}")


def preview(
    power: Annotated[int, typer.Argument(parser=watts, metavar="POWER", help="as 3.2MW or 900kW")],
    for_s: Annotated[
        float, typer.Option("--for", parser=seconds, metavar="TIME", help="as 15m")
    ] = 3600.0,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What limiting the site to POWER for TIME would do, without doing it."""
    from supervisor.glance import effect

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        found = supervisor.preview_signal(power / W_PER_MW, for_s)
    if as_json:
        commands.show_json(found)
        return
    typer.echo("\n".join(effect(found)))
    if not found.holds:
        commands.remark(f"somebody else holds it at {units.watts(found.envelope_w)} already")


def clear(state: StateDir = commands.STATE_DEFAULT) -> None:
    """Take back what a person has set; everybody else's word stays."""
    with commands.asking(state) as supervisor:
        supervisor.withdraw_signal(SOURCE)
    typer.echo("nobody's hand limits the site any more")


def excuse(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="who is gone, see signal list")],
    for_s: Annotated[float, typer.Option("--for", parser=seconds, metavar="TIME", help="as 1h")],
    by: By = SOURCE,
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """Let the default of a source that has gone silent not count for TIME.

    Its word counts again as soon as it is heard; an emergency always does.
    """
    from supervisor.view import ExcuseOrder

    with commands.asking(state) as supervisor:
        supervisor.excuse_signal(ExcuseOrder(source=source, for_s=for_s, by=by))
    typer.echo(f"the default of {source} does not count for {units.age(for_s)}, by {by}")


def list_(state: StateDir = commands.STATE_DEFAULT, as_json: AsJson = False) -> None:
    """Everybody who says something, the lowest limit first."""
    with commands.asking(state) as supervisor:
        site = supervisor.site()
    if as_json:
        commands.show_json(site.signals)
        return
    if not site.signals:
        commands.remark("nobody says anything: the site's own default holds")
    for signal in sorted(site.signals, key=limit_first):
        typer.echo(line(signal, time.time() - site.at_s, time.time()))


def limit_first(signal: "SignalView") -> tuple[float, str]:
    limit_w = float("inf") if signal.limit_w is None else float(signal.limit_w)
    return limit_w, signal.source


def line(signal: "SignalView", since_s: float, now_s: float) -> str:
    """since_s: seconds since the view was made."""
    from supervisor.glance import plain

    limit = "no limit" if signal.limit_w is None else units.watts(signal.limit_w)
    if signal.over:
        end = "over"
    elif signal.until_s is None:
        end = "until withdrawn"
    else:
        end = f"for {units.age(signal.until_s - now_s)} more"
    heard = f"heard {units.age(signal.age_s + max(0.0, since_s))} ago"
    return f"{plain(signal.source):<14}{limit:>9}  {end}, {heard}  {plain(signal.because)}".rstrip()
