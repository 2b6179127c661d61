"""The adapters there are; each is off until its section of the settings is there."""

from collections.abc import Callable, Coroutine
from typing import Protocol

from supervisor.config import Config
from supervisor.grid import calendar, csip, dnp3, iec104, openadr2, openadr3, sunspec
from supervisor.grid.told import Board
from supervisor.inbox import Inbox


class Adapter(Protocol):
    def run(self) -> Coroutine[None, None, None]:
        """Until it is cancelled.  What goes wrong on the wire is its own to survive."""


Maker = Callable[[Config, Inbox, Board], Adapter | None]
MAKERS: tuple[Maker, ...] = (
    sunspec.adapter_of,
    openadr3.adapter_of,
    openadr2.adapter_of,
    iec104.adapter_of,
    dnp3.adapter_of,
    csip.adapter_of,
    calendar.adapter_of,
)


def adapters_of(config: Config, inbox: Inbox, board: Board) -> list[Adapter]:
    """Every adapter that the settings name."""
    made = [maker(config, inbox, board) for maker in MAKERS]
    return [adapter for adapter in made if adapter is not None]
