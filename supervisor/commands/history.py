"""surplus history: what a rig or the site did, as CSV; from the files, no supervisor needed."""

import csv
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

Moment = Annotated[str, typer.Option(metavar="TIME", help="as 2026-12-01T14:00Z; 2h is ago; now")]


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    rig: Annotated[str | None, typer.Argument(metavar="RIG", help="left out: the site")] = None,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="first second")] = "1h",
    to: Moment = "now",
    rolled: Annotated[
        bool, typer.Option("--rolled", help="of a rig: a row for 10 minutes")
    ] = False,
    state: StateDir = commands.STATE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Telemetry of a time: a rig every 10 s, the site every second.  The last minutes may not be
    on the disk yet."""
    begin_s, end_s = _moment("--from", from_), _moment("--to", to)
    columns = _read(state, rig, begin_s, end_s, rolled)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if as_json:
        commands.show_json(rows)
        return
    if not rows:
        commands.remark(f"surplus: nothing is kept of that time in {state / 'history'}")
        raise typer.Exit(commands.WRONG)
    out = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    out.writeheader()
    out.writerows({**row, "at_s": _iso(row["at_s"])} for row in rows)


def _read(
    state: Path, rig: str | None, begin_s: float, end_s: float, rolled: bool
) -> dict[str, list[Any]]:
    from supervisor.fleet import STATES
    from supervisor.history_files import Files

    kind = "site" if rig is None else "rolled" if rolled else "rigs"
    found = Files(state / "history", {}).read(kind, begin_s, end_s, rig)
    columns = {name: [_plain(value) for value in column.tolist()] for name, column in found.items()}
    if "state" in columns:
        columns["state"] = [STATES[number] for number in columns["state"]]
    return columns


def _plain(value: Any) -> Any:
    """What was not known is nothing."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(option: str, text: str) -> float:
    from supervisor import units

    try:
        return units.parse_moment(text, time.time())
    except units.UnitError as error:
        commands.bad_call(f"{option}: {error}")
