"""[history]: how long telemetry and the ledger are kept."""

from typing import Annotated

from msgspec import Meta

from supervisor.settings import Section

_Days = Annotated[int, Meta(ge=1, le=3660, description="days, 1 to 3660")]


class HistoryConfig(Section, frozen=True, kw_only=True):
    """What is older goes, a day at a time."""

    rig_days: _Days = 7
    days: _Days = 400
    ledger_days: _Days = 400
