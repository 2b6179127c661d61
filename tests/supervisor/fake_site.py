"""A small site made up for the tests of the API, the command line and the screens."""

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec

from supervisor import api
from supervisor.gate import Door
from supervisor.limits import Limit
from supervisor.live import Wish, page
from supervisor.metrics import Seen
from supervisor.tokens import Tokens
from supervisor.view import (
    AlarmView,
    AuditView,
    EventView,
    HistoryView,
    HoldsResult,
    HoldView,
    PlaceView,
    PreviewView,
    RigDetail,
    RigView,
    SignalDetail,
    SignalView,
    SilenceView,
    SiteView,
    StepView,
    WhyView,
)

NOW_S = 1_800_000_000.0
TOKEN = "5ca1ab1e" * 4

SITE = SiteView(
    site="karoo",
    at_s=NOW_S,
    term=3,
    seq=41,
    epoch=2,
    envelope_w=3_200_000,
    envelope_source="dispatch",
    because="evening peak",
    next_change_s=NOW_S + 725,
    next_w=900_000,
    asked_w=3_200_000,
    budget_w=3_050_000,
    admit_w=3_110_000,
    committed_w=3_080_000,
    metered_w=3_190_000,
    meter_age_s=0.8,
    floor_w=25_000,
    capacity_w=3_500_000,
    hash_ghs=182_000_000,
    rigs=1000,
    by_state={"running": 912, "asleep": 88},
    silent=0,
    signals=[
        SignalView(
            source="dispatch",
            limit_w=3_200_000,
            age_s=4.0,
            until_s=NOW_S + 3600,
            over=False,
            because="evening peak",
        ),
        SignalView(source="ripple", limit_w=None, age_s=900.0, until_s=None, over=True, because=""),
    ],
    asked_history_w=[3_400_000] * 60 + [3_200_000] * 60,
    metered_history_w=[3_390_000] * 62 + [3_190_000] * 58,
)


def rig(number, **changes):
    well = RigView(
        rig=f"rig-{number:04}",
        model="S21 Pro",
        state="running",
        level=6,
        admitted_w=3100,
        power_w=3075,
        hash_ghs=215_000,
        hot_dc=643,
        fan_rpm=4920,
        cap_level=8,
        age_s=3.0,
        sickness=0,
        why="",
    )
    return msgspec.structs.replace(well, **changes)


RIGS = [rig(number) for number in range(1, 301)]
RIGS[6] = rig(7, state="silent", age_s=95.0, sickness=90, why="not heard of for 95 s")
RIGS[41] = rig(42, state="fault", level=0, power_w=25, sickness=70, why="fan 2 stands still")
EVENTS = [
    EventView(at_s=NOW_S - 2, kind="signal", who="dispatch", text="3.20 MW: evening peak"),
    EventView(at_s=NOW_S - 65, kind="fault", who="rig-0042", text="fan 2 stands still"),
]


SIGNAL = SignalDetail(
    source="dispatch",
    health="fresh",
    limit_w=3_200_000,
    holds=True,
    heard_s=NOW_S - 4,
    age_s=4.0,
    seq=7,
    until_s=NOW_S + 3600,
    silent_from_s=NOW_S + 236,
    default_w=0,
    because="evening peak",
    schedule=[(NOW_S + 725, 900_000)],
)
DETAIL = RigDetail(
    rig=RIGS[0],
    floor_w=25,
    points=[(1000, 60_000), (3100, 215_000)],
    wake_s=60.0,
    up_w_per_s=100.0,
    counted=True,
    epoch=2,
    ladder=[StepView(1, 0, 975), StepView(2, 4000, 6100)],
    down_for_s=None,
    events=EVENTS[1:],
)


PLACE = PlaceView(
    place="c07",
    rigs=300,
    by_state={"running": 299, "fault": 1},
    power_w=900_000,
    admitted_w=930_000,
    hash_ghs=64_000_000,
    hot_dc=643,
    sick=1,
)
ALARM = AlarmView(
    key="rig-silent c07",
    rule="rig-silent",
    subject="c07",
    severity="warning",
    since_s=NOW_S - 95,
    count=300,
    rigs=["c07-r1-1", "c07-r1-2"],
    text="silent",
    means="nothing heard",
    check="its switch port",
    tool="network cable",
    acked_by="",
    acked_s=None,
    silenced=False,
)


HOLD = HoldView(
    rig="rig-0007", level=0, until_s=NOW_S + 600, by="ann", why="a smell", maintenance=False
)
PREVIEW = PreviewView(
    envelope_w=2_000_000,
    holds=True,
    now_w=3_190_000,
    then_w=2_000_000,
    sleep=340,
    wake=0,
    lower=1,
    raise_=0,
    up_s=0.0,
)


def _audit(deed):
    values = {"at_s": NOW_S} | {name: getattr(deed, name) for name in deed.__struct_fields__}
    del values["address"]
    return AuditView(**values)


def replace(value, **changes):
    return msgspec.structs.replace(value, **changes)


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

    def preview_signal(self, limit_w):
        return PREVIEW

    def unix_s(self):
        return NOW_S

    def site(self):
        if self.broken:
            raise RuntimeError("secret of the house")
        return self.now

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


def door_of(provider, folder, **limits):
    """Somebody at the door who lets TOKEN in, and whom no test is too quick for."""
    freely = dict.fromkeys(("asks", "writes", "wrong"), Limit(1e4, 1e4))
    return Door(Tokens(Path(folder) / "tokens.json", TOKEN), provider.record, **freely | limits)


@contextmanager
def served(provider, state_dir=None, door=None):
    """The real API on a free port, in a thread of its own; yields the port."""
    with TemporaryDirectory() as folder:
        yield from _served(provider, state_dir, door or door_of(provider, folder))


def _served(provider, state_dir, door):
    up, ports, loop = threading.Event(), [], asyncio.new_event_loop()

    def bound(port):
        ports.append(port)
        up.set()

    running = loop.create_task(api.serve(provider, "127.0.0.1", 0, door, bound))
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
