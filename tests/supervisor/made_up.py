"""What a small site made up for tests would show: its views, as the API serves them."""

import msgspec

from supervisor.view import (
    AlarmView,
    EventView,
    HoldView,
    PlaceView,
    PreviewView,
    RigDetail,
    RigView,
    SignalDetail,
    SignalView,
    SiteView,
    StandbyView,
    StepView,
    ToldView,
)

NOW_S = 1_800_000_000.0
TOKEN = "5ca1ab1e" * 8

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

STANDBY = StandbyView(
    site="karoo", rank=0, leads=True, term=3, heard_s=0.4, connected=True, ready=True
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
TOLD = ToldView(
    unix_s=NOW_S,
    limit_w=3_200_000,
    asked_w=3_200_000,
    committed_w=3_080_000,
    floor_w=25_000,
    capacity_w=3_500_000,
    metered_w=3_190_000,
    quality="ok",
    deviation_w=-10_000,
    deviates=False,
    source="dispatch",
    because="evening peak",
    within_s=(5, 60, 600),
    down_w=(3_000_000, 3_000_000, 3_000_000),
    up_w=(0, 200_000, 300_000),
    rigs=1000,
    sick=3,
    hz=None,
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


def replace(value, **changes):
    return msgspec.structs.replace(value, **changes)
