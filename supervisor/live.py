"""What goes over the live socket: frames one way, wishes the other.

The rig table is chosen where the rigs are, so that a site of 28,571 sends only the rows a
person can look at.  Screens apply the same choice to what they hold, and so answer at once.
"""

from collections.abc import Callable, Iterable

import msgspec

from supervisor.view import EventView, RigView, SiteView

ROWS = 200  # rows sent unless a screen wishes otherwise
ROWS_MAX = 2000
EVENTS = 50
TEXT_MAX = 64  # characters of a filter


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which rigs a screen wants to see."""

    limit: int = ROWS
    order: str = "sickness"
    text: str = ""  # see `matches`


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """All of a screen, once a second."""

    site: SiteView
    rigs: list[RigView]
    events: list[EventView]  # newest first


# by the name of an order: what comes first
ORDERS: dict[str, Callable[[RigView], tuple[float, str]]] = {
    "sickness": lambda rig: (-rig.sickness, rig.rig),
    "rig": lambda rig: (0, rig.rig),
    "power": lambda rig: (-rig.power_w, rig.rig),
    "hot": lambda rig: (-rig.hot_dc, rig.rig),
    "age": lambda rig: (-rig.age_s, rig.rig),
}


def wish_error(wish: Wish) -> str:
    """Why this cannot be wished; "" when it can."""
    if wish.order not in ORDERS:
        return f"order {wish.order!r} is unknown, there are: {', '.join(ORDERS)}"
    if not 1 <= wish.limit <= ROWS_MAX:
        return f"limit is 1 to {ROWS_MAX}, not {wish.limit}"
    if len(wish.text) > TEXT_MAX:
        return f"text has at most {TEXT_MAX} characters"
    return ""


def matches(rig: RigView, text: str) -> bool:
    """Whether every word of the filter is somewhere in the rig's name, model, state or why."""
    about = f"{rig.rig} {rig.model} {rig.state} {rig.why}".lower()
    return all(word in about for word in text.lower().split())


def select(rigs: Iterable[RigView], wish: Wish) -> list[RigView]:
    """The rows to show, first things first."""
    found = [rig for rig in rigs if matches(rig, wish.text)]
    return sorted(found, key=ORDERS[wish.order])[: wish.limit]
