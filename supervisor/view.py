"""What people see of the site: the values the API serves and every screen shows.

Frozen, made once a tick, decoded by the clients with the same types.  Every age is
in seconds; a value nobody knows is None and never a flat line.
"""

from typing import Any

import msgspec

SCHEDULE_MAX = 300  # rows ahead shown of one source


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
    drill_step_w: int = 0  # the largest step of a drill the settings allow; 0: none
    drill_hold_s: float = 0.0


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
    place: str = ""  # the container it stands in; "" when nobody said
    held: str = ""  # by people, and why


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A container, or where else rigs stand together; "" for those of no place."""

    place: str
    rigs: int
    by_state: dict[str, int]
    power_w: int
    admitted_w: int
    hash_ghs: int
    hot_dc: int  # of the hottest
    sick: int  # rigs


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


class SignalDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One source in full."""

    source: str
    health: str  # fresh, over, silent or withheld: see `because`
    limit_w: int | None  # what it says now; None: nothing
    holds: bool  # whether it is the lowest: the site obeys this one
    heard_s: float  # Unix seconds
    age_s: float
    seq: int
    until_s: float | None  # the end of its word
    silent_from_s: float | None  # without another word it is not trusted from then on
    default_w: int | None  # what holds after either end; None: no limit
    because: str
    kind: str = "limit"  # how it was said, see envelope.py
    loss: str = "default"  # what its silence means, see loss.py
    schedule: list[tuple[float, int]]  # rows ahead, (Unix seconds, watts); at most SCHEDULE_MAX


class ToldView(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody on the grid's side is told, in watts of site import."""

    unix_s: float  # of the beat
    limit_w: int
    asked_w: int
    committed_w: int  # the worst all rigs may draw
    floor_w: int
    capacity_w: int
    metered_w: int | None  # None unless quality is ok
    quality: str  # of the metering: ok, stale or missing
    deviation_w: int | None  # metered less asked
    deviates: bool  # by more than 3 % of capacity
    source: str
    because: str
    within_s: tuple[int, ...]  # seconds,
    down_w: tuple[int, ...]  # and what can be given back in them,
    up_w: tuple[int, ...]  # and taken up
    rigs: int
    sick: int
    hz: float | None


class StepView(msgspec.Struct, frozen=True):
    """A step of a rig's ladder: where on the merit order it is admitted."""

    level: int
    start_w: int
    end_w: int


class RigDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one rig."""

    rig: RigView
    floor_w: int
    points: list[tuple[int, int]]  # (watts, GH/s) by level from 1
    wake_s: float
    up_w_per_s: float
    counted: bool  # it may draw what its ladder admits, heard or not
    epoch: int  # of the ladder it holds
    ladder: list[StepView]
    down_for_s: float | None  # since its connection broke
    events: list[EventView]  # its own, newest first


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did."""

    at_s: float
    who: str
    role: str
    what: str
    said: Any
    status: int
    result: str


class StandbyView(msgspec.Struct, frozen=True, kw_only=True):
    """One of two supervisors of a site."""

    site: str
    rank: int
    leads: bool
    term: int  # the highest heard
    heard_s: float  # since anybody who leads was heard; itself counts
    connected: bool  # to the broker
    ready: bool  # whether the one that follows could take over with all that is known


class MeView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: str


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: str
    made_s: float
    until_s: float | None


class TokenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """days: None for one without an end."""

    name: str
    role: str
    days: float | None = 90.0


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """The only time a token is shown."""

    name: str
    token: str


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and what to do about it."""

    key: str
    rule: str
    subject: str  # a rig, a place, a source; "" is the site
    severity: str
    since_s: float
    count: int  # rigs
    rigs: list[str]  # some of them
    text: str
    means: str
    check: str
    tool: str
    acked_by: str
    acked_s: float | None
    silenced: bool


class SilenceView(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    subject: str
    until_s: float
    by: str
    why: str


class AckOrder(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    by: str = "operator"


class SilenceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """rule and subject: "" is any.  for_s: 0 ends the silence."""

    for_s: float
    rule: str = ""
    subject: str = ""
    by: str = "operator"
    why: str = ""


class ExcuseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is gone: its default is not to count for so long."""

    source: str
    for_s: float
    by: str = "operator"


class PreviewView(msgspec.Struct, frozen=True, kw_only=True, rename={"raise_": "raise"}):
    """What an order would do, in watts at the meter and in rigs."""

    envelope_w: int  # then
    holds: bool  # whether this order would be the lowest word
    now_w: int
    then_w: int
    sleep: int  # rigs that would go to sleep,
    wake: int  # wake up,
    lower: int  # run lower,
    raise_: int  # run higher
    up_s: float  # how long a rise takes, at the declared ramp
    down_s: float = 0.0  # how long a fall takes
    lost_ghs: int = 0  # hash rate given up then; below 0: gained
    lost_mwh: float = 0.0  # energy not drawn for it; below 0: drawn more
    over_s: float = 0.0  # the time lost_mwh is of


class LimitOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A person's limit to be tried."""

    mw: float
    for_s: float = 3600.0


class HoldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Rigs held back until a time: at a level, or at the highest below so many watts."""

    rigs: list[str]
    for_s: float
    level: int | None = None
    watts: int | None = None
    maintenance: bool = False
    by: str = "operator"
    why: str = ""


class ReleaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    rigs: list[str]
    by: str = "operator"


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    rig: str
    level: int
    until_s: float
    by: str
    why: str
    maintenance: bool


class HoldsResult(msgspec.Struct, frozen=True, kw_only=True):
    """rig -> "held", "released", or why not."""

    rigs: dict[str, str]


class HistoryView(msgspec.Struct, frozen=True, kw_only=True):
    """Telemetry by column, oldest first, at_s in Unix seconds; null is a gap."""

    columns: dict[str, list[float | None]]
