"""The lower part of the screen: what happened last, the newest on top."""

import time

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from supervisor.glance import plain
from supervisor.tui.moment import NOTHING, Moment
from supervisor.view import EventView


class Events(Widget):
    moment: reactive[Moment] = reactive(NOTHING)

    def render(self) -> Text:
        events = self.moment.frame.events if self.moment.frame else []
        lines = [line(event) for event in events[: self.size.height]]
        return Text("\n".join(lines) or "nothing has happened yet", no_wrap=True)


def line(event: EventView) -> str:
    """One event, at the local time of the site."""
    at = time.strftime("%H:%M:%S", time.localtime(event.at_s))
    return f"{at}  {plain(event.kind, 8):<8}  {plain(event.who, 16):<16}  {plain(event.text)}"
