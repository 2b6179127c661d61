"""Where a rig stands: "feeder-2/container-7/rack-3" when somebody said so, else what its name says.

A name such as c07-r2-14 says container c07: the part before the first dash.
"""

from typing import NamedTuple

import numpy as np

from supervisor.merit import Ints


class Where(NamedTuple):
    """In which container each rig stands: the number of its name, -1 for none."""

    names: list[str]
    of: Ints


NOWHERE = Where([], np.zeros(0, dtype=np.int64))


def where(places: list[str]) -> Where:
    """places: of each rig."""
    inside = [container(place) for place in places]
    names = sorted(set(inside) - {""})
    number = {name: row for row, name in enumerate(names)}
    return Where(names, np.array([number.get(name, -1) for name in inside], dtype=np.int64))


def by_name(rig: str) -> str:
    return rig.partition("-")[0] if "-" in rig else ""


def container(place: str) -> str:
    """What is told together when many rigs fail at once: feeder and container, not the rack."""
    return "/".join(place.split("/")[:2])
