"""[[stock]]: rigs with somebody else's firmware, throttled beside ours."""

import importlib.util
import ipaddress
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from protocols import topics
from supervisor.sections.kinds import Seconds
from supervisor.settings import Section

ADDRESSES_MAX = 20_000


class StockConfig(Section, frozen=True, kw_only=True):
    """Alike rigs at addresses.  points: watts and GH/s of the levels a power limit can hold, or
    one, for a rig that can only sleep and wake."""

    name: Annotated[str, Meta(description="rigs are called by this and a number: old-0017")]
    addresses: Annotated[
        str, Meta(min_length=7, description='such as "10.0.3.10-10.0.3.59, 10.0.4.7"')
    ]
    model: Annotated[str, Meta(min_length=1, max_length=48, description="1 to 48 characters")]
    floor_w: Annotated[int, Meta(ge=0, le=1000, description="watts drawn asleep")] = 30
    points: Annotated[
        tuple[tuple[int, int], ...],
        Meta(min_length=1, max_length=12, description="[[watts, GH/s], ...], watts rising"),
    ]
    wake_s: Seconds = 120.0
    up_w_per_s: Annotated[int, Meta(ge=1, le=100_000, description="how fast it climbs")] = 50
    password_file: str | None = None
    fall_s: Seconds = 2.0
    rise_s: Seconds = 30.0
    dwell_s: Seconds = 300.0
    obey_s: Seconds = 180.0
    poll_s: Seconds = 5.0
    silent_s: Seconds = 30.0
    deadline_s: Annotated[float, Meta(ge=0.1, le=120, description="seconds, 0.1 to 120")] = 10.0

    def all_addresses(self) -> list[str]:
        """Each address once, in order.  Raises ValueError that says what is wrong."""
        found: dict[str, None] = {}
        for part in self.addresses.replace(" ", "").split(","):
            first, _, last = part.partition("-")
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
            count = int(high) - int(low) + 1
            if low.version != high.version or not 1 <= count <= ADDRESSES_MAX:
                raise ValueError(f"{part} is no range of addresses")
            found |= {str(low + number): None for number in range(count)}
        return list(found)


def nonsense(groups: tuple[StockConfig, ...]) -> Iterator[tuple[str, str]]:
    names, taken = [group.name for group in groups], set[str]()
    if groups and importlib.util.find_spec("pyasic") is None:
        yield "stock", "needs pyasic, which is an extra: pip install 'surplus[stock]'"
    for group in groups:
        if names.count(group.name) > 1:
            yield "stock.name", f"two groups are called {group.name}"
        if wrong := topics.name_error(f"{group.name}-00000"):
            yield "stock.name", wrong
        watts = [group.floor_w, *(point[0] for point in group.points)]
        if any(low >= high for low, high in pairwise(watts)):
            yield "stock.points", f"watts must rise from floor_w, {group.floor_w}, on"
        try:
            addresses = group.all_addresses()
        except ValueError as error:
            yield "stock.addresses", str(error)
            continue
        for address in taken.intersection(addresses):
            yield "stock.addresses", f"{address} is in two groups"
        taken.update(addresses)
