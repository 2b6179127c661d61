"""What goes over the live socket: frames one way, wishes the other.

The rig table is chosen where the rigs are, so that a site of 28,571 sends only the rows a
person can look at.  Screens apply the same choice to what they hold, and so answer at once.
"""

from collections.abc import Callable, Iterable

import msgspec

from supervisor import filters
from supervisor.view import EventView, RigView, SiteView

ROWS = 200  # rows sent unless a screen wishes otherwise
ROWS_MAX = 2000
OFFSET_MAX = 100_000
EVENTS = 50
TEXT_MAX = 64  # characters of a filter


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which rigs a screen wants to see."""

    limit: int = ROWS
    order: str = "sickness"
    text: str = ""  # see filters.py
    offset: int = 0  # rows passed over


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The rows wished for, and how many there are of their kind."""

    found: int
    rigs: list[RigView]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """All of a screen, once a second."""

    site: SiteView
    rigs: list[RigView]
    events: list[EventView]  # newest first
    found: int = 0  # rigs that match the wish, shown or not


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
    if not 0 <= wish.offset <= OFFSET_MAX:
        return f"offset is 0 to {OFFSET_MAX}, not {wish.offset}"
    if len(wish.text) > TEXT_MAX:
        return f"text has at most {TEXT_MAX} characters"
    return ""


def matches(rig: RigView, text: str) -> bool:
    """Whether every term of the filter holds for the rig."""
    return filters.holds(filters.parse(text), rig)


def page(rigs: Iterable[RigView], wish: Wish) -> Page:
    """The rows to show, first things first, out of all there are."""
    terms = filters.parse(wish.text)
    found = sorted((rig for rig in rigs if filters.holds(terms, rig)), key=ORDERS[wish.order])
    return Page(found=len(found), rigs=found[wish.offset : wish.offset + wish.limit])


def select(rigs: Iterable[RigView], wish: Wish) -> list[RigView]:
    """The rows of the page."""
    return page(rigs, wish).rigs
