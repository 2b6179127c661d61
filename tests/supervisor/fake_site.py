"""The made-up site served, for the tests of the API, the command line and the screens."""

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec
from made_up import (
    ALARM,
    DETAIL,
    EVENTS,
    HOLD,
    NOW_S,
    PLACE,
    PREVIEW,
    RIGS,
    SIGNAL,
    SITE,
    STANDBY,
    TOKEN,
    TOLD,
    replace,
)

from supervisor import api
from supervisor.gate import Door
from supervisor.limits import Limit
from supervisor.live import Wish, page
from supervisor.metrics import Seen
from supervisor.routes.desk import Desk
from supervisor.tokens import Tokens
from supervisor.view import (
    AuditView,
    HistoryView,
    HoldsResult,
    SilenceView,
    WhyView,
)


def _audit(deed):
    values = {"at_s": NOW_S} | {name: getattr(deed, name) for name in deed.__struct_fields__}
    del values["address"]
    return AuditView(**values)


class FakeAlarms:
    """One alarm, and a memory of what was done about it."""

    def __init__(self):
        self.found, self.acked, self.wishes = [ALARM], [], []

    def views(self):
        return self.found

    def silences(self):
        return [
            SilenceView(rule=w.rule, subject=w.subject, until_s=w.until_s, by=w.by, why=w.why)
            for w in self.wishes
        ]

    def acknowledge(self, key, by):
        self.acked.append((key, by))
        return key == ALARM.key

    def silence(self, wish):
        self.wishes = [w for w in self.wishes if w.key != wish.key]
        if wish.until_s > NOW_S:
            self.wishes.append(wish)


class FakeHolding:
    def __init__(self):
        self.orders, self.released = [], []

    def views(self):
        return [HOLD] if self.orders else []

    def hold(self, order):
        self.orders.append(order)
        known = {rig.rig for rig in RIGS}
        told = {rig: "held" if rig in known else "no rig is called so" for rig in order.rigs}
        return HoldsResult(rigs=told)

    def release(self, rigs, by):
        self.released.append((rigs, by))
        return HoldsResult(rigs=dict.fromkeys(rigs, "released"))


class FakePast:
    asked_at_s = None

    def told(self, name):
        known = name in {"", *(rig.rig for rig in RIGS)}
        return WhyView(rig=name, lines=["dispatch allows 3.20 MW", "it runs"]) if known else None

    async def why(self, name, at_s):
        self.asked_at_s = at_s
        return self.told(name)

    async def rig(self, name, from_s, to_s, rolled):
        return HistoryView(columns={"at_s": [from_s, to_s], "power_w": [3075.0, None]})

    async def site(self, from_s, to_s):
        return HistoryView(columns={"at_s": [from_s, to_s], "metered_w": [None, 3.1e6]})


class FakeSite:
    """A provider that says what it was given and remembers what it was told."""

    def __init__(self, site=SITE, refusal=""):
        self.now, self.refusal = site, refusal
        self.orders, self.withdrawn, self.broken, self.deeds = [], [], False, []
        self.withdrawable, self.alarms = ("operator",), FakeAlarms()
        self.holding, self.past = FakeHolding(), FakePast()

    def preview_hold(self, order):
        return PREVIEW

    def preview_signal(self, limit_w, for_s):
        return PREVIEW

    def preview_push(self, payload):
        return self.refusal or PREVIEW

    def unix_s(self):
        return NOW_S

    def site(self):
        if self.broken:
            raise RuntimeError("secret of the house")
        return self.now

    def told(self):
        return TOLD

    def rigs(self, wish):
        return page(RIGS, wish)

    def rig(self, name):
        found = [rig for rig in RIGS if rig.rig == name]
        return replace(DETAIL, rig=found[0]) if found else None

    def signals(self):
        return [SIGNAL]

    def places(self):
        return [PLACE]

    def seen(self, rigs, top):
        chosen = [r for r in RIGS if r.rig in rigs] if rigs else page(RIGS, Wish(limit=top)).rigs
        meters = {"site": (3_190_000, 0.8)}
        totals = {"messages_lost": {"inbox": 0}}
        return Seen(self.now, meters, [SIGNAL], [PLACE], chosen, self.alarms.views(), totals)

    def audit(self, limit, who):
        return [_audit(deed) for deed in self.deeds if who in ("", deed.who)][:limit]

    def record(self, deed):
        self.deeds.append(deed)

    def events(self, limit):
        return EVENTS[:limit]

    def why(self, name):
        self.past.asked_at_s = None
        return self.past.told(name)

    def order_signal(self, order):
        if not self.refusal:
            self.orders.append(order)
        return self.refusal

    def push_signal(self, payload):
        self.orders.append(payload)
        return "" if payload.startswith(b"{") else "the message is not JSON"

    def excuse_signal(self, order):
        self.orders.append(order)
        return "" if order.source == "dispatch" else f"{order.source!r} has said nothing"

    def withdraw_signal(self, source):
        self.withdrawn.append(source)
        return source in self.withdrawable


class FakeSeat:
    """One supervisor of two; now is what it shows."""

    def __init__(self, **shown):
        self.now = replace(STANDBY, **shown)

    def leads(self):
        return self.now.leads and self.now.connected

    def view(self, now_s):
        return self.now


def door_of(provider, folder, **limits):
    """Somebody at the door who lets TOKEN in, and whom no test is too quick for."""
    freely = dict.fromkeys(("asks", "writes", "wrong"), Limit(1e4, 1e4))
    return Door(Tokens(Path(folder) / "tokens.json", TOKEN), provider.record, **freely | limits)


@contextmanager
def served(provider, state_dir=None, door=None, desk=None):
    """The real API on a free port, in a thread of its own; yields the port."""
    desk = desk or Desk(provider, FakeSeat())
    with TemporaryDirectory() as folder:
        yield from _served(desk, state_dir, door or door_of(provider, folder))


def _served(desk, state_dir, door):
    up, ports, loop = threading.Event(), [], asyncio.new_event_loop()

    def bound(port):
        ports.append(port)
        up.set()

    running = loop.create_task(api.serve(desk, "127.0.0.1", 0, door, bound))
    thread = threading.Thread(target=_run, args=(loop, running))
    thread.start()
    try:
        assert up.wait(10)
        if state_dir is not None:
            write_address(state_dir, ports[0])
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(running.cancel)
        thread.join(10)
        assert not thread.is_alive()
        loop.close()


def write_address(state_dir, port, token=TOKEN):
    (state_dir / "api.token").write_text(token + "\n")
    (state_dir / "api.json").write_bytes(
        msgspec.json.encode({"host": "127.0.0.1", "port": port, "pid": 1})
    )


def _run(loop, running):
    try:
        loop.run_until_complete(running)
    except asyncio.CancelledError:
        pass


def get(port, path, token=TOKEN):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False)
