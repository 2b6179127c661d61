"""The site's power as a beat goes by it: of one meter, or as several together have it."""

from supervisor import balance
from supervisor.fleet import Fleet
from supervisor.inbox import SITE_METER, Inbox, Reading
from supervisor.tree import Tree

HEARD_S, UNHEARD = 30.0, 0.2  # meters are held against rigs' reports unless so many are so old


class Metering:
    """Gives each reading once.  auxiliary_w, limit_w: of the site's settings."""

    def __init__(self, inbox: Inbox, stale_s: float, auxiliary_w: float, limit_w: float) -> None:
        self._inbox, self._stale_s, self._auxiliary_w = inbox, stale_s, auxiliary_w
        self._at_s = -1.0
        self.balance = balance.Balance(stale_s, limit_w)

    def new_w(self, fleet: Fleet, tree: Tree | None, now_s: float) -> int | None:
        """The meter's reading if it is a new one."""
        inbox = self._inbox
        meter = inbox.meter if len(inbox.readings) < 2 else self._balanced(fleet, tree, now_s)
        if meter is None or meter.at_s <= self._at_s:
            return None
        self._at_s = meter.at_s
        return meter.w if now_s - meter.at_s <= self._stale_s else None

    def _balanced(self, fleet: Fleet, tree: Tree | None, now_s: float) -> Reading | None:
        """The site's power as the meters together have it; who is found wrong goes on record."""
        readings = self._inbox.readings
        if fleet.silent(now_s, HEARD_S).mean() > UNHEARD if len(fleet) else True:
            return readings.get(SITE_METER)  # what rigs last said is no measure of now
        reported_w = balance.reported_w(fleet.power_w, fleet.node, tree, readings)
        before = {name: verdict.fault for name, verdict in self.balance.verdicts.items()}
        verdicts = self.balance.look(readings, reported_w, self._auxiliary_w, now_s)
        for name, verdict in verdicts.items():
            if verdict.fault not in (balance.OK, before.get(name, balance.OK)):
                self._inbox.refuse(f"meter {name}", str(verdict))
        return self.balance.site_w(readings)
