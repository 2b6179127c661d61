"""surplus report: what was asked, what the meter did, a verdict for every rule; signed."""

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor import commands
from supervisor.commands import AsJson, StateDir, seconds

if TYPE_CHECKING:
    from supervisor.ledger import Ledger
    from supervisor.settlement.report import Report
    from supervisor.settlement.seal import Sealed
    from supervisor.settlement.terms import Terms

Moment = Annotated[
    str, typer.Option(metavar="TIME", help="such as 2026-12-01T14:00Z; 1h is an hour ago; now")
]
Out = Annotated[
    Path | None,
    typer.Option(help="into a file, its kind by its name: .html .pdf .csv .json"),
]
# the terms of a report, see settlement/terms.py, where what holds without them stands
Baseline = Annotated[str | None, typer.Option(help="pre-event, 10-in-10 or reference")]
Window = Annotated[
    float | None, typer.Option(parser=seconds, metavar="TIME", help="of pre-event, as 15m")
]
Reference = Annotated[
    str | None, typer.Option(metavar="POWER|FILE", help="as 40MW, or CSV hour,mw with 24 rows")
]
Offset = Annotated[float | None, typer.Option(metavar="HOURS", help="clock of days and hours")]
BandPct = Annotated[float | None, typer.Option(help="a 5 min mean may be off so many per cent,")]
Band = Annotated[str | None, typer.Option(metavar="POWER", help="or so much where that is more")]
Within = Annotated[
    float | None, typer.Option(parser=seconds, metavar="TIME", help="95 % of a fall must be off")
]
Rule = Annotated[
    list[str] | None, typer.Option(help="tracking, overshoot, delivery; all when left out")
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
    baseline: Baseline = None,
    window: Window = None,
    reference: Reference = None,
    utc_offset: Offset = None,
    band_pct: BandPct = None,
    band: Band = None,
    within: Within = None,
    rule: Rule = None,
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
    wished = {
        "baseline": baseline,
        "window_s": None if window is None else round(window),
        "reference_w": None if reference is None else _reference(reference),
        "utc_offset_h": utc_offset,
        "band_pct": band_pct,
        "band_w": None if band is None else _power("--band", band),
        "within_s": None if within is None else round(within),
        "rules": None if rule is None else tuple(rule),
    }
    span = _moment("--from", from_), _moment("--to", to)
    made(state, *span, out, kinds[0] if kinds else "", _terms(wished))


def made(
    state: Path,
    from_s: int,
    to_s: int,
    out: Path | None,
    kind: str = "",
    terms: "Terms | None" = None,
) -> None:
    """A report written, its kind by the file's name when there is one; exit code 1 by its rules."""
    from supervisor.settlement.report import broken

    sealed = _sealed(state, from_s, to_s, terms)
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
    from supervisor.settlement.record import RecordError, read
    from supervisor.settlement.report import report_of
    from supervisor.settlement.terms import TermsError, checked

    with _ledger(state) as ledger:
        try:
            record = read(ledger, found.from_s, found.to_s, checked(found.terms))
            again = report_of(found.site, record, found.terms)
        except (RecordError, TermsError) as error:
            commands.remark(f"surplus: {state}: no such report can be made: {error}")
            raise typer.Exit(commands.WRONG) from None
    if again != found:
        commands.remark(f"surplus: {state}: the ledger does not say what this report says")
        raise typer.Exit(commands.WRONG)
    typer.echo(f"{state}: the ledger says the same, {found.basis.lines} lines")


def _sealed(state: Path, from_s: int, to_s: int, terms: "Terms | None") -> "Sealed":
    from supervisor.keys import SecretError
    from supervisor.settlement import record, seal
    from supervisor.settlement.report import report_of

    with _ledger(state) as ledger:
        try:
            found = record.read(ledger, from_s, to_s, terms)
            made = report_of(record.site_name(ledger), found, terms)
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


def _terms(values: dict[str, Any]) -> "Terms":
    """Those of the report for what nobody wished otherwise."""
    from supervisor.settlement.terms import Terms, TermsError, checked

    try:
        return checked(
            Terms(**{name: value for name, value in values.items() if value is not None})
        )
    except TermsError as error:
        commands.bad_call(str(error))


def _power(option: str, text: str) -> int:
    from supervisor.units import UnitError, parse_watts

    try:
        return parse_watts(text)
    except UnitError as error:
        commands.bad_call(f"{option}: {error}")


def _reference(text: str) -> tuple[int, ...]:
    """One power, or those of a file: a row for each hour of the day."""
    if not text:
        return ()
    if not Path(text).is_file():
        return (_power("--reference", text),)
    from supervisor.settlement.terms import TermsError, reference_of

    try:
        return reference_of(Path(text).read_text("utf-8"))
    except (TermsError, ValueError) as error:
        commands.bad_call(f"--reference {text}: {error}")


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
