"""surplus top: the dashboard.  One moment a second goes to every part of the screen."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import DataTable, Footer, Input, Static

from supervisor.live import ORDERS, TEXT_MAX, Wish
from supervisor.tui.events import Events
from supervisor.tui.feed import Feed, LiveFeed, Lost
from supervisor.tui.moment import NOTHING, headline
from supervisor.tui.rigs import RigTable, detail, title
from supervisor.tui.site import Facts, Plot

REDRAW_S = 1.0  # ages grow also when nothing is heard


def run_top(state_dir: str | os.PathLike[str]) -> None:
    """The dashboard of the site in state_dir, until the person quits."""
    TopApp(LiveFeed(Path(state_dir))).run()


class TopApp(App[None]):
    """feed: where frames come from.  clock: Unix seconds, as the supervisor's."""

    CSS_PATH = "style.tcss"
    TITLE = "surplus"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        # with priority, the letters that follow are the filter's even on a slow line
        Binding("slash", "filter", "Filter", priority=True),
        Binding("s", "sort", "Sort"),
        Binding("escape", "all", "All rigs", show=False),
    ]

    def __init__(self, feed: Feed, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._feed, self._clock = feed, clock
        self._moment, self._wish = NOTHING, Wish()

    def compose(self) -> ComposeResult:
        yield Static(id="headline", markup=False)
        yield Container(Facts(), Plot(), id="site")
        yield Static(id="title", markup=False)
        yield Input(id="filter", placeholder="words to look for", max_length=TEXT_MAX)
        yield RigTable()
        yield Static(id="detail", markup=False)
        yield Events()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(RigTable).focus()
        self.set_interval(REDRAW_S, self.show)
        self.show()
        self.follow()

    @work(exclusive=True)
    async def follow(self) -> None:
        async for item in self._feed:
            if isinstance(item, Lost):
                self._moment = self._moment._replace(lost=item.because)
            else:
                self._moment = self._moment._replace(frame=item, lost="")
            self.show()

    def show(self) -> None:
        """Every part of the screen anew, from the moment that is now."""
        moment = self._moment = self._moment._replace(now_s=self._clock())
        text, bad = headline(moment)
        top = self.query_one("#headline", Static)
        top.update(Text(text, no_wrap=True, overflow="ellipsis"))
        top.set_class(bad, "bad")
        self.query_one(Facts).moment = moment
        self.query_one(Plot).moment = moment
        self.query_one(Events).moment = moment
        table = self.query_one(RigTable)
        table.show(moment, self._wish)
        self.query_one("#title", Static).update(title(moment, self._wish, len(table.rigs)))
        self.show_detail()

    def show_detail(self) -> None:
        self.query_one("#detail", Static).update(detail(self.query_one(RigTable).chosen))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        self.show_detail()

    # ---- keys

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        self.screen.set_focus(field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter itself a slash is a letter."""
        return not (action == "filter" and isinstance(self.focused, Input))

    def action_all(self) -> None:
        field = self.query_one("#filter", Input)
        field.value = ""
        self.on_input_submitted()

    async def action_sort(self) -> None:
        names = list(ORDERS)
        following = names[(names.index(self._wish.order) + 1) % len(names)]
        await self._ask(Wish(order=following, text=self._wish.text))

    async def on_input_changed(self, event: Input.Changed) -> None:
        await self._ask(Wish(order=self._wish.order, text=event.value))

    def on_input_submitted(self) -> None:
        self.query_one("#filter", Input).display = False
        self.screen.set_focus(self.query_one(RigTable))

    async def _ask(self, wish: Wish) -> None:
        self._wish = wish
        self.show()
        await self._feed.ask(wish)
