"""The rig table: the rows the supervisor chose, the sickest on top unless wished otherwise."""

from rich.text import Text
from textual.widgets import DataTable

from supervisor import units
from supervisor.glance import count, plain
from supervisor.live import Wish, select
from supervisor.tui.moment import Moment
from supervisor.view import RigView

# heading and width; the name is as wide as the longest, the why takes what it needs
COLUMNS = (
    ("RIG", None),
    ("STATE", 8),
    ("LVL", 4),
    ("ADMITTED", 9),
    ("DRAWN", 9),
    ("HASHING", 10),
    ("HOT", 7),
    ("FAN", 10),
    ("HEARD", 9),
    ("WHY", None),
)
LEFT = ("RIG", "STATE", "WHY")
STYLES = {"fault": "bold red", "down": "bold red", "silent": "bold yellow", "asleep": "dim"}
Cells = list[Text]


class RigTable(DataTable[Text]):
    """Rows are updated in place, and only the cells that changed; the cursor stays on its rig."""

    def __init__(self) -> None:
        super().__init__(id="rigs", cursor_type="row", cell_padding=0)
        self._shown: list[Cells] = []
        self.rigs: list[RigView] = []

    def on_mount(self) -> None:
        for heading, width in COLUMNS:
            justify = "left" if heading in LEFT else "right"
            label = f" {heading}" if heading == "WHY" else heading
            self.add_column(Text(label, justify=justify), key=heading, width=width)  # type: ignore[arg-type]

    @property
    def chosen(self) -> RigView | None:
        """The rig under the cursor."""
        return self.rigs[self.cursor_row] if self.cursor_row < len(self.rigs) else None

    def show(self, moment: Moment, wish: Wish) -> None:
        chosen = self.chosen if self.cursor_row else None  # at the top: stay at the top
        self.rigs = select(moment.frame.rigs if moment.frame else [], wish)
        self._fill([cells(rig, moment) for rig in self.rigs])
        if chosen is not None:
            row = next((i for i, rig in enumerate(self.rigs) if rig.rig == chosen.rig), None)
            if row is not None and row != self.cursor_row:
                self.move_cursor(row=row, animate=False)

    def _fill(self, rows: list[Cells]) -> None:
        for number, (old, new) in enumerate(zip(self._shown, rows, strict=False)):
            for column, (was, cell) in enumerate(zip(old, new, strict=True)):
                if cell != was or cell.style != was.style:
                    wide = COLUMNS[column][1] is None
                    self.update_cell_at((number, column), cell, update_width=wide)  # type: ignore[arg-type]
        for cells_ in rows[len(self._shown) :]:
            self.add_row(*cells_, key=str(self.row_count))
        for number in range(len(rows), len(self._shown)):
            self.remove_row(str(number))
        self._shown = rows


def cells(rig: RigView, moment: Moment) -> Cells:
    """One row; a rig that was not heard for long shows it, its numbers do not pretend."""
    style = STYLES.get(rig.state, "")
    right = (
        f"{rig.level}/{rig.cap_level}",
        units.watts(rig.admitted_w),
        units.watts(rig.power_w),
        units.hashrate(rig.hash_ghs),
        f"{rig.hot_dc / 10:.0f} °C",
        f"{rig.fan_rpm} rpm",
        units.age(rig.age_s + moment.age_s),
    )
    return [
        Text(f"{plain(rig.rig, 32)} ", style),
        Text(plain(rig.state, 8), style),
        *(Text(text, style, justify="right") for text in right),
        Text(f" {plain(rig.why)}", style),
    ]


def title(moment: Moment, wish: Wish, shown: int) -> str:
    """What the table shows of how many."""
    if moment.frame is None:
        return "no rigs to show yet"
    total = count(moment.frame.site.rigs, "rig")
    found = f", with {wish.text!r}" if wish.text else ""
    return f"{shown:,} of {total}, by {wish.order}{found}"


def detail(rig: RigView | None) -> str:
    """The rig under the cursor in words."""
    if rig is None:
        return ""
    return f"{plain(rig.rig, 32)}  {plain(rig.model)}  {plain(rig.why) or 'nothing to say'}"
