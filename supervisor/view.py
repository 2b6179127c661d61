"""What people see of the site: the values the API serves and every screen shows.

Frozen, made once a tick, decoded by the clients with the same types.  Every age is
in seconds; a value nobody knows is None and never a flat line.
"""

import msgspec


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """The site in one glance."""

    site: str
    at_s: float  # Unix seconds of the tick
    term: int
    seq: int
    epoch: int
    envelope_w: int
    envelope_source: str
    because: str
    next_change_s: float | None  # Unix seconds of the next row ahead
    next_w: int | None
    asked_w: int  # envelope within floor and capacity, rising at the declared ramp
    budget_w: int
    admit_w: int
    committed_w: int  # the worst the rigs can draw now
    metered_w: int | None
    meter_age_s: float | None
    floor_w: int
    capacity_w: int
    hash_ghs: int
    rigs: int
    by_state: dict[str, int]
    silent: int
    signals: list["SignalView"]
    asked_history_w: list[int]  # one a tick, newest last
    metered_history_w: list[int | None]


class SignalView(msgspec.Struct, frozen=True, kw_only=True):
    """One source: what it says, how long ago, until when."""

    source: str
    limit_w: int | None
    age_s: float
    until_s: float | None
    over: bool
    because: str


class RigView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the rig table."""

    rig: str
    model: str
    state: str  # a message state, or "silent", "down"
    level: int
    admitted_w: int
    power_w: int
    hash_ghs: int
    hot_dc: int
    fan_rpm: int
    cap_level: int
    age_s: float
    sickness: int  # 0 well; the table's order
    why: str


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    at_s: float
    kind: str
    who: str
    text: str


class WhyView(msgspec.Struct, frozen=True, kw_only=True):
    """The chain from signal to rig, most important first, as sentences."""

    rig: str
    lines: list[str]


class SignalOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A person's wish: this much, for so long."""

    mw: float
    for_s: float
    by: str = "operator"
