"""surplus drill: a step down, a hold and the way back, and the report of it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import StateDir, seconds
from supervisor.commands.signal import watts
from supervisor.sections.kinds import W_PER_MW

if TYPE_CHECKING:
    from supervisor.client import Client
    from supervisor.drill import Plan
    from supervisor.view import SiteView

RESTORE_S = 1800.0
LOOK_S = 1.0


def register(app: typer.Typer) -> None:
    app.command()(drill)


def drill(
    step: Annotated[
        int, typer.Option("--step", parser=watts, metavar="POWER", help="how far down, as 20MW")
    ],
    hold_s: Annotated[
        float, typer.Option("--hold", parser=seconds, metavar="TIME", help="as 5m")
    ] = 300.0,
    baseline_s: Annotated[
        float, typer.Option("--baseline", parser=seconds, metavar="TIME", help="at rest before")
    ] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    out: Annotated[Path | None, typer.Option(help="the report: .html .pdf .csv .json")] = None,
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """Run a qualification and report on it.  Exit code 1 when it is unsafe or a rule was broken."""
    from supervisor.drill import plan

    begun_s = time.time()
    with commands.asking(state) as supervisor:
        wanted = plan(supervisor.site(), step, baseline_s, hold_s)
        _safe(supervisor.site(), wanted)
        _say(wanted)
        if not yes and not typer.confirm("Begin?", err=True):
            raise typer.Exit(commands.WRONG)
        try:
            _run(supervisor, wanted)
        finally:
            _take_back(supervisor)
        _until_restored(supervisor, wanted)
    from supervisor.commands.report import made

    made(state, int(begun_s), int(time.time()), out)


def _safe(site: "SiteView", wanted: "Plan") -> None:
    from supervisor.drill import unsafe

    if reasons := unsafe(site, time.time(), wanted):
        for reason in reasons:
            commands.remark(f"surplus: no drill: {reason}")
        raise typer.Exit(commands.WRONG)


def _say(wanted: "Plan") -> None:
    from supervisor import units

    commands.remark(
        f"{units.age(wanted.baseline_s)} at rest, down from {units.watts(wanted.from_w)} to"
        f" {units.watts(wanted.to_w)}, held for {units.age(wanted.hold_s)}, and back"
    )


def _run(supervisor: "Client", wanted: "Plan") -> None:
    """The time at rest, the step, and the hold."""
    from supervisor.drill import broken_off, restless
    from supervisor.view import SignalOrder

    time.sleep(wanted.baseline_s)
    site = supervisor.site()
    beats = round(wanted.baseline_s)
    if why := restless(site.metered_history_w[-beats:], site.capacity_w):
        _break_off(why)
    _safe(site, wanted)
    order = SignalOrder(mw=wanted.to_w / W_PER_MW, for_s=wanted.hold_s + 60.0, by="drill")
    supervisor.order_signal(order)
    commands.remark("down")
    until_s = time.monotonic() + wanted.hold_s
    while time.monotonic() < until_s:
        time.sleep(LOOK_S)
        if why := broken_off(supervisor.site(), time.time(), wanted):
            _break_off(why)


def _break_off(why: str) -> None:
    commands.remark(f"surplus: the drill is broken off: {why}")
    raise typer.Exit(commands.WRONG)


def _take_back(supervisor: "Client") -> None:
    from supervisor.client import ClientError

    try:
        supervisor.withdraw_signal("operator")
        commands.remark("taken back")
    except ClientError:
        pass  # it was never said, or ends by itself


def _until_restored(supervisor: "Client", wanted: "Plan") -> None:
    from supervisor.drill import restored

    until_s = time.monotonic() + RESTORE_S
    while not restored(supervisor.site(), wanted):
        if time.monotonic() > until_s:
            commands.remark("surplus: not restored after half an hour; the report follows")
            return
        time.sleep(LOOK_S)
    commands.remark("restored")
