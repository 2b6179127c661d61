"""surplus alarms: what is wrong and what to do about it; acknowledged, or silenced for a time."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands, units
from supervisor.commands import AsJson, StateDir, seconds

if TYPE_CHECKING:
    from supervisor.view import AlarmView

By = Annotated[str, typer.Option("--by", metavar="NAME", help="who you are")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True, help="What is wrong, and what to do about it.")
    group.callback()(show)
    group.command("list")(list_)
    group.command("ack")(ack)
    group.command("silence")(silence)
    group.command("silences")(silences)
    app.add_typer(group, name="alarms")


def show(context: typer.Context, state: StateDir = commands.STATE_DEFAULT) -> None:
    if context.invoked_subcommand is None:
        list_(False, state, False)


def list_(
    brief: Annotated[bool, typer.Option("--brief", help="a line each")] = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What is wrong now, the worst first; exit code 1 when something is."""
    with commands.asking(state) as supervisor:
        found = supervisor.alarms()
    if as_json:
        commands.show_json(found)
    elif not found:
        commands.remark("nothing is wrong")
    for alarm in [] if as_json else found:
        typer.echo("\n".join(lines(alarm, time.time(), brief)))
    if any(not alarm.silenced for alarm in found):
        raise typer.Exit(commands.WRONG)


def lines(alarm: "AlarmView", now_s: float, brief: bool) -> list[str]:
    """An alarm for a person who has to see to it."""
    from supervisor.glance import plain

    many = f" ({alarm.count:,} rigs)" if alarm.count > 1 else ""
    seen = f", seen by {alarm.acked_by}" if alarm.acked_by else ""
    quiet = ", silenced" if alarm.silenced else ""
    since = f"for {units.age(now_s - alarm.since_s)}{seen}{quiet}"
    head = f"{alarm.severity:<9}{alarm.key}{many}: {alarm.text}  [{since}]"
    if brief:
        return [plain(head)]
    rest = {"means": alarm.means, "check": alarm.check, "bring": alarm.tool}
    if alarm.count > 1:
        rest["rigs"] = ", ".join(alarm.rigs) + (" ..." if alarm.count > len(alarm.rigs) else "")
    return [plain(head), *(f"         {name:<6}{plain(text)}" for name, text in rest.items())]


def ack(
    key: Annotated[str, typer.Argument(metavar="ALARM", help='as listed: "rig-fan c07-r2-14"')],
    by: By = "operator",
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """You have seen it and see to it: nobody is told of it again, unless it grows."""
    with commands.asking(state) as supervisor:
        supervisor.acknowledge(key, by)
    typer.echo(f"{key}: seen by {by}")


def silence(
    for_s: Annotated[float, typer.Option("--for", parser=seconds, metavar="TIME", help="as 2h")],
    rule: Annotated[str, typer.Option(help="a rule, any when left out")] = "",
    subject: Annotated[str, typer.Option(help="a rig, a place and all in it, a source")] = "",
    why: Annotated[str, typer.Option(help="for whoever asks later")] = "",
    by: By = "operator",
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """Nobody is told of these for TIME; they are still shown."""
    from supervisor.view import SilenceOrder

    order = SilenceOrder(for_s=for_s, rule=rule, subject=subject, by=by, why=why)
    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        supervisor.silence(order)
    typer.echo(f"{rule or 'everything'} of {subject or 'the site'}: silent for {units.age(for_s)}")


def silences(
    end: Annotated[str, typer.Option("--end", metavar="RULE/SUBJECT", help="end this one")] = "",
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What nobody is told of, and until when; --end RULE/SUBJECT, or one of them with its slash."""
    from supervisor.glance import plain
    from supervisor.view import SilenceOrder

    with commands.asking(state, refused=commands.BAD_CALL) as supervisor:
        if end:
            rule, _, subject = end.partition("/")
            supervisor.silence(SilenceOrder(for_s=0, rule=rule, subject=subject))
        found = supervisor.silences()
    if as_json:
        commands.show_json(found)
        return
    for wish in found:
        left = units.age(wish.until_s - time.time())
        typer.echo(plain(f"{wish.rule}/{wish.subject}  for {left} more, by {wish.by}  {wish.why}"))
    if not found:
        commands.remark("nothing is silenced")
