"""Asked against metered over the last minutes, in characters that need no colour.

Bars are what the meter read, the line across them is what was asked; a bar that goes on
above the line is overshoot, ? is a second without a reading, an empty column a second
without a supervisor.  The scale starts at zero.
"""

from collections.abc import Sequence
from itertools import pairwise

from rich.text import Text

from supervisor.tui.moment import Moment
from supervisor.units import age, watts

BARS = " ▁▂▃▄▅▆▇█"
LINE, UNREAD = "━", "?"
LABEL = 9  # columns of the scale on the left
STYLES = {LINE: "bold yellow", UNREAD: "bold red"}
Series = Sequence[float | None]


def plot(asked: Series, metered: Series, top: float, width: int, height: int) -> list[str]:
    """height rows of width characters, a column for each pair, newest on the right."""
    columns = [
        _column(a, m, top, height) for a, m in zip(asked[-width:], metered[-width:], strict=True)
    ]
    columns = [" " * height] * (width - len(columns)) + columns
    return ["".join(column[height - 1 - row] for column in columns) for row in range(height)]


def squeeze(values: Series, per: int, newest_s: int) -> list[float | None]:
    """Means of `per` values each, of those known.

    newest_s counts the seconds: groups begin at its multiples, so that columns move left
    as time passes and do not change while they do.
    """
    first = (len(values) - newest_s % per - 1) % per  # seconds in the oldest group
    edges = sorted({0, *range(first, len(values), per), len(values)})
    return [_mean(values[start:end]) for start, end in pairwise(edges)]


def plot_text(moment: Moment, width: int, height: int) -> Text:
    """The plot with its scale and a last line that explains it."""
    if moment.frame is None or width <= LABEL or height < 2:
        return Text()
    site = moment.frame.site
    gap = [None] * (round(moment.age_s) if moment.stale else 0)
    asked: list[float | None] = [*site.asked_history_w, *gap]
    metered: list[float | None] = [*site.metered_history_w, *gap]
    length = min(len(asked), len(metered))
    per = max(1, -(-length // (width - LABEL)))
    asked, metered = (
        squeeze(values[-length:], per, int(site.at_s) + len(gap)) if length else []
        for values in (asked, metered)
    )
    top = max([site.capacity_w, 1, *(w for w in (*asked, *metered) if w is not None)])
    rows = plot(asked, metered, top, width - LABEL, height - 1)
    scale = [watts(top), *[""] * (height - 3), "0 W"]
    text = Text(no_wrap=True)
    for label, row in zip(scale[-len(rows) :], rows, strict=True):
        text.append(f"{label:>{LABEL - 1}} ", "dim")
        for letter in row:
            text.append(letter, STYLES.get(letter, "green"))
        text.append("\n")
    return text.append(f"{'':{LABEL}}{LINE} asked  █ metered  ? no reading   last {age(length)}")


def _column(asked: float | None, metered: float | None, top: float, height: int) -> str:
    """One second, from the bottom up."""
    eighths = 0 if metered is None else round(metered / top * height * 8)
    cells = [BARS[max(0, min(8, eighths - 8 * row))] for row in range(height)]
    if asked is not None:
        if metered is None:
            cells[0] = UNREAD
        cells[max(0, min(height, -int(-asked / top * height // 1)) - 1)] = LINE
    return "".join(cells)


def _mean(values: Series) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
