"""surplus report: what was asked, what the meter did, a verdict for every rule; signed."""

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir

if TYPE_CHECKING:
    from supervisor.ledger import Ledger
    from supervisor.settlement.report import Report
    from supervisor.settlement.seal import Sealed

Moment = Annotated[
    str, typer.Option(metavar="TIME", help="such as 2026-12-01T14:00Z; 1h is an hour ago; now")
]
Out = Annotated[
    Path | None,
    typer.Option(help="into a file, its kind by its name: .html .pdf .csv .json"),
]
KINDS = (".html", ".pdf", ".csv", ".json")


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What was asked, what the meter did, and a verdict for every rule.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    group.callback()(report)
    group.command()(verify)
    group.command()(key)
    app.add_typer(group, name="report")


def report(
    context: typer.Context,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="first second")] = "1h",
    to: Moment = "now",
    html: Annotated[bool, typer.Option("--html", help="a page, on stdout")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="a PDF, on stdout")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="a line a second, on stdout")] = False,
    as_json: AsJson = False,
    out: Out = None,
    state: StateDir = commands.STATE_DEFAULT,
) -> None:
    """A report of a time, from the ledger.  Exit code 1 when a rule was broken."""
    if context.invoked_subcommand is not None:
        return
    kinds = [kind for kind, wanted in zip(KINDS, (html, pdf, csv, as_json), strict=True) if wanted]
    if out is not None:
        kinds.append(out.suffix.lower())
    if len(kinds) > 1 or (kinds and kinds[0] not in KINDS):
        commands.bad_call(
            "one kind of report at a time: --html, --pdf, --csv, --json or --out FILE"
        )
    made(state, _moment("--from", from_), _moment("--to", to), out, kinds[0] if kinds else "")


def made(state: Path, from_s: int, to_s: int, out: Path | None, kind: str = "") -> None:
    """A report written, its kind by the file's name when there is one; exit code 1 by its rules."""
    from supervisor.settlement.report import broken

    sealed = _sealed(state, from_s, to_s)
    _write(_rendered(sealed, kind or (out.suffix.lower() if out else "")), out)
    if broken(sealed.report):
        raise typer.Exit(commands.WRONG)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a report, .json or .html")],
    key: Annotated[str | None, typer.Option(help="the site's public key, see report key")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="the ledger it must rest on")
    ] = None,
) -> None:
    """Whether a report is as it was signed; with --state also whether the ledger says the same."""
    from supervisor.settlement import check

    try:
        found, signed_by = check.file(file, key)
    except (check.SealError, OSError) as error:
        commands.remark(f"surplus: {file}: {error}")
        raise typer.Exit(commands.WRONG) from None
    typer.echo(f"{file}: whole, signed by {signed_by}")
    if key is None:
        commands.remark("surplus: whose key that is, only --key KEY tells")
    if state is not None:
        _compare(found, state)


def key(state: StateDir = commands.STATE_DEFAULT) -> None:
    """The public key that this site's reports are checked with."""
    from supervisor.settlement import seal

    typer.echo(seal.public_hex(seal.signing_key(state)))


def _compare(found: "Report", state: Path) -> None:
    from supervisor.settlement.record import read
    from supervisor.settlement.report import report_of

    with _ledger(state) as ledger:
        again = report_of(found.site, read(ledger, found.from_s, found.to_s))
    if again != found:
        commands.remark(f"surplus: {state}: the ledger does not say what this report says")
        raise typer.Exit(commands.WRONG)
    typer.echo(f"{state}: the ledger says the same, {found.basis.lines} lines")


def _sealed(state: Path, from_s: int, to_s: int) -> "Sealed":
    from supervisor.keys import SecretError
    from supervisor.settlement import record, seal
    from supervisor.settlement.report import report_of

    with _ledger(state) as ledger:
        try:
            made = report_of(record.site_name(ledger), record.read(ledger, from_s, to_s))
            return seal.seal(made, seal.signing_key(state))
        except record.RecordError as error:
            commands.bad_call(str(error))
        except SecretError as error:
            commands.remark(f"surplus: {error}")
            raise typer.Exit(commands.WRONG) from None


def _ledger(state: Path) -> "contextlib.closing[Ledger]":
    from supervisor.ledger import Ledger, LedgerError

    path = state / "ledger.db"
    if not path.exists():
        commands.bad_call(f"{path}: no ledger there; --state DIR names the site's state")
    try:
        return contextlib.closing(Ledger(path, readonly=True))
    except LedgerError as error:
        commands.remark(f"surplus: {error}")
        raise typer.Exit(commands.WRONG) from None


def _moment(option: str, text: str) -> int:
    from supervisor.units import UnitError, parse_moment

    try:
        return int(parse_moment(text, time.time()))
    except UnitError as error:
        commands.bad_call(f"{option}: {error}")


def _rendered(sealed: "Sealed", kind: str) -> bytes:
    from supervisor.settlement import page, pdf, sheet, words
    from supervisor.settlement.seal import encoded

    if kind == ".html":
        return page.page(sealed).encode()
    if kind == ".pdf":
        return pdf.pdf(sealed)
    if kind == ".csv":
        return sheet.sheet(sealed.report).encode()
    return encoded(sealed) if kind == ".json" else words.plain(sealed.report).encode()


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
    else:
        out.write_bytes(data)
        commands.remark(f"surplus: written to {out}")
