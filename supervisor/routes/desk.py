"""Whom the API asks: the site while it is led here; while another leads it, only how that stands.

The API outlives a change of leader, at its address and with its tokens.
"""

import time
from typing import Protocol

from supervisor.audit import Deed
from supervisor.routes.parts import Provider
from supervisor.view import StandbyView

OPEN = ("/api/me", "/api/schema", "/api/standby")  # answered by a follower too


class Rank(Protocol):
    """One supervisor of two, as far as people see it: a Seat."""

    def leads(self) -> bool: ...
    def view(self, now_s: float) -> StandbyView: ...


class Desk:
    """provider: None while the site is not led here.  seat: None where there is one supervisor."""

    def __init__(self, provider: Provider | None = None, seat: Rank | None = None) -> None:
        self.provider, self._seat = provider, seat

    def standby(self) -> StandbyView | None:
        """How the two supervisors stand; None where there is one."""
        return self._seat.view(time.monotonic()) if self._seat else None

    def shut(self, path: str, writes: bool) -> str:
        """Why this cannot be answered here at this moment; "" when it can."""
        if self._seat is None or path in OPEN:
            return ""
        if self.provider is None:
            return following(self._seat.view(time.monotonic()))
        if writes and not self._seat.leads():
            return (
                "cut off from the broker, so another supervisor may lead: nothing is taken here now"
            )
        return ""

    def record(self, deed: Deed) -> None:
        """What somebody did, before they are answered."""
        if self.provider is not None:
            self.provider.record(deed)


def following(view: StandbyView) -> str:
    """What a follower says of itself, in words."""
    if view.leads:
        return "about to lead: ask again in a second"
    if not view.connected:
        return "no leader is heard, and no broker: ask the other supervisor"
    heard = f"term {view.term}, heard {view.heard_s:.1f} s ago"
    return f"following the leader of {heard}: ask the other supervisor"
