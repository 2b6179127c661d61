"""Plots of a played story as inline SVG: lines over time, with a mark where something was done.

Only lines are SVG, stretched to the page's width; every word is HTML, so that it can be
read on a phone.  Series differ by dash and colour, and the colours are safe for the colour-blind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from hil.story_play import DID, MISSED, Run
from hil.story_tables import RIG_QUANTITIES
from hil.story_words import Value

POINTS = 360  # across a plot; each pair is the least and the most of its stretch
WIDE, HIGH = 1000, 100
STATES = RIG_QUANTITIES["state"].words


@dataclass(frozen=True)
class Panel:
    """names: (column, how it is called, what it is divided by)."""

    title: str
    unit: str
    names: tuple[tuple[str, str, float], ...]
    words: tuple[str, ...] = ()  # of a column of words: its values, lowest first


PANELS = {
    "rig": (
        Panel(
            "power",
            "W",
            (("wall_w", "wall", 1), ("board_w", "hash boards", 1), ("aim_w", "admitted", 1)),
        ),
        Panel(
            "temperature",
            "°C",
            (("chip_c", "chips", 1), ("outlet_c", "outlet", 1), ("inlet_c", "inlet", 1)),
        ),
        Panel("fans", "%", (("fan_pm", "duty", 10), ("fan_rpm", "slowest, of 5950 rpm", 59.5))),
        Panel("state", "", (("state", "as the rig says", 1),), STATES),
    ),
    "site": (
        Panel(
            "power",
            "kW",
            (
                ("drawn_kw", "drawn", 1),
                ("limit_kw", "limit", 1),
                ("asked_kw", "asked", 1),
                ("committed_kw", "committed", 1),
            ),
        ),
        Panel(
            "rigs",
            "",
            (
                ("awake", "awake", 1),
                ("waking", "waking", 1),
                ("faulty", "in fault", 1),
                ("joined", "joined", 1),
            ),
        ),
    ),
}


def plots(run: Run) -> str:
    """All panels of a run, one under the other, on one time axis."""
    if len(run.samples) < 2:
        return ""
    panels = "".join(_panel(run, panel) for panel in PANELS[run.story.on])
    end_s = run.samples[-1][0]
    axis = f"<div class='axis'><span>0 s</span><span>{_time(float(end_s))}</span></div>"
    return f"<div class='plots'>{_marks(run)}{panels}{axis}</div>"


def _panel(run: Run, panel: Panel) -> str:
    times = [float(row[0]) for row in run.samples]
    columns = [_column(run, panel, name, by) for name, _, by in panel.names]
    low, high = _range(columns, panel)
    lines = "".join(
        f"<path class='s{n}' d='{_path(times, column, low, high, bool(panel.words))}'/>"
        for n, column in enumerate(columns)
    )
    legend = " ".join(
        f"<span class='k k{n}'>{escape(called)}</span>"
        for n, (_, called, _) in enumerate(panel.names)
    )
    scale = panel.words[::-1] if panel.words else (_number(high), _number(low))
    labels = "".join(f"<span>{escape(label)}</span>" for label in scale)
    unit = f", {panel.unit}" if panel.unit else ""
    return (
        f"<figure><figcaption><b>{panel.title}{unit}</b> {legend}</figcaption>"
        f"<div class='plot{' words' if panel.words else ''}'><div class='scale'>{labels}</div>"
        f"<svg viewBox='0 0 {WIDE} {HIGH}' preserveAspectRatio='none' role='img' "
        f"aria-label='{panel.title} over time'>{_rules(run, times[-1])}{lines}</svg></div></figure>"
    )


def _column(run: Run, panel: Panel, name: str, by: float) -> list[float]:
    at = run.columns.index(name) + 1
    return [_value(row[at], panel.words) / by for row in run.samples]


def _value(value: Value, words: Sequence[str]) -> float:
    if isinstance(value, str):
        return float(words.index(value)) if value in words else 0.0
    return float(value)


def _range(columns: list[list[float]], panel: Panel) -> tuple[float, float]:
    """Round numbers around all that is shown; from 0 where that is near."""
    if panel.words:
        return -0.5, len(panel.words) - 0.5
    low, high = min(map(min, columns)), max(map(max, columns))
    low = 0.0 if low >= 0 and low < 0.6 * high else low
    step = 10 ** max(0, len(str(int(max(1.0, high - low)))) - 2)
    step = step if (high - low) / step < 20 else 5 * step
    return low // step * step, (high // step + 1) * step


def _path(times: list[float], values: list[float], low: float, high: float, steps: bool) -> str:
    end_s = max(times[-1], 1e-9)
    points = [
        (t / end_s * WIDE, HIGH - (v - low) / (high - low) * HIGH)
        for t, v in _thinned(times, values)
    ]
    drawn = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for n in range(1, len(points)):
        x, y, before_y = *points[n], points[n - 1][1]
        if y != before_y:
            drawn += f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}"
        elif n + 1 == len(points) or points[n + 1][1] != y:
            drawn += f"H{x:.1f}"
    return drawn


def _thinned(times: list[float], values: list[float]) -> list[tuple[float, float]]:
    """The least and the most of each stretch, in their order."""
    size = max(1, len(times) // (POINTS // 2))
    found = []
    for at in range(0, len(times), size):
        stretch = range(at, min(at + size, len(times)))
        ends = {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__)}
        found += [(times[n], values[n]) for n in sorted(ends)]
    found.append((times[-1], values[-1]))
    return found


def done(run: Run) -> list[tuple[float, str]]:
    """(when, what) of every mark, in the order of their numbers."""
    return [(line.at_s, line.text) for line in run.timeline if line.kind == DID]


def _marks(run: Run) -> str:
    end_s = max(float(run.samples[-1][0]), 1e-9)
    spans, groups = "", list[tuple[float, list[int]]]()
    for number, (at_s, _) in enumerate(done(run), 1):
        near = groups and abs(at_s - groups[-1][0]) < end_s * 0.03
        if near:
            groups[-1][1].append(number)
        else:
            groups.append((at_s, [number]))
    for at_s, numbers in groups:
        text = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
        spans += f"<i style='left:{at_s / end_s * 100:.2f}%'>{text}</i>"
    return f"<div class='marks'><div>{spans}</div></div>"


def _rules(run: Run, end_s: float) -> str:
    """A line through the plot for every mark, and a thick one where the story failed."""
    end_s = max(end_s, 1e-9)
    found = [(at_s, "did") for at_s, _ in done(run)]
    found += [(line.at_s, "miss") for line in run.timeline if line.kind == MISSED]
    return "".join(
        f"<path class='{kind}' d='M{at_s / end_s * WIDE:.1f} 0V{HIGH}'/>" for at_s, kind in found
    )


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
