"""What silence means, row by row as the specifications have it, and by two public procedures."""

import itertools
from dataclasses import replace

import pytest

from supervisor.envelope import FOREVER, Entry
from supervisor.loss import Loss, Watch, stagger_s

MW = 1_000_000
T = 1_000_000.0
DAY_S = 86_400.0

# who, its loss, its default, [(seconds unheard, MW allowed)]; it said 60 MW, until T + 300 s
ROWS = [
    (
        "OpenADR 3.1: the known schedule, then the subscription",
        Loss("follow-schedule", after_s=60),
        20,
        [(0, 60), (61, 60), (299, 60), (300, 20), (DAY_S, 20)],
    ),
    (
        "CSIP-AUS: the known schedule, then the default control by its gradient",
        Loss("follow-schedule", after_s=60, fall_w_per_s=0.27 * MW),
        0,
        [(299, 60), (300, 60), (310, 57.3), (400, 33), (530, 0)],
    ),
    (
        "2030.5 by another client: out of the event at once, to the default control",
        Loss("default", after_s=60),
        0,
        [(59.9, 60), (60, 0)],
    ),
    (
        "SunSpec 704: the reversion timer runs out, reversion enabled",
        Loss("default", after_s=30),
        5,
        [(29.9, 60), (30, 5)],
    ),
    (
        "SunSpec 704: the reversion timer runs out, reversion not enabled",
        Loss("default", after_s=30),
        None,
        [(29.9, 60), (30, None)],
    ),
    (
        "SunSpec 715: the controller's heartbeat stands still",
        Loss("default", after_s=10),
        5,
        [(9.9, 60), (10, 5), (299, 5)],
    ),
    (
        "EEBus LPC: two minutes without a heartbeat, then the failsafe limit",
        Loss("default", after_s=120),
        5,
        [(119.9, 60), (120, 5), (7_200, 5)],
    ),
    (
        "IEC 60870-5-104, DNP3, plain Modbus: the default at once",
        Loss("hold-last", after_s=35, hold_s=0),
        10,
        [(34.9, 60), (35, 10)],
    ),
    (
        "IEC 60870-5-104, DNP3, plain Modbus: the last word for so long, then the default",
        Loss("hold-last", after_s=35, hold_s=120),
        10,
        [(34, 60), (36, 60), (154.9, 60), (155, 10)],
    ),
    (
        "held until an operator says otherwise (ERCOT: by telephone)",
        Loss("hold-last", after_s=35, hold_s=FOREVER),
        0,
        [(36, 60), (299, 60), (300, 0)],
    ),
    (
        "EVerest: older than ten updates is nothing",
        Loss("default", after_s=10),
        0,
        [(9.9, 60), (10, 0)],
    ),
    (
        "a mass loss is no step: a wait of its own, then a gradient",
        Loss("hold-last", after_s=35, hold_s=60, delay_s=20, fall_w_per_s=1 * MW),
        0,
        [(95, 60), (114.9, 60), (120, 55), (174, 1), (176, 0)],
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_silence_means(row):
    _, loss, default, story = row
    default_w = None if default is None else default * MW
    entry = Entry("x", ((T - 5, 60 * MW),), T + 300, T, loss, default_w)
    for unheard_s, mw in story:
        allowed_w = entry.limit_w(T + unheard_s)
        assert allowed_w == (None if mw is None else pytest.approx(mw * MW, abs=1)), unheard_s


def test_a_word_said_to_end_is_no_loss_and_ends_at_once():
    loss = Loss("default", after_s=600, delay_s=50, fall_w_per_s=1.0)
    entry = Entry("x", ((T, 60 * MW),), T + 300, T, loss, 0)
    assert entry.limit_w(T + 299.9) == 60 * MW and entry.limit_w(T + 300) == 0
    assert entry.limit_w(T + 601) == 0, "and it stays so when the source falls silent later"
    assert entry.why(T + 301) == "its default, since its word is over"


def test_the_last_word_held_is_the_one_of_the_moment_of_silence():
    rows = ((T, 60 * MW), (T + 20, 50 * MW), (T + 40, 90 * MW))
    entry = Entry("x", rows, FOREVER, T, Loss("hold-last", after_s=35, hold_s=100), 0)
    assert [entry.limit_w(T + s) for s in (10, 30, 50, 134)] == [60 * MW, 50 * MW, 50 * MW, 50 * MW]
    assert "held: silent for" in entry.why(T + 50)
    assert "silent for 2 m 20 s" in entry.why(T + 140)


def test_a_default_above_the_last_word_is_taken_at_once():
    loss = Loss("default", after_s=10, fall_w_per_s=1.0)
    assert Entry("x", ((T, 5 * MW),), FOREVER, T, loss, 9 * MW).limit_w(T + 10) == 9 * MW


def test_sites_leave_one_after_the_other_each_always_at_its_own_time():
    delays = sorted(stagger_s(f"site-{n}", "openadr3", 60.0) for n in range(200))
    assert 0 <= delays[0] < 3 and 57 < delays[-1] < 60
    assert max(b - a for a, b in itertools.pairwise(delays)) < 3
    assert stagger_s("a", "b", 60.0) == stagger_s("a", "b", 60.0) != stagger_s("a", "c", 60.0)


# ---- CSIP-AUS test procedures, in per cent of the largest import


def doe(parts, heard_s, loss, default_w=0):
    """(per cent, seconds) controls, one after the other from T on."""
    rows, at_s = [], T
    for percent, seconds in parts:
        rows.append((at_s, percent * MW))
        at_s += seconds
    return Entry("csip", tuple(rows), at_s, heard_s, loss, default_w)


def test_all_23_communication_loss():
    """Read at 0 s; cut from 10 to 430 s; the schedule to its end at 300 s, then 0.27 %/s to 0."""
    parts = [(200, 60), (20, 60), (180, 60), (70, 60), (130, 60)]
    loss = Loss("follow-schedule", after_s=60, fall_w_per_s=0.27 * MW)
    entry = doe(parts, T, loss)
    for n, (percent, _) in enumerate(parts):
        for inside_s in (0, 10, 30, 59.9):
            assert entry.limit_w(T + 60 * n + inside_s) == percent * MW
    assert entry.silent(T + 60) and not entry.over(T + 299.9)
    for since_s in (0, 1, 100, 129.9):
        fallen = (130 - 0.27 * since_s) * MW
        assert entry.limit_w(T + 300 + since_s) == pytest.approx(fallen, abs=1)
    assert entry.limit_w(T + 300 + 130 / 0.27 + 0.1) == 0
    restored = Entry("csip", ((T + 430, 200 * MW),), T + 730, T + 431, loss, 0)
    assert [restored.limit_w(T + s) for s in (431, 550, 729.9)] == [200 * MW] * 3
    heard = replace(restored, heard_s=T + 725)
    assert heard.limit_w(T + 730) == 0, "said to end and heard until then: at once"


def test_loa_11_import_limit_in_steps():
    """200, 100, 40, 25, 0 % for 120 s each, to the second; after it the default control, 0."""
    parts = [(200, 120), (100, 120), (40, 120), (25, 120), (0, 120)]
    loss = Loss("follow-schedule", after_s=60, fall_w_per_s=6 * MW)
    entry = doe(parts, T + 595, loss)
    for n, (percent, _) in enumerate(parts):
        for inside_s in (0, 60, 119.9):
            assert entry.limit_w(T + 120 * n + inside_s) == percent * MW
    assert [entry.limit_w(T + s) for s in (600, 1_000)] == [0, 0]
    assert [w for _, w in entry.changes(T)] == [100 * MW, 40 * MW, 25 * MW, 0]


def test_loa_11_rises_again_as_fast_as_its_gradient_lets_it():
    """The steps upwards, with the 6 %/s of the procedure."""
    parts = [(0, 120), (25, 120), (40, 120), (100, 120), (200, 120)]
    entry = replace(doe(parts, T, Loss("follow-schedule")), up_w_per_s=6 * MW)
    for at_s, percent in ((119, 0), (121, 6), (125, 25), (241, 31), (243, 40), (370, 100)):
        assert entry.limit_w(T + at_s) == percent * MW


# ---- heartbeat and limit apart: EEBus LPC

LPC = Watch(after_s=120, release_s=120)


def test_boot_is_failsafe_until_a_limit_is_said():
    assert LPC.failsafe(T)
    beating = LPC.beat(T)
    assert beating.failsafe(T + 1), "a heartbeat alone is no limit"
    assert not beating.limit(T + 2).failsafe(T + 3) and beating.limit(T + 2).limited(T + 3)


def test_two_minutes_without_a_heartbeat_are_failsafe_and_a_limit_alone_ends_none():
    live = LPC.beat(T).limit(T)
    assert not live.failsafe(T + 119.9) and live.failsafe(T + 120)
    assert live.limit(T + 130).failsafe(T + 131)


def test_out_of_failsafe_by_a_heartbeat_and_a_limit_after_it():
    lost = LPC.beat(T).limit(T)
    back = lost.beat(T + 500)
    assert back.failsafe(T + 501) and not back.limited(T + 501), "the old limit is gone"
    assert not back.limit(T + 502).failsafe(T + 503)


def test_with_heartbeats_and_no_limit_it_is_released_after_two_minutes():
    back = LPC.beat(T).limit(T).beat(T + 500).beat(T + 560).beat(T + 600)
    assert back.failsafe(T + 619) and not back.failsafe(T + 620)
    assert not back.limited(T + 620), "released means no limit, not the old one"


def test_a_controller_that_beats_and_says_nothing_is_never_released():
    """SunSpec 715 leaves it to the vendor: ours stays in failsafe until there is a limit."""
    back = Watch(after_s=10).beat(T).limit(T).beat(T + 60)
    for n in range(61, 3_600):
        back = back.beat(T + n)
        assert back.failsafe(T + n)
    assert not back.limit(T + 3_600).failsafe(T + 3_601)


def test_a_steady_heartbeat_changes_nothing():
    watch = LPC.beat(T).limit(T)
    for n in range(1, 100):
        watch = watch.beat(T + 60 * n)
        assert watch.limited(T + 60 * n)
