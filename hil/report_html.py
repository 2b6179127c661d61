"""Runs of stories as one HTML page that needs nothing else: verdicts, plots, timelines."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from hil.report_plot import plots
from hil.story_play import BROKEN, DID, EXPECTED, FAILED, PASSED, UNEXPECTED, Run

STYLE = (Path(__file__).parent / "report.css").read_text()
SIGNS = {PASSED: "✓", EXPECTED: "~", FAILED: "✗", UNEXPECTED: "✗", BROKEN: "✗"}
KINDS = {"did": "▶", "saw": "·", "met": "✓", "missed": "✗"}


def page(runs: Iterable[Run]) -> str:
    """The whole page; what is not right comes first and is open."""
    runs = sorted(runs, key=lambda run: (run.right, run.verdict == PASSED, run.name, run.seed))
    body = "".join(_run(run) for run in runs)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(_headline(runs))}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(_headline(runs))}</h1>{_summary(runs)}{body}</body></html>\n"
    )


def _headline(runs: list[Run]) -> str:
    wrong = sum(not run.right for run in runs)
    count = f"{len(runs)} {'story' if len(runs) == 1 else 'stories'}"
    return f"{count}: " + (f"{wrong} wrong" if wrong else "all as they should be")


def _summary(runs: list[Run]) -> str:
    counts = {verdict: sum(run.verdict == verdict for run in runs) for verdict in SIGNS}
    told = [
        f"<span class='badge {_class(v)}'>{SIGNS[v]} {n} {v}</span>" for v, n in counts.items() if n
    ]
    virtual_s, wall_s = sum(run.virtual_s for run in runs), sum(run.wall_s for run in runs)
    speed = f"{virtual_s:,.0f} s of story in {wall_s:,.1f} s".replace(",", " ")
    return f"<p>{' '.join(told)} <small>{speed}</small></p>"


def _run(run: Run) -> str:
    opened = "" if run.right else " open"
    number = f"<small>field fault {run.story.field}</small>" if run.story.field else ""
    return (
        f"<details id='{escape(run.name)}-{run.seed}'{opened}><summary>"
        f"<span class='badge {_class(run.verdict)}'>{SIGNS[run.verdict]} {run.verdict}</span> "
        f"<b>{escape(run.story.title)}</b> <small>{escape(run.name)}, seed {run.seed}, "
        f"{run.virtual_s:.0f} s</small> {number}</summary>"
        f"<p>{escape(run.story.about.strip())}</p>{_because(run)}{plots(run)}{_timeline(run)}"
        f"{_log(run)}</details>"
    )


def _because(run: Run) -> str:
    told = ""
    if run.story.expected_failure:
        told += f"<p class='note'><b>Expected to fail:</b> {escape(run.story.expected_failure)}</p>"
    if run.because:
        told += f"<p class='note'><b>Not met:</b> {escape(run.because)}</p>"
    return told


def _timeline(run: Run) -> str:
    number, rows = 0, ""
    for line in run.timeline:
        number += line.kind == DID
        mark = f"{KINDS[line.kind]} {number}" if line.kind == DID else KINDS[line.kind]
        rows += (
            f"<tr class='{line.kind}'><td>{line.at_s:.1f} s</td><td>{mark}</td>"
            f"<td>{escape(line.text)}</td></tr>"
        )
    return f"<div class='timeline'><table>{rows}</table></div>"


def _log(run: Run) -> str:
    if run.right or not run.log:
        return ""
    return f"<details><summary>console</summary><pre>{escape(run.log[-20_000:])}</pre></details>"


def _class(verdict: str) -> str:
    return {PASSED: "good", EXPECTED: "known"}.get(verdict, "bad")
