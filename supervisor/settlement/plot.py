"""What was asked against what was drawn, as one drawing that goes on a page and into a PDF."""

from datetime import UTC, datetime

import numpy as np
from reportlab.graphics.shapes import Drawing, Line, PolyLine, String
from reportlab.lib.colors import Color, HexColor

from supervisor.settlement.report import Report

WIDTH, HEIGHT, LEFT, BELOW = 720, 240, 48, 24
ASKED, METERED, GRID = HexColor("#0072b2"), HexColor("#d55e00"), HexColor("#bbbbbb")
TICKS = 4


def drawing(report: Report) -> Drawing:
    """Watts over time.  A second with nothing on record leaves a gap in its line."""
    picture = Drawing(WIDTH, HEIGHT)
    values = [*report.seconds.asked_w, *report.seconds.metered_w]
    top_w = max([1, *(w for w in values if w is not None)])
    _frame(picture, report, top_w)
    _line(picture, report.seconds.asked_w, top_w, ASKED, dashed=True)
    _line(picture, report.seconds.metered_w, top_w, METERED)
    for at, text, colour in ((0, "asked (dashed)", ASKED), (100, "metered", METERED)):
        picture.add(String(LEFT + at, HEIGHT - 9, text, fontSize=9, fillColor=colour))
    return picture


def _frame(picture: Drawing, report: Report, top_w: int) -> None:
    for tick in range(TICKS + 1):
        y = _y(top_w * tick / TICKS, top_w)
        picture.add(Line(LEFT, y, WIDTH, y, strokeColor=GRID, strokeWidth=0.5))
        text = f"{top_w * tick / TICKS / 1e6:.3g} MW"
        picture.add(String(LEFT - 4, y - 3, text, fontSize=8, textAnchor="end"))
    for tick in range(TICKS + 1):
        x = LEFT + (WIDTH - LEFT) * tick / TICKS
        at_s = report.from_s + (report.to_s - report.from_s) * tick / TICKS
        text = datetime.fromtimestamp(at_s, UTC).strftime("%m-%d %H:%M:%SZ")
        anchor = "start" if not tick else "end" if tick == TICKS else "middle"
        picture.add(String(x, BELOW - 14, text, fontSize=8, textAnchor=anchor))


def _y(w: float, top_w: int) -> float:
    return BELOW + (HEIGHT - BELOW - 16) * w / top_w


def _line(
    picture: Drawing, values: list[int | None], top_w: int, colour: Color, dashed: bool = False
) -> None:
    for start, run in _runs(np.array([np.nan if w is None else w for w in values], dtype=float)):
        points: list[float] = []
        for second, w in _thinned(run):
            points += [LEFT + (WIDTH - LEFT) * (start + second) / len(values), _y(w, top_w)]
        if len(points) >= 4:
            dash = [4, 2] if dashed else None
            picture.add(PolyLine(points, strokeColor=colour, strokeWidth=1, strokeDashArray=dash))


def _runs(w: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The stretches without a gap, each with where it begins."""
    known = np.concatenate(([False], np.isfinite(w), [False]))
    edges = np.flatnonzero(np.diff(known.astype(int))).tolist()
    return [(low, w[low:high]) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def _thinned(run: np.ndarray) -> list[tuple[int, float]]:
    """At most two points a pixel, its lowest and its highest, in the order they came."""
    size = max(1, len(run) // WIDTH)
    points: list[tuple[int, float]] = []
    for low in range(0, len(run), size):
        part = run[low : low + size]
        places = sorted({int(part.argmin()), int(part.argmax())})
        points += [(low + place, float(part[place])) for place in places]
    return points
