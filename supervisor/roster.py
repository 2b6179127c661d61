"""Where each rig stands and how it ranks, from the site's own list: `rig,place,priority`.

place is a path as in feeder-2/container-7/rack-3, or empty; priority is protected, 1 (first)
to 9, or empty for 5.  A rig that is not on the list has no place and priority 5.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocols import topics
from supervisor.fleet import Fleet
from supervisor.policy import LEAST, PRIORITY, PROTECTED
from supervisor.tree import NOWHERE, Tree, grown

COLUMNS = ("rig", "place", "priority")
ROWS_MAX = 100_000


class RosterError(ValueError):
    """The list cannot be used; the text names the file, the line and what would be right."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One rig's line."""

    place: str = ""
    priority: int = PRIORITY


@dataclass(frozen=True, slots=True)
class Roster:
    """tree: what carries what; None where neither a place nor a limit is known."""

    stands: Mapping[str, Stand] = field(default_factory=dict)
    tree: Tree | None = None

    def place(self, rig: str) -> str:
        """ "" when nobody has said."""
        stand = self.stands.get(rig)
        return stand.place if stand else ""

    def seat(self, fleet: Fleet, first_row: int) -> None:
        """Write place and priority of the rigs from this row on into their columns."""
        nodes = {} if self.tree is None else {p: n for n, p in enumerate(self.tree.paths)}
        for row in range(first_row, len(fleet)):
            stand = self.stands.get(fleet.names[row])
            if stand is not None:
                fleet.priority[row] = stand.priority
                fleet.node[row] = nodes.get(stand.place, NOWHERE)


def roster(stands: Mapping[str, Stand], limits_w: Mapping[str, float]) -> Roster:
    if not limits_w:
        return Roster(stands)
    return Roster(stands, grown(limits_w, (stand.place for stand in stands.values())))


def read(path: Path) -> dict[str, Stand]:
    """The list in a file.  Raises RosterError and nothing else."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return _stands(path, file)
    except OSError as error:
        raise RosterError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RosterError(f"{path}: is not CSV: {error}") from None


def _stands(path: Path, file: Iterable[str]) -> dict[str, Stand]:
    rows = csv.reader(file)
    header = tuple(name.strip() for name in next(rows, []))
    if header != COLUMNS:
        raise RosterError(f"{path}: line 1: the header must be {','.join(COLUMNS)}")
    stands: dict[str, Stand] = {}
    for row in rows:
        if not any(row):
            continue
        where = f"{path}: line {rows.line_num}"
        if len(row) != len(COLUMNS):
            raise RosterError(f"{where}: {len(row)} values, must be {','.join(COLUMNS)}")
        rig, place, priority = (value.strip() for value in row)
        if wrong := topics.name_error(rig):
            raise RosterError(f"{where}: rig: {wrong}")
        if rig in stands:
            raise RosterError(f"{where}: {rig} is there twice")
        if len(stands) >= ROWS_MAX:
            raise RosterError(f"{where}: more than {ROWS_MAX} rigs")
        stands[rig] = Stand(_place(where, place), _priority(where, priority))
    return stands


def _place(where: str, text: str) -> str:
    if text and "" in text.split("/"):
        raise RosterError(f"{where}: place: {text!r} has an empty part; right is feeder-2/rack-3")
    return text


def _priority(where: str, text: str) -> int:
    if text in ("", "protected"):
        return PROTECTED if text else PRIORITY
    if text.isascii() and text.isdigit() and 1 <= int(text) <= LEAST:
        return int(text)
    raise RosterError(f"{where}: priority: {text!r}; right is protected, 1 to {LEAST}, or nothing")
