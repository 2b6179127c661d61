"""Runs of stories as JUnit XML, for whatever shows test results."""

from collections.abc import Iterable
from xml.etree import ElementTree

from hil.story_play import BROKEN, EXPECTED, Run
from hil.story_trace import timeline


def junit(runs: Iterable[Run]) -> str:
    """One test case per run; an expected failure is a skipped one, with its reason."""
    runs = list(runs)
    suite = ElementTree.Element(
        "testsuite",
        name="surplus hil stories",
        tests=str(len(runs)),
        failures=str(sum(not run.right and run.verdict != BROKEN for run in runs)),
        errors=str(sum(run.verdict == BROKEN for run in runs)),
        skipped=str(sum(run.verdict == EXPECTED for run in runs)),
        time=f"{sum(run.wall_s for run in runs):.3f}",
    )
    for run in runs:
        suite.append(_case(run))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(run: Run) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=f"stories.{run.story.on}",
        name=f"{run.name}[seed {run.seed}]",
        time=f"{run.wall_s:.3f}",
    )
    if run.verdict == EXPECTED:
        ElementTree.SubElement(case, "skipped", message=run.story.expected_failure)
    elif not run.right:
        kind = "error" if run.verdict == BROKEN else "failure"
        told = ElementTree.SubElement(case, kind, message=run.because or run.verdict)
        told.text = _clean(f"{timeline(run)}\n\n{run.log}")
    return case


def _clean(text: str) -> str:
    """Without what XML cannot carry."""
    return "".join(
        c for c in text if c in "\n\t" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd"
    )
